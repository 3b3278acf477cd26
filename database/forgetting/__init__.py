"""Forgetting a client, a credential or a user: which rows are theirs, and what is kept without their name."""
