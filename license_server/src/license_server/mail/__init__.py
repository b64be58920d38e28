"""Mail: writing messages from templates, and two ways to send them."""
