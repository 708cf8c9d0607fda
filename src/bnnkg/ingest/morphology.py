"""Morphologies: segments as columns, groups as sets of them, and what kind each one is.

Segments are read straight from the elements, for there are tens of thousands of them; coordinates
stay decimal until the cell is translated, so that moving a cell changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from lxml import etree

from bnnkg.errors import SourceError
from bnnkg.ingest.markup import Account, local_name
from bnnkg.ingest.quantities import whole_number

Point = tuple[Decimal, Decimal, Decimal, Decimal]
"""x, y, z, diameter in um."""

KIND_IDS = {"GO:0043025": "soma", "GO:0030425": "dendrite", "GO:0030424": "axon"}
_KIND_GROUPS = {"soma_group": "soma", "dendrite_group": "dendrite", "axon_group": "axon"}
_WORDS = (
    ("axon", "axon"), ("hillock", "axon"), ("iseg", "axon"), ("initial_seg", "axon"),
    ("initialseg", "axon"), ("dend", "dendrite"), ("apic", "dendrite"), ("basal", "dendrite"),
    ("tuft", "dendrite"), ("oblique", "dendrite"), ("spine", "dendrite"), ("glom", "dendrite"),
    ("soma", "soma"),
)  # fmt: skip
_ONE = Decimal(1)
LARGEST_UM = Decimal("1e12")


@dataclass
class Segments:
    """The segments of a morphology, parents before children.

    Attributes:
        ids: Ids in the file.
        names: Names; empty where a segment has none.
        parents: Row of the parent, -1 for a root.
        fractions: Where on its parent each starts.
        proximal: Start of each; the parent's end where the file gives none.
        distal: End of each.
        row_of: Id to row.
        children: Rows of the children of each.
        groups: Rows of each segment group.
        kind_groups: Kind by name of group, where an ontology id tells it.
        measures: Inhomogeneous parameters by id.
    """

    ids: list[int]
    names: list[str]
    parents: list[int]
    fractions: list[Decimal]
    proximal: list[Point]
    distal: list[Point]
    row_of: dict[int, int]
    children: list[list[int]]
    groups: dict[str, list[int]] = field(default_factory=dict)
    kind_groups: dict[str, str] = field(default_factory=dict)
    measures: dict[str, etree._Element] = field(default_factory=dict)


@dataclass
class _Raw:
    element: etree._Element
    id: int
    name: str
    parent: int | None
    fraction: Decimal
    proximal: Point | None
    distal: Point


def read_morphology(element: etree._Element, account: Account, where: str) -> Segments:
    """Reads a ``morphology``.

    Raises:
        SourceError: A segment without an end, with an unknown parent or no number where one must
            be, ids that repeat, or segments that are their own ancestors.
    """
    raws: list[_Raw] = []
    group_elements: list[etree._Element] = []
    for child in element:
        name = local_name(child)
        if name == "segment":
            raws.append(_read_segment(child, where))
        elif name == "segmentGroup":
            group_elements.append(child)
    if not raws:
        raise SourceError("the morphology has no segment", where=f"{where}:{element.sourceline}")
    segments = _in_order(raws, where)
    if not account.took(element):
        account.take(element)
        _count_segments(raws, account)
    _Groups(segments, group_elements, account, where).read()
    return segments


def drop_segments(element: etree._Element) -> None:
    """Removes the segments of a morphology that was read: they take some 3000 bytes each."""
    for child in list(element):
        if local_name(child) == "segment":
            element.remove(child)


def _count_segments(raws: list[_Raw], account: Account) -> None:
    account.take_rows("segment", len(raws))
    account.take_rows("distal", len(raws))
    account.take_rows("proximal", sum(raw.proximal is not None for raw in raws))
    account.take_rows("parent", sum(raw.parent is not None for raw in raws))


def _read_segment(element: etree._Element, where: str) -> _Raw:
    parent: int | None = None
    fraction = _ONE
    proximal: Point | None = None
    distal: Point | None = None
    try:
        for child in element:
            name = local_name(child)
            if name == "distal":
                distal = _point(child)
            elif name == "proximal":
                proximal = _point(child)
            elif name == "parent":
                parent = whole_number(child.get("segment", ""))
                fraction = _fraction(child.get("fractionAlong", "1"))
        id_ = whole_number(element.get("id", ""))
    except (InvalidOperation, ValueError, TypeError) as error:
        raise SourceError(
            "a segment holds something else than a number",
            where=f"{where}:{element.sourceline}",
            found=str(error),
        ) from None
    if distal is None:
        raise SourceError("a segment has no distal point", where=f"{where}:{element.sourceline}")
    return _Raw(element, id_, element.get("name", ""), parent, fraction, proximal, distal)


def _fraction(text: str) -> Decimal:
    fraction = Decimal(text)
    if not 0 <= fraction <= 1:
        raise ValueError(f"fractionAlong {text!r} is not between 0 and 1")
    return fraction


def _point(element: etree._Element) -> Point:
    get = element.get
    return _point_at(get("x", ""), get("y", ""), get("z", ""), get("diameter", ""))


@lru_cache(1024)  # a segment mostly starts where one shortly before it ended
def _point_at(x: str, y: str, z: str, diameter: str) -> Point:
    point = Decimal(x), Decimal(y), Decimal(z), Decimal(diameter)
    if not all(number.is_finite() and abs(number) < LARGEST_UM for number in point):
        raise ValueError(f"a point that is no place: {point}")
    return point


def _in_order(raws: list[_Raw], where: str) -> Segments:
    by_id = {raw.id: raw for raw in raws}
    if len(by_id) < len(raws):
        raise SourceError("two segments have one id", where=where)
    children: dict[int | None, list[_Raw]] = {}
    for raw in raws:
        if raw.parent is not None and raw.parent not in by_id:
            raise SourceError(
                f"segment {raw.id} has an unknown parent",
                where=f"{where}:{raw.element.sourceline}",
                found=str(raw.parent),
            )
        children.setdefault(raw.parent, []).append(raw)
    ordered = list(children.get(None, []))
    for raw in ordered:
        ordered.extend(children.get(raw.id, []))
    if len(ordered) < len(raws):
        raise SourceError("segments are their own ancestors", where=where)
    return _placed(ordered)


def _placed(ordered: list[_Raw]) -> Segments:
    row_of = {raw.id: row for row, raw in enumerate(ordered)}
    parents = [-1 if raw.parent is None else row_of[raw.parent] for raw in ordered]
    proximal: list[Point] = []
    children: list[list[int]] = [[] for _ in ordered]
    for row, (raw, parent) in enumerate(zip(ordered, parents, strict=True)):
        if parent >= 0:
            children[parent].append(row)
        if raw.proximal is not None:
            proximal.append(raw.proximal)
        elif parent >= 0:
            proximal.append(_along(proximal[parent], ordered[parent].distal, raw.fraction))
        else:
            proximal.append(raw.distal)
    return Segments(
        ids=[raw.id for raw in ordered],
        names=[raw.name for raw in ordered],
        parents=parents,
        fractions=[raw.fraction for raw in ordered],
        proximal=proximal,
        distal=[raw.distal for raw in ordered],
        row_of=row_of,
        children=children,
    )


def _along(start: Point, end: Point, fraction: Decimal) -> Point:
    if fraction == 1:
        return end
    x, y, z, d = (a + (b - a) * fraction for a, b in zip(start, end, strict=True))
    return x, y, z, d


class _Groups:
    """Resolves segment groups: members, other groups, paths and subtrees."""

    def __init__(
        self,
        segments: Segments,
        elements: list[etree._Element],
        account: Account,
        where: str,
    ) -> None:
        self._segments = segments
        self._account = account
        self._where = where
        self._elements: dict[str, list[etree._Element]] = {}
        for element in elements:
            self._elements.setdefault(element.get("id", ""), []).append(element)
        self._resolving: set[str] = set()

    def read(self) -> None:
        segments = self._segments
        for name, elements in self._elements.items():
            self._rows(name)
            lex_ids = {element.get("neuroLexId", "") for element in elements}
            for lex_id in lex_ids & KIND_IDS.keys():
                segments.kind_groups[name] = KIND_IDS[lex_id]
        for name, kind in _KIND_GROUPS.items():
            if name in segments.groups:
                segments.kind_groups.setdefault(name, kind)

    def _rows(self, name: str) -> list[int]:
        groups = self._segments.groups
        if name in groups:
            return groups[name]
        if name in self._resolving:
            self._account.problem(f"{self._where}: segment group {name!r} includes itself")
            return []
        self._resolving.add(name)
        rows: dict[int, None] = {}
        for element in self._elements[name]:
            self._account.take(element)
            for child in element:
                rows.update(dict.fromkeys(self._part(name, child)))
                if local_name(child) == "inhomogeneousParameter":
                    self._measure(child)
        self._resolving.discard(name)
        groups[name] = sorted(rows)
        return groups[name]

    def _measure(self, element: etree._Element) -> None:
        self._segments.measures[element.get("id", "")] = element
        for one in element.iter():
            self._account.take(one)

    def _part(self, name: str, child: etree._Element) -> list[int]:
        tag = local_name(child)
        rows: list[int] | None = []
        if tag == "member":
            row = self._row(child.get("segment"))
            rows = None if row is None else [row]
        elif tag == "include":
            other = child.get("segmentGroup") or ""
            rows = self._rows(other) if other in self._elements else None
        elif tag in ("path", "subTree"):
            rows = self._run(child, whole_tree=tag == "subTree")
        else:
            return []
        if rows is None:
            found = {str(name): str(value) for name, value in child.attrib.items()}
            self._account.problem(
                f"{self._where}:{child.sourceline}: segment group {name!r} refers to what the "
                f"morphology does not have: {tag} {found}"
            )
            return []
        self._account.take(child)
        return rows

    def _row(self, text: str | None) -> int | None:
        try:
            return self._segments.row_of.get(int(text or ""))
        except ValueError:
            return None

    def _run(self, element: etree._Element, *, whole_tree: bool) -> list[int] | None:
        ends: dict[str, int] = {}
        for child in element:
            row = self._row(child.get("segment"))
            if row is None:
                return None
            ends[local_name(child)] = row
            self._account.take(child)
        if "from" in ends and (whole_tree or "to" not in ends):
            return self._below(ends["from"])
        if "to" not in ends:
            return None
        return self._up(ends["to"], ends.get("from", -1))

    def _below(self, row: int) -> list[int]:
        rows = [row]
        for one in rows:
            rows.extend(self._segments.children[one])
        return rows

    def _up(self, row: int, stop: int) -> list[int]:
        rows = [row]
        while rows[-1] not in (stop, -1):
            rows.append(self._segments.parents[rows[-1]])
        return [one for one in rows if one >= 0]


def measure_text(element: etree._Element) -> str:
    """An inhomogeneous parameter: ``p: Path Length from root, distal normalizationEnd 1``."""
    ends = [
        f"{local_name(end)} {name!s} {value!s}"
        for end in element
        for name, value in sorted(end.attrib.items())
    ]
    about = f"{element.get('variable')}: {element.get('metric')}"
    return ", ".join([about, *sorted(ends)])


def segment_kinds(segments: Segments) -> tuple[list[str], str]:
    """soma, dendrite or axon for every segment, and what told them apart.

    Groups with an ontology id or NeuroML's usual names (``soma_group``) come first, then words in
    other group names, then words in segment names; else the root is the soma, the rest dendrite.

    Returns:
        A kind per row, and the weakest source that was needed: groups, names or topology.
    """
    kinds: list[str | None] = [None] * len(segments.ids)
    for name in sorted(segments.kind_groups):
        _paint(kinds, segments.groups[name], segments.kind_groups[name])
    source = "groups"
    if None in kinds:
        for name, rows in sorted(segments.groups.items(), key=lambda item: (len(item[1]), item[0])):
            kind = kind_of_name(name)
            if kind is not None and len(rows) < len(kinds):
                _paint(kinds, rows, kind)
    if None in kinds:
        source = _kinds_from_names(segments, kinds) or source
    if None in kinds:
        source = "topology"
        has_soma = "soma" in kinds
        for row, parent in enumerate(segments.parents):
            if kinds[row] is None:
                kinds[row] = _by_topology(kinds[parent] if parent >= 0 else None, has_soma)
    return [kind or "other" for kind in kinds], source


def _paint(kinds: list[str | None], rows: list[int], kind: str) -> None:
    for row in rows:
        if kinds[row] is None:
            kinds[row] = kind


def _kinds_from_names(segments: Segments, kinds: list[str | None]) -> str | None:
    used = None
    for row, name in enumerate(segments.names):
        if kinds[row] is None and (kind := kind_of_name(name)) is not None:
            kinds[row] = kind
            used = "names"
    return used


def _by_topology(parent_kind: str | None, has_soma: bool) -> str:
    if parent_kind is None:
        return "dendrite" if has_soma else "soma"
    return "dendrite" if parent_kind == "soma" else parent_kind


def kind_of_name(name: str) -> str | None:
    """What a group's or segment's name says it is: ``apical_dend[3]`` is a dendrite."""
    lower = name.lower()
    return next((kind for word, kind in _WORDS if word in lower), None)
