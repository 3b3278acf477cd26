"""Fleet portals: tenants, vehicles and faults."""
