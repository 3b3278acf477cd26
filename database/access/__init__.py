"""Sign-in data: encryption, sessions, the attempt ledger, leases, one-time codes."""
