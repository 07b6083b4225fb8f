"""Pictures of the map: for a terminal (rich), and as files (matplotlib). What they show is computed in cache/."""
