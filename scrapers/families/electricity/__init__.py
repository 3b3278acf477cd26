"""Electric companies: people, contracts, meters and readings."""
