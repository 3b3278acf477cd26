"""What happens to a request on its way to a portal and back."""
