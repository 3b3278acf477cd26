"""Bell: Corporate Self Serve."""
