"""The screens of the terminal app, a module each."""
