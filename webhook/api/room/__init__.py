"""The control room under /api/v1: signing in, the inbox with its acts, the audit."""
