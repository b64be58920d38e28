"""The service's own tables in the customer's database: API keys and the audit trail."""
