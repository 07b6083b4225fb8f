"""Read-only questions, each answered by a Finding."""
