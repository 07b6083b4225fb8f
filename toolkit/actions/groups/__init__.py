"""Deleting, flushing and restoring groups in Redis."""
