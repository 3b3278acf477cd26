"""The HTTP API: users sign in, say what they watch, and see what was found; room/ is that of the control room."""
