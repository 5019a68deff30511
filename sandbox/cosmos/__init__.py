"""A Cosmos DB account (NoSQL API) on this machine, for the unmodified `azure-cosmos` and `@azure/cosmos`.

Documents are kept in SQLite and acknowledged when they are on disk. What it does not do it refuses: stored procedures,
triggers, user defined functions, vector and full-text search, users and permissions, all-versions change feed. There is
one partition range, one region and no throughput limit; request charges go by published figures (`charge`).
"""

from sandbox.cosmos.server import Served, serve

__all__ = ["Served", "serve"]
