"""What the cache holds: layers, groups, frames."""
