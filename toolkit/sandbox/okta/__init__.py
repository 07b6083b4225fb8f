"""Okta of the sandbox: the people and groups, and the API that tells of them."""
