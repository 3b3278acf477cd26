"""One-time codes come in: the routes, and the gateways' formats."""
