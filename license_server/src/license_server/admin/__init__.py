"""The vendor's work, by noun: use cases over a desk, each change recorded in the audit log."""
