"""A Google Cloud Logging in small, on this machine's loopback."""
