"""A real redis-server for the sandbox, and the TCP proxy in front of it."""
