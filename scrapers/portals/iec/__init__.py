"""Israel Electric Company: the customers API behind OKTA."""
