"""What a person can do in the terminal app: a file a scope, gathered by `toolkit.tui.registry`."""
