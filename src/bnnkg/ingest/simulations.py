"""Simulations of LEMS documents: how long, and in which steps, a network is to be run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from lxml import etree

from bnnkg.errors import QuantityError
from bnnkg.ingest.documents import Document
from bnnkg.ingest.identity import path_part
from bnnkg.ingest.library import Library
from bnnkg.ingest.markup import local_name
from bnnkg.ingest.networks import Networks
from bnnkg.ingest.parsed import SimulationRun
from bnnkg.ingest.quantities import finite_quantity


def add_simulations(networks: Networks, library: Library, documents: Iterable[Document]) -> None:
    """Puts the simulations of documents to the networks that they run.

    What they show and write is no part of a model and stays kept, and so does a simulation of
    anything but a network.
    """
    place_of = {head.path: place for place, head in enumerate(networks.heads)}
    for document in documents:
        loaded = set()
        for element in _simulations(document.root):
            place = _target(library, document.path, element, place_of)
            run = _run(element)
            if place is not None and run is not None:
                head = networks.heads[place]
                networks.heads[place] = replace(head, simulations=(*head.simulations, run))
                document.account.take(element)
                loaded.add(run.id)
        for target in document.root.iterchildren("{*}Target"):
            if target.get("component") in loaded:
                document.account.take(target)


def _simulations(root: etree._Element) -> Iterator[etree._Element]:
    for element in root:
        kind = local_name(element)
        if kind == "Simulation" or (kind == "Component" and element.get("type") == "Simulation"):
            yield element


def _target(
    library: Library, path: str, element: etree._Element, place_of: dict[str, int]
) -> int | None:
    """Place of the network that a simulation runs; absent where it runs none.

    Those of HDF5 are no elements: they are looked for in the files that the simulation's reaches.
    """
    name = (element.get("target") or "").strip()
    found = library.find(path, "network", name)
    files = [found.document.path] if found is not None else library.scope(path)
    paths = (f"{file}/{path_part(name)}" for file in files)
    return next((place_of[one] for one in paths if one in place_of), None)


def _run(element: etree._Element) -> SimulationRun | None:
    try:
        length, step = (finite_quantity(element.get(n, ""), "time")[0] for n in ("length", "step"))
    except QuantityError:
        return None
    return SimulationRun(element.get("id", ""), float(length), float(step))
