"""What the outside world may tell and ask us over HTTP: one-time codes come in here."""
