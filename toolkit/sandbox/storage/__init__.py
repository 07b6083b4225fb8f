"""Google's storage JSON API, as the sandbox serves it."""
