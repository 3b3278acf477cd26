"""Who is signed in: sessions, attempts, codes and leases."""
