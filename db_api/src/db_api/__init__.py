"""db_api."""
