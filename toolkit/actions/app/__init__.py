"""Changes to MapApp itself."""
