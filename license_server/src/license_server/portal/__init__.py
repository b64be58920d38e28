"""The portal: what customers see and do of their own licenses, in a browser."""
