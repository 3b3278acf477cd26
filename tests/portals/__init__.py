"""Spiders for imitation portals that serve the core's own tests."""
