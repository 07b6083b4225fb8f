"""Is a perturbation in the cache data: frames' names read, kept in an index, and matched."""
