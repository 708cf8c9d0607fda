"""Networks from XML: rows go straight from the elements into columns."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from lxml import etree

from bnnkg.ingest.annotations import annotations_of, drop_if_personal
from bnnkg.ingest.definitions import leftover
from bnnkg.ingest.identity import path_part
from bnnkg.ingest.layouts import read_layout
from bnnkg.ingest.library import Entry
from bnnkg.ingest.markup import Account, local_name
from bnnkg.ingest.networks import (
    PROJECTION_KINDS,
    Networks,
    add_inputs,
    add_population,
    add_projection,
    synapse_types,
)
from bnnkg.ingest.parsed import NetworkHead
from bnnkg.ingest.rows import (
    Bad,
    ConnectionColumns,
    InputColumns,
    finite_number,
    quantity_or_problem,
)
from bnnkg.ingest.sites import References

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
            self._loose_connections(connections)
        if "explicitInput" in loose:
            self._explicit_inputs(loose["explicitInput"])

    # ------------------------------------------------------------------ populations

    def _population(self, element: etree._Element) -> None:
        instances = []
        tags: list[tuple[str, str]] = []
        for child in element:
            name = local_name(child)
            if name == "instance":
                instances.append(child)
            elif name == "property" and not drop_if_personal(child, self._account):
                self._account.take(child)
                tags.append((child.get("tag", ""), child.get("value", "")))
        self._account.take(element)
        layout = None
        xyz: np.ndarray | None
        if instances:
            ids, xyz = self._instances(instances)
        else:
            bad = self._bad(f"population {element.get('id')!r}")
            layout = read_layout(element, self._account, bad)
            ids, xyz = [str(i) for i in range(layout.size)], layout.xyz_um
        add_population(
            self._networks, self._references, self._number, self._path, element.get("id", ""),
            self._definitions.cell_named(self._file, (element.get("component") or "").strip()),
            ids, xyz, tags, by_size=not instances, layout=layout,
        )  # fmt: skip

    def _instances(self, elements: list[etree._Element]) -> tuple[list[str], np.ndarray]:
        xyz = np.zeros((len(elements), 3))
        ids = []
        for row, element in enumerate(elements):
            ids.append(element.get("id") or str(row))
            for child in element:
                if local_name(child) == "location":
                    values = [finite_number(child.get(axis)) for axis in "xyz"]
                    if None in values:
                        self._bad(f"instance {ids[-1]}")("its location holds no numbers")
                    else:
                        xyz[row] = values
                        self._account.take_rows("location")
        self._account.take_rows("instance", len(elements))
        return ids, xyz

    # ------------------------------------------------------------------ connections

    def _projection(self, element: etree._Element, kind: str) -> None:
        what, id_ = local_name(element), element.get("id", "")
        pre, post = element.get("presynapticPopulation"), element.get("postsynapticPopulation")
        known = self._known(pre, f"{what} {id_!r}") & self._known(post, f"{what} {id_!r}")
        rows = [child for child in element if "onnection" in local_name(child)]
        synapse = (element.get("synapse") or "").strip()
        n_loaded = self._connections(rows, kind, id_, pre, post, synapse, what)
        if known or n_loaded:
            self._account.take(element)

    def _known(self, population: str | None, what: str) -> bool:
        """Whether a population is in the network; where it is not, rows may still say theirs."""
        known = population in self._references.populations
        if not known:
            self._account.notes.append(f"{what}: its population {population!r} is nowhere")
        return known

    def _loose_connections(self, elements: list[etree._Element]) -> None:
        self._connections(elements, "chemical", None, None, None, "", "synapticConnection")

    def _connections(
        self,
        rows: list[etree._Element],
        kind: str,
        id_: str | None,
        pre: str | None,
        post: str | None,
        synapse: str,
        what: str,
    ) -> int:
        """Adds the connections of one projection; returns how many."""
        columns = ConnectionColumns(self._references, pre, post, synapse)
        told = f"{what} {id_ or ''}"
        self._add_rows(columns, enumerate(rows), told)
        types = tuple(
            synapse_types(self._definitions, self._file, kind, used) for used in columns.types
        )
        path = self._networks.unique_path(
            "projection", f"{self._path}/{path_part(id_ if id_ is not None else what)}"
        )
        good = add_projection(
            self._networks, self._references, self._number, kind, id_, path, columns.arrays(),
            types,
        )  # fmt: skip
        return self._count_rows([rows[place] for place in columns.places], good, told)

    def _add_rows(
        self,
        columns: ConnectionColumns | InputColumns,
        rows: Iterable[tuple[int, etree._Element]],
        what: str,
    ) -> None:
        for place, row in rows:
            reason = columns.add(place, row)
            if reason:
                self._bad(f"{what}, line {row.sourceline}")(f"{reason}; not loaded")

    def _count_rows(self, rows: list[etree._Element], good: np.ndarray, what: str) -> int:
        for row, is_good in zip(rows, good.tolist(), strict=True):
            if is_good:
                self._account.take_rows(local_name(row))
            else:
                self._bad(f"{what}, line {row.sourceline}")(
                    f"its segment or fraction is not on the cell: {_written(row)}; not loaded"
                )
        return int(good.sum())

    # ------------------------------------------------------------------ inputs

    def _input_list(self, element: etree._Element) -> None:
        id_ = element.get("id", "")
        population = element.get("population")
        known = self._known(population, f"inputList {id_!r}")
        rows = [child for child in element if local_name(child) in ("input", "inputW")]
        component = (element.get("component") or "").strip()
        n_loaded = self._inputs(rows, id_, population, [component] * len(rows))
        if known or n_loaded:
            self._account.take(element)

    def _explicit_inputs(self, elements: list[etree._Element]) -> None:
        components = [(e.get("input") or "").strip() for e in elements]
        self._inputs(elements, None, None, components)

    def _inputs(
        self,
        rows: list[etree._Element],
        id_: str | None,
        population: str | None,
        components: list[str],
    ) -> int:
        """Adds the inputs of one list; returns how many."""
        path = self._networks.unique_path(
            "input", f"{self._path}/{path_part(id_ if id_ is not None else 'explicitInput')}"
        )
        by_component: dict[str, list[int]] = {}
        for place, component in enumerate(components):
            by_component.setdefault(component, []).append(place)
        n_loaded = 0
        for component, places in by_component.items():
            columns = InputColumns(self._references, population)
            told = f"input {id_ or ''}"
            self._add_rows(columns, ((place, rows[place]) for place in places), told)
            model = self._definitions.input_named(self._file, component)
            good = add_inputs(self._networks, self._references, model, path, *columns.arrays())
            n_loaded += self._count_rows([rows[place] for place in columns.places], good, told)
        return n_loaded


def _written(row: etree._Element) -> str:
    """The attributes of a row as they are in the file."""
    return " ".join(f'{name!s}="{value!s}"' for name, value in row.attrib.items())
