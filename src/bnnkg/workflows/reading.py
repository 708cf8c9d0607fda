"""The graph, opened for whoever asks: commands, notebooks, the other workflows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bnnkg.progress import Progress, silent

if TYPE_CHECKING:
    from bnnkg.catalogue import Catalogue
    from bnnkg.gnn.tensors import GraphTensors
    from bnnkg.settings import Settings
    from bnnkg.store import Store


def open_store(settings: Settings, *, write: bool, progress: Progress = silent) -> Store:
    """Opens the database that the settings name; a local one is started if it does not run.

    Args:
        settings: Which database, and whose credentials.
        write: Whether anything will be written; constraints are then made on first use, and what
            a killed command left is removed.
        progress: Told of the server's download and start.

    Raises:
        StoreError: It cannot be reached, refuses the credentials, or is of a newer version.
    """
    from bnnkg.store import Store

    if settings.is_local:
        _hand_on(settings)
        return Store.open(settings.home, write=write, progress=progress)
    return Store.open(
        settings.db,
        user=settings.user,
        password=settings.read_password(),
        write=write,
        progress=progress,
    )


def open_catalogue(settings: Settings) -> Catalogue:
    """Opens the catalogue of ingests and runs, making it on first use.

    Raises:
        CatalogueError: It cannot be opened, or a newer version made it.
    """
    from bnnkg.catalogue import Catalogue

    # A file alone in the folder of a local database would keep its server out.
    create = not settings.is_local or settings.home.is_dir()
    return Catalogue.open(settings.catalogue_url, create=create)


def read_tensors(
    store: Store,
    key: str,
    *,
    settings: Settings,
    withhold_contacts: bool = False,
    progress: Progress = silent,
) -> GraphTensors:
    """One model as tensors, from the cache where this version of it is there already.

    Args:
        store: The graph.
        key: Key or uid of the model.
        settings: Where the cache is.
        withhold_contacts: Leave numbers of contacts out of every feature.
        progress: Told of what is read.

    Raises:
        UnknownModelError: The graph has no current model of that key.
    """
    from bnnkg.gnn import cache, graph
    from bnnkg.gnn.tensors import Hidden

    uid = store.model_uid(key)
    hidden = Hidden(contacts=withhold_contacts)
    folder = settings.cache_folder / "tensors"
    cached = cache.load(folder, uid, hidden=hidden)
    if cached is not None:
        return cached
    tensors = graph.build(store.read_model(uid, progress=progress), hidden=hidden)
    cache.save(folder, tensors)
    return cache.load(folder, uid, hidden=hidden) or tensors  # mapped, no longer held in memory


def _hand_on(settings: Settings) -> None:
    """The server outlives this process and reads its own settings from the environment."""
    for name, value in (("BNNKG_CACHE", settings.cache), ("BNNKG_NEO4J_HOME", settings.neo4j_home)):
        if value is not None:
            os.environ[name] = str(value.absolute())
