"""Outgoing webhooks, after the Standard Webhooks specification."""
