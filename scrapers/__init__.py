"""What we fetch: items, spiders, logins and flows of the portals."""
