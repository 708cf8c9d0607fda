"""A client of ModelDB: what its entries say, and their archives, cached, checked and polite.

Its HTTP library is imported with the first request; what is in the cache is read without it.
"""

from bnnkg.ingest.modeldb.client import (
    EVERY_ACCESSION,
    ModelDB,
    download_url,
    read_accession,
)
from bnnkg.ingest.modeldb.entries import Download, ModelEntry
from bnnkg.ingest.modeldb.manners import Manners
from bnnkg.ingest.sources import TermRef

__all__ = [
    "EVERY_ACCESSION",
    "Download",
    "Manners",
    "ModelDB",
    "ModelEntry",
    "TermRef",
    "download_url",
    "read_accession",
]
