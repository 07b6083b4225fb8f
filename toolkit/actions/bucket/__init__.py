"""Removing from the L3 bucket, and bringing back."""
