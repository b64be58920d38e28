"""The demonstration: a PostgreSQL of its own with the world's airports behind the data API."""
