"""A full copy of the world in small, on this machine's loopback."""
