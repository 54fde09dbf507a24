"""What the benchmark scripts have in common: servers, clients, and the tables they print."""
