"""The HTTP server that receives one-time codes and gives them to authorised readers."""
