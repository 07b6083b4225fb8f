"""The group auto-loader: its settings in configome and in production, and the groups that they make."""
