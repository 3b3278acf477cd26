"""TruckTech+: PACCAR's fleet portal, run by Decisiv."""
