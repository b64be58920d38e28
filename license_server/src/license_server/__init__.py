"""license_server."""
