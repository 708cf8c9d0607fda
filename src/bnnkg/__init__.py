"""A knowledge graph of biophysical neural networks, and a network that learns from it.

In a notebook::

    import bnnkg

    settings = bnnkg.Settings.load(db="worm.db")
    bnnkg.ingest_sources(["models/worm"], settings=settings)
    with bnnkg.open_store(settings, write=False) as store:
        bnnkg.fetch_neurons(store)

Names are imported when they are first used: ``import bnnkg`` alone loads nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from bnnkg.errors import BnnkgError as BnnkgError
    from bnnkg.gnn.hetero import hetero as hetero
    from bnnkg.queries import fetch as fetch
    from bnnkg.queries import fetch_attention as fetch_attention
    from bnnkg.queries import fetch_cells as fetch_cells
    from bnnkg.queries import fetch_mechanisms as fetch_mechanisms
    from bnnkg.queries import fetch_models as fetch_models
    from bnnkg.queries import fetch_neurons as fetch_neurons
    from bnnkg.queries import fetch_statistics as fetch_statistics
    from bnnkg.queries import fetch_synapses as fetch_synapses
    from bnnkg.queries import library as library
    from bnnkg.queries import run_query as run_query
    from bnnkg.settings import Settings as Settings
    from bnnkg.store import Store as Store
    from bnnkg.workflows.annotation import annotate as annotate
    from bnnkg.workflows.annotation import diff_runs as diff_runs
    from bnnkg.workflows.exporting import export as export
    from bnnkg.workflows.ingestion import ingest as ingest_sources
    from bnnkg.workflows.ingestion import remove as remove
    from bnnkg.workflows.ingestion import validate as validate
    from bnnkg.workflows.reading import open_store as open_store
    from bnnkg.workflows.reading import read_tensors as read_tensors
    from bnnkg.workflows.training import TrainRequest as TrainRequest
    from bnnkg.workflows.training import train as train

_HOMES = {
    "bnnkg.errors": ("BnnkgError",),
    "bnnkg.gnn.hetero": ("hetero",),
    "bnnkg.queries": (
        "fetch", "fetch_attention", "fetch_cells", "fetch_mechanisms", "fetch_models",
        "fetch_neurons", "fetch_statistics", "fetch_synapses", "library", "run_query",
    ),
    "bnnkg.settings": ("Settings",),
    "bnnkg.store": ("Store",),
    "bnnkg.workflows.annotation": ("annotate", "diff_runs"),
    "bnnkg.workflows.ingestion": ("remove", "validate"),
    "bnnkg.workflows.exporting": ("export",),
    "bnnkg.workflows.reading": ("open_store", "read_tensors"),
    "bnnkg.workflows.training": ("TrainRequest", "train"),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", "ingest_sources", *sorted(_HOME_OF)]


def __getattr__(name: str) -> Any:
    if name == "ingest_sources":  # the room has the name of its workflow
        return import_module("bnnkg.workflows.ingestion").ingest
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
