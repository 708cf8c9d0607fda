"""Fixtures for the whole suite; the servers are in servers.py, the command in commands.py."""

from hypothesis import HealthCheck, settings

from commands import warm_folder
from servers import neo4j_home, neo4j_home_lts, server_home

# Time says nothing on a machine that others use too.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

__all__ = ["neo4j_home", "neo4j_home_lts", "server_home", "warm_folder"]
