"""A Loki in small, on this machine's loopback."""
