"""Fixtures for the whole suite; the servers are in servers.py."""

from servers import neo4j_home, neo4j_home_lts, server_home

__all__ = ["neo4j_home", "neo4j_home_lts", "server_home"]
