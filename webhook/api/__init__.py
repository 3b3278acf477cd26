"""The HTTP API of the price watch: users sign in, say what they watch, and see what was found."""
