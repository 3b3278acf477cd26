"""Secrets, and who may sign in: encryption, sessions, the attempt ledger, leases, codes."""
