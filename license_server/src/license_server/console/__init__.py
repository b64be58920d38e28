"""The console: the admin API as pages for the vendor's people. The API runs without it."""
