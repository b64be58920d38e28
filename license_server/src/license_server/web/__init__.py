"""What the pages of console and portal have in common: requests in, HTML out, forms held safe."""
