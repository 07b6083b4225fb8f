"""Logs: an entry, where entries come from, and one timeline of them all."""
