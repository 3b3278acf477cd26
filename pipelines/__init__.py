"""Where items go: one act per file."""
