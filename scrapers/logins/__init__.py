"""Logins: the base classes, the screens of a sign-in, and the lookup of credentials."""
