"""Shared by the benchmark scripts: servers, clients, and the tables they print."""
