"""Populations that say how their neurons are laid out instead of listing them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from lxml import etree

from bnnkg.ingest.markup import Account, local_name
from bnnkg.ingest.networks import MAX_SIZE, population_size
from bnnkg.ingest.parsed import Floats, Layout
from bnnkg.ingest.rows import Bad, finite_number

_AXES = "xyz"


def read_layout(population: etree._Element, account: Account, bad: Bad) -> Layout:
    """The layout of a population without instances.

    The neurons of a grid are counted along z first, then y, then x; they have places where the
    space of the layout has a structure with spacings.
    """
    found = next(_layouts(population, account), None)
    kind = None if found is None else local_name(found)
    size = _size(population, found, bad)
    if found is None or kind is None:
        return Layout(None, size)
    layout = found.getparent()
    space = None if layout is None else layout.get("space")
    xyz = _grid_um(found, size, _structure(population, space)) if kind == "grid" else None
    return Layout(kind, size, xyz, space, found.get("region"))


def _layouts(population: etree._Element, account: Account) -> Iterator[etree._Element]:
    for layout in population.iterchildren("{*}layout"):
        account.take(layout)
        for element in layout.iterchildren("{*}grid", "{*}random", "{*}unstructured"):
            account.take(element)
            yield element


def _size(population: etree._Element, layout: etree._Element | None, bad: Bad) -> int:
    text = population.get("size")
    if text is None and layout is not None:
        text = _sizes_text(layout)
    size = population_size(text or "0")
    if size is None:
        bad(f"its size {text!r} is no whole number up to {MAX_SIZE}")
    return size or 0


def _sizes_text(layout: etree._Element) -> str:
    if local_name(layout) != "grid":
        return layout.get("number") or "0"
    counts = _grid_counts(layout)
    return str(math.prod(counts)) if counts else "not whole"


def _grid_counts(grid: etree._Element) -> list[int]:
    """Neurons along each axis; none where one is no whole number."""
    counts = [population_size(grid.get(f"{axis}Size") or "1") for axis in _AXES]
    whole = [count for count in counts if count is not None]
    return whole if len(whole) == len(_AXES) else []


def _structure(population: etree._Element, space: str | None) -> etree._Element | None:
    network = population.getparent()
    if network is None or space is None:
        return None
    spaces = (one for one in network.iterchildren("{*}space") if one.get("id") == space)
    return next((inner for one in spaces for inner in one.iterchildren("{*}structure")), None)


def _grid_um(grid: etree._Element, size: int, structure: etree._Element | None) -> Floats | None:
    if structure is None:
        return None
    counts = _grid_counts(grid)
    steps = [finite_number(structure.get(f"{axis}Spacing")) for axis in _AXES]
    starts = [finite_number(structure.get(f"{axis}Start", "0")) for axis in _AXES]
    known = [step for step in steps if step is not None]
    origin = [start for start in starts if start is not None]
    is_whole = all(len(found) == len(_AXES) for found in (counts, known, origin))
    if not is_whole or math.prod(counts) != size:
        return None
    places = np.indices(counts).reshape(3, -1).T
    xyz_um: Floats = places * np.array(known) + np.array(origin)
    return xyz_um
