"""What the map should show, from the cached vectors: cosines, projections, replicates."""
