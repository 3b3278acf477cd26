"""What each family of portals remembers."""
