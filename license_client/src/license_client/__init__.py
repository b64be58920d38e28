"""license_client."""
