"""What an environment is made of, and where that is written down."""
