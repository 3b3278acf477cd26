"""What every spider stands on."""
