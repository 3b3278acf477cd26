"""An imitation of an ordinary shop, which states its prices as structured data: see README.md beside this file."""
