"""What a login is: its screens, its kinds, and where credentials are looked up."""
