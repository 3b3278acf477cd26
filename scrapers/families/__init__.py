"""What the portals of one kind share: one folder a family."""
