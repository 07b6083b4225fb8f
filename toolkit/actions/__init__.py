"""Guarded changes: a plan, the one gate, the journal."""
