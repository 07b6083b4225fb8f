"""What a group really holds: its frames, the health of their vectors, and how two groups differ."""
