"""The MapApp toolkit: one core under a terminal app, runbooks and subcommands."""

__version__ = "0.1.0"
