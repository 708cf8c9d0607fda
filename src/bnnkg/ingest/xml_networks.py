"""Networks from XML: rows go straight from the elements into columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from lxml import etree

from bnnkg.ingest.annotations import annotations_of, drop_if_personal
from bnnkg.ingest.arrays import is_same, narrow, only, same
from bnnkg.ingest.definitions import leftover
from bnnkg.ingest.identity import path_part
from bnnkg.ingest.layouts import read_layout
from bnnkg.ingest.library import Entry
from bnnkg.ingest.markup import MAX_PROBLEMS, Account, local_name
from bnnkg.ingest.networks import (
    PROJECTION_KINDS,
    Networks,
    add_inputs,
    add_population,
    add_projection,
    synapse_types,
)
from bnnkg.ingest.parsed import NetworkHead
from bnnkg.ingest.row_collector import INPUTS, Builder, new_builder
from bnnkg.ingest.rows import (
    POST,
    PRE,
    TARGET,
    Bad,
    InstanceBuilder,
    RowBuilder,
    Rows,
    quantity_or_problem,
)
from bnnkg.ingest.sites import References, Sites, keep_sites

_PARTS = frozenset({"space", "region", "cellSet", "extracellularProperties"})


class NetworkReader:
    """Reads one ``network`` element.

    Args:
        networks: Where it goes.
        entry: Its element.
    """

    def __init__(self, networks: Networks, entry: Entry) -> None:
        self._networks = networks
        self._definitions = networks.definitions
        self._account: Account = entry.document.account
        self._file = entry.document.path
        self._entry = entry
        self._element = entry.element
        self._streamed = entry.document.rows
        base = f"{self._file}/{path_part(entry.id or 'network')}"
        self._path = networks.unique_path("network", base)
        self._number = len(networks.heads)
        self._references = References({})

    def read(self) -> None:
        """Reads populations, then what refers to them."""
        self._account.take(self._element)
        later = []
        for child in self._element:
            name = local_name(child)
            if name == "population":
                self._population(child)
            elif name:
                later.append((name, child))
        self._contents(later)
        self._networks.heads.append(
            NetworkHead(
                id=self._element.get("id", ""),
                path=self._path,
                temperature_degC=self._temperature(),
                annotations=annotations_of(self._element, self._account),
                parameters=self._definitions.parameters_of(
                    self._entry, [c for c in self._element if local_name(c) in _PARTS]
                ),
                raw=self._network_raw(),
            )
        )

    def _network_raw(self) -> str | None:
        return leftover(self._element, self._account)

    def _temperature(self) -> float | None:
        text = self._element.get("temperature")
        return (
            None if text is None else quantity_or_problem(text, "temperature", self._bad("network"))
        )

    def _bad(self, what: str) -> Bad:
        return lambda text: self._account.problem(f"{self._file}: {what}: {text}")

    def _contents(self, children: list[tuple[str, etree._Element]]) -> None:
        loose: dict[str, list[etree._Element]] = {}
        for name, child in children:
            if name in PROJECTION_KINDS:
                self._projection(child, PROJECTION_KINDS[name])
            elif name == "inputList":
                self._input_list(child)
            elif name in ("synapticConnection", "synapticConnectionWD", "explicitInput"):
                loose.setdefault(name, []).append(child)
        connections = [e for name in sorted(loose) if name != "explicitInput" for e in loose[name]]
        if connections:
            rows = self._built(RowBuilder(self._streamed.texts, (PRE, POST)), connections)
            self._connections(rows, "chemical", None, (None, None), "synapticConnection")
        if "explicitInput" in loose:
            rows = self._built(RowBuilder(self._streamed.texts, (TARGET,)), loose["explicitInput"])
            self._inputs(rows, None, None)

    def _rows_of(self, element: etree._Element, is_row: Callable[[str], bool]) -> Rows:
        """Rows of a list: those taken from it while it was read, and those still in it."""
        builder = self._streamed.rows_of(element) or new_builder(element, self._streamed.texts)
        return self._built(builder, [child for child in element if is_row(local_name(child))])

    @staticmethod
    def _built(builder: Builder, elements: Iterable[etree._Element]) -> Rows:
        assert isinstance(builder, RowBuilder)
        for element in elements:
            builder.add(element)
        return builder.finish()

    # ------------------------------------------------------------------ populations

    def _population(self, element: etree._Element) -> None:
        found = self._streamed.rows_of(element)
        instances = found if isinstance(found, InstanceBuilder) else InstanceBuilder()
        tags: list[tuple[str, str]] = []
        for child in element:
            name = local_name(child)
            if name == "instance":
                instances.add(child)
            elif name == "property" and not drop_if_personal(child, self._account):
                self._account.take(child)
                tags.append((child.get("tag", ""), child.get("value", "")))
        self._account.take(element)
        layout = None
        xyz: np.ndarray | None
        if instances.ids:
            ids, xyz = instances.ids, instances.xyz_um()
            self._count_instances(instances)
        else:
            bad = self._bad(f"population {element.get('id')!r}")
            layout = read_layout(element, self._account, bad)
            ids, xyz = [str(i) for i in range(layout.size)], layout.xyz_um
        add_population(
            self._networks, self._references, self._number, self._path, element.get("id", ""),
            self._definitions.cell_named(self._file, (element.get("component") or "").strip()),
            ids, xyz, tags, by_size=not instances.ids, layout=layout,
        )  # fmt: skip

    def _count_instances(self, instances: InstanceBuilder) -> None:
        self._account.take_rows("instance", len(instances.ids))
        self._account.take_rows("location", instances.n_locations)
        for id_ in instances.faults:
            self._bad(f"instance {id_}")("its location holds no numbers")

    # ------------------------------------------------------------------ connections

    def _projection(self, element: etree._Element, kind: str) -> None:
        what, id_ = local_name(element), element.get("id", "")
        ends = (element.get("presynapticPopulation"), element.get("postsynapticPopulation"))
        pre_known, post_known = (self._known(end, f"{what} {id_!r}") for end in ends)
        rows = self._rows_of(element, lambda name: "onnection" in name)
        n_loaded = self._connections(rows, kind, id_, ends, what)
        if (pre_known and post_known) or n_loaded:
            self._account.take(element)

    def _known(self, population: str | None, what: str) -> bool:
        """Whether a population is in the network; where it is not, rows may still say theirs."""
        known = population in self._references.populations
        if not known:
            self._account.notes.append(f"{what}: its population {population!r} is nowhere")
        return known

    def _connections(
        self,
        rows: Rows,
        kind: str,
        id_: str | None,
        ends: tuple[str | None, str | None],
        what: str,
    ) -> int:
        """Adds the connections of one projection; returns how many."""
        told = f"{what} {id_ or ''}"
        path = self._networks.unique_path(
            "projection", f"{self._path}/{path_part(id_ if id_ is not None else what)}"
        )
        places, (pre, post) = self._resolved(rows, ends, told)
        used, type_of = _used(rows.type_of, places)
        types = tuple(
            synapse_types(self._definitions, self._file, kind, rows.types[k]) for k in used
        )
        columns = (
            places, pre, post, _at(rows.weight, places), _at(rows.delay_ms, places), type_of,
        )  # fmt: skip
        good = add_projection(
            self._networks, self._references, self._number, kind, id_, path, columns, types
        )
        return self._count_rows(rows, places, good, told)

    def _resolved(
        self, rows: Rows, populations: Sequence[str | None], what: str
    ) -> tuple[np.ndarray, list[Sites]]:
        """Places of the rows that can be read and refer to something, and their sites."""
        found = [
            self._references.resolve_all(rows.texts, side.cell, population)
            for side, population in zip(rows.sides, populations, strict=True)
        ]
        good = np.ones(len(rows), bool)
        for _, neuron in found:
            good &= neuron >= 0
        for faults in (*(side.faults for side in rows.sides), rows.faults):
            good[list(faults)] = False
        for row in np.flatnonzero(~good)[:MAX_PROBLEMS].tolist():
            resolved = [bool(neuron[row] >= 0) for _, neuron in found]
            self._bad(f"{what}, line {rows.line[row]}")(f"{rows.reason(row, resolved)}; not loaded")
        places = narrow(np.flatnonzero(good))
        sites = [
            Sites(
                _at(population, places), _at(neuron, places), _at(side.segment, places),
                _at(side.fraction, places),
            )
            for (population, neuron), side in zip(found, rows.sides, strict=True)
        ]  # fmt: skip
        return places, sites

    def _count_rows(self, rows: Rows, places: np.ndarray, good: np.ndarray, what: str) -> int:
        for name, n_rows in rows.n_by_name(only(places, good)).items():
            self._account.take_rows(name, n_rows)
        for row in places[~good][:MAX_PROBLEMS].tolist():
            self._bad(f"{what}, line {rows.line[row]}")(
                f"its segment or fraction is not on the cell: {rows.where(row)}; not loaded"
            )
        return int(good.sum())

    # ------------------------------------------------------------------ inputs

    def _input_list(self, element: etree._Element) -> None:
        id_ = element.get("id", "")
        population = element.get("population")
        known = self._known(population, f"inputList {id_!r}")
        rows = self._rows_of(element, INPUTS.__contains__)
        n_loaded = self._inputs(rows, id_, population)
        if known or n_loaded:
            self._account.take(element)

    def _inputs(self, rows: Rows, id_: str | None, population: str | None) -> int:
        """Adds the inputs of one list; returns how many."""
        path = self._networks.unique_path(
            "input", f"{self._path}/{path_part(id_ if id_ is not None else 'explicitInput')}"
        )
        told = f"input {id_ or ''}"
        places, (target,) = self._resolved(rows, (population,), told)
        type_of = _at(rows.type_of, places)
        n_loaded = 0
        for k, (component,) in enumerate(rows.types):
            mine = type_of == k
            model = self._definitions.input_named(self._file, component)
            good = add_inputs(
                self._networks, self._references, model, path, only(places, mine),
                keep_sites(target, mine), only(_at(rows.weight, places), mine),
            )  # fmt: skip
            n_loaded += self._count_rows(rows, only(places, mine), good, told)
        return n_loaded


def _at(column: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Values of a column at some places, which ascend."""
    if len(places) == len(column):
        return column
    return same(column[0], len(places)) if is_same(column) else narrow(column[places])


def _used(type_of: np.ndarray, places: np.ndarray) -> tuple[list[int], np.ndarray]:
    """Types of the rows at some places, in the order of their first use, and the type of each."""
    codes = _at(type_of, places)
    if not len(codes) or is_same(codes):
        return [int(code) for code in codes[:1]], same(0, len(codes))
    distinct, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return [int(code) for code in distinct[order]], narrow(rank[inverse])
