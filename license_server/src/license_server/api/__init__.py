"""The admin API: what a vendor's programs and the command line do with the server, over HTTP."""
