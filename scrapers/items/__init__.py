"""Typed items, one module per family."""
