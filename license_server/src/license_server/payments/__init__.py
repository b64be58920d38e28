"""Incoming payments: what providers tell becomes licenses, renewals and revocations."""
