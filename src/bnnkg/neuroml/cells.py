"""Cells of many compartments as elements."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from lxml import etree

from bnnkg.neuroml.grammar import child, element
from bnnkg.neuroml.graph import Graph, Row
from bnnkg.neuroml.values import Ids, exact, number, places, plain

KIND_IDS = {"soma": "GO:0043025", "dendrite": "GO:0030425", "axon": "GO:0030424"}


@dataclass(frozen=True)
class Shape:
    """The segments of a Cell, a place each in the order of its sections.

    Attributes:
        sections: Its Compartments by index.
        first: Place of the first segment of each section.
        points: Per segment x, y, z, diameter of both ends, in um, from the root.
        parents: Place of each one's parent, -1 for a root.
        fractions: Where on its parent each starts.
        kinds: Kind of each.
    """

    sections: list[Row]
    first: list[int]
    points: list[tuple[Decimal, ...]]
    parents: list[int]
    fractions: list[float]
    kinds: list[str]

    def spread(self, name: str, per_segment: str) -> list[float | None]:
        """A property of the sections as a column over the segments; absent where none is given."""
        values: list[float | None] = []
        for section in self.sections:
            own = section.get(per_segment) or [section.get(name)] * section["n_segments"]
            values.extend(None if v is None or v != v else v for v in own)
        return values


def shapes_of(graph: Graph) -> dict[str, Shape]:
    """The morphologies of a model by the uid of their Cell."""
    compartments = graph.by_uid("Compartment")
    owned = graph.grouped("HAS_COMPARTMENT", "src")
    return {
        uid: _shape(sorted((compartments[e["dst"]] for e in edges), key=lambda s: s["index"]))
        for uid, edges in owned.items()
    }


def _shape(sections: list[Row]) -> Shape:
    first: list[int] = []
    points: list[tuple[Decimal, ...]] = []
    kinds: list[str] = []
    for section in sections:
        first.append(len(points))
        flat = [exact(value) for value in section["segment_points_um"]]
        points += [tuple(flat[i : i + 8]) for i in range(0, len(flat), 8)]
        kinds += [section["kind"]] * section["n_segments"]
    return Shape(
        sections,
        first,
        points,
        [parent for section in sections for parent in section["segment_parents"]],
        [fraction for section in sections for fraction in section["segment_fractions"]],
        kinds,
    )


@dataclass
class Groups:
    """The segment groups of a cell: those that it came with, and more where they are needed.

    Attributes:
        segments: Places of the segments of each group.
        n_segments: How many the cell has.
    """

    segments: dict[str, tuple[int, ...]]
    n_segments: int
    _by_segments: dict[tuple[int, ...], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, rows in self.segments.items():
            self._by_segments.setdefault(rows, name)

    def name(self, rows: list[int], wanted: str, *, always: bool = False) -> str | None:
        """A group of exactly these segments; absent where it is all of them, unless ``always``."""
        key = tuple(sorted(rows))
        everything = tuple(range(self.n_segments))
        if key == everything and not always and self.segments.get("all", key) == key:
            return None
        if key not in self._by_segments:
            self._by_segments[key] = self.add(wanted, key)
        return self._by_segments[key]

    def add(self, wanted: str, rows: tuple[int, ...]) -> str:
        """A new group, named so or nearly so."""
        name, times = wanted, 1
        while name in self.segments:
            times += 1
            name = f"{wanted}_{times}"
        self.segments[name] = rows
        return name


def groups_of(definition: Row, shape: Shape) -> Groups:
    """The groups of a cell's definition, and one for each kind of section."""
    names = definition.get("group_names", ())
    members = [tuple(places(text)) for text in definition.get("group_segments", [""] * len(names))]
    ids = Ids()
    groups = Groups(
        {ids.unique(n): m for n, m in zip(names, members, strict=True)}, len(shape.points)
    )
    for kind in KIND_IDS:
        rows = tuple(i for i, k in enumerate(shape.kinds) if k == kind)
        if rows and groups.segments.get(f"{kind}_group") != rows:
            free = f"{kind}_group" not in groups.segments
            groups.add(f"{kind}_group" if free else f"_{kind}", rows)
    return groups


def morphology(definition: Row, shape: Shape, groups: Groups) -> etree._Element:
    """The ``morphology`` of a cell, where its definition had it."""
    top = element("morphology", {"id": "morphology"})
    ids = segment_ids(definition, shape)
    names = definition.get("segment_names") or [""] * len(ids)
    offset = tuple(exact(v) for v in definition.get("offset_um", (0.0, 0.0, 0.0)))
    for place, id_ in enumerate(ids):
        named = {"name": names[place]} if names[place] else {}
        one = child(top, "segment", {"id": str(id_), **named})
        _place_segment(one, place, shape, ids, offset)
    kinds = {f"{p}{kind}{s}": kind for kind in KIND_IDS for p, s in (("", "_group"), ("_", ""))}
    for name, rows in groups.segments.items():
        lex = {"neuroLexId": KIND_IDS[kinds[name]]} if name in kinds else {}
        group = child(top, "segmentGroup", {"id": name, **lex})
        for row in rows:
            child(group, "member", {"segment": str(ids[row])})
    return top


def segment_ids(definition: Row, shape: Shape) -> list[int]:
    """Ids of a cell's segments; their places where the source has none."""
    return definition.get("segment_ids") or list(range(len(shape.points)))


def _place_segment(
    one: etree._Element, place: int, shape: Shape, ids: list[int], offset: tuple[Decimal, ...]
) -> None:
    point, parent, fraction = shape.points[place], shape.parents[place], shape.fractions[place]
    follows = parent >= 0 and fraction == 1 and point[:4] == shape.points[parent][4:]
    if parent >= 0:
        along = {} if fraction == 1 else {"fractionAlong": number(fraction)}
        child(one, "parent", {"segment": str(ids[parent]), **along})
    if not follows:
        child(one, "proximal", _point(point[:4], offset))
    child(one, "distal", _point(point[4:], offset))


def _point(point: tuple[Decimal, ...], offset: tuple[Decimal, ...]) -> dict[str, str]:
    x, y, z = (plain(value + moved) for value, moved in zip(point, offset, strict=False))
    return {"x": x, "y": y, "z": z, "diameter": plain(point[3])}
