"""Reading and writing the tables of each family of portals."""
