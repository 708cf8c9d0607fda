"""What was done to a graph: ingests with their reports, and runs with what came of them.

The graph is the truth. The catalogue refers to it by its store id, and losing the catalogue loses
no model and no annotation.
"""

from bnnkg.catalogue.catalogue import Catalogue
from bnnkg.catalogue.entries import Artefact, Ingest, Run, RunStatus, SourceEntry
from bnnkg.catalogue.tables import CATALOGUE_VERSION

__all__ = [
    "CATALOGUE_VERSION",
    "Artefact",
    "Catalogue",
    "Ingest",
    "Run",
    "RunStatus",
    "SourceEntry",
]
