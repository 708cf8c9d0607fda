"""The graph database: records in, records and tables out. Nothing else speaks to it."""

from bnnkg.store.results import LoadResult, RemoveResult
from bnnkg.store.store import Store
from bnnkg.store.table import Table

__all__ = ["LoadResult", "RemoveResult", "Store", "Table"]
