"""Networks from HDF5: tables go column by column into the model."""

from __future__ import annotations

import h5py
import numpy as np

from bnnkg.errors import SourceError
from bnnkg.ingest.annotations import PERSONAL_PROPERTIES
from bnnkg.ingest.documents import Document
from bnnkg.ingest.hdf5 import as_decimal, attribute, groups, networks_of, open_hdf5, table
from bnnkg.ingest.identity import path_part
from bnnkg.ingest.markup import Account
from bnnkg.ingest.networks import (
    PROJECTION_KINDS,
    Networks,
    add_inputs,
    add_population,
    add_projection,
    population_size,
    synapse_types,
)
from bnnkg.ingest.parsed import Annotations, NetworkHead
from bnnkg.ingest.rows import Bad, quantity_or_problem
from bnnkg.ingest.sites import References, Sites

Table = dict[str, np.ndarray]
_ROWS = {
    "chemical": "connection",
    "electrical": "electricalConnection",
    "continuous": "continuousConnection",
}


def read_networks(networks: Networks, document: Document) -> None:
    """Reads all networks of an HDF5 document.

    Raises:
        SourceError: The file is broken.
    """
    with open_hdf5(document.content or b"", document.path) as file:
        for group in networks_of(file):
            _Reader(networks, document, group).read()


class _Reader:
    def __init__(self, networks: Networks, document: Document, group: h5py.Group) -> None:
        self._networks = networks
        self._group = group
        self._account: Account = document.account
        self._file = document.path
        self._id = attribute(group, "id")
        base = f"{self._file}/{path_part(self._id or 'network')}"
        self._path = networks.unique_path("network", base)
        self._number = len(networks.heads)
        self._references = References({})

    def read(self) -> None:
        self._count("network")
        parts = list(groups(self._group))
        for name, group in parts:
            if name.startswith("population"):
                self._guarded("population", group)
        for name, group in parts:
            if name.startswith("projection"):
                self._guarded(attribute(group, "type") or "projection", group)
            elif name.startswith(("inputList", "input_list")):
                self._guarded("inputList", group)
        temperature = attribute(self._group, "temperature")
        self._networks.heads.append(
            NetworkHead(
                self._id,
                self._path,
                quantity_or_problem(temperature, "temperature", self._bad("network"))
                if temperature
                else None,
                annotations=Annotations(
                    notes=" ".join(attribute(self._group, "notes").split()) or None
                ),
            )
        )

    def _count(self, name: str) -> None:
        self._account.add_rows(name)
        self._account.take_rows(name)

    def _bad(self, what: str) -> Bad:
        return lambda text: self._account.problem(f"{self._file}: {what}: {text}")

    def _guarded(self, name: str, group: h5py.Group) -> None:
        """Reads one group; a table that cannot be read costs that group only."""
        self._account.add_rows(name)
        try:
            if name == "population":
                taken = self._population(group)
            elif name == "inputList":
                taken = self._input_list(group)
            else:
                taken = self._projection(group, PROJECTION_KINDS.get(name, ""))
        except SourceError as error:
            self._account.problem(" ".join(error.message().split()))
            return
        if taken:
            self._account.take_rows(name)

    def _table(self, group: h5py.Group) -> Table | None:
        return table(group, f"{self._file}/{group.name}")

    def _population(self, group: h5py.Group) -> bool:
        rows = self._table(group)
        tags = [
            (name.removeprefix("property:"), attribute(group, name))
            for name in sorted(group.attrs)
            if name.startswith("property:")
        ]
        if rows is None:
            n, xyz = population_size(attribute(group, "size")) or 0, None
        else:
            n = len(next(iter(rows.values())))
            zeros = np.zeros(n)
            xyz = np.stack([as_decimal(rows.get(axis, zeros)) for axis in "xyz"], axis=1)
            self._account.add_rows("instance", n)
            self._account.take_rows("instance", n)
        add_population(
            self._networks, self._references, self._number, self._path, attribute(group, "id"),
            self._networks.definitions.cell_named(self._file, attribute(group, "component")),
            [str(i) for i in range(n)], xyz,
            [tag for tag in tags if tag[0] not in PERSONAL_PROPERTIES], by_size=True,
        )  # fmt: skip
        return True

    def _projection(self, group: h5py.Group, kind: str) -> bool:
        id_ = attribute(group, "id")
        if not kind:
            self._bad(f"projection {id_!r}")(f"its type {attribute(group, 'type')!r} is unknown")
            return False
        rows = self._table(group) or {}
        n = len(next(iter(rows.values()), ()))
        self._account.add_rows(_ROWS[kind], n)
        pre = self._sites(rows, "pre_", attribute(group, "presynapticPopulation"), n)
        post = self._sites(rows, "post_", attribute(group, "postsynapticPopulation"), n)
        if pre is None or post is None:
            self._bad(f"projection {id_!r}")("its populations are not in the network")
            return False
        known = pre[1] & post[1]
        ids: tuple[str, ...] = (attribute(group, "synapse"),)
        if kind == "continuous":
            ids = (attribute(group, "preComponent"), attribute(group, "postComponent"))
        types = (synapse_types(self._networks.definitions, self._file, kind, ids),)
        weight = as_decimal(rows["weight"]) if "weight" in rows else np.ones(n)
        delay = as_decimal(rows["delay"]) if "delay" in rows else np.zeros(n)
        path = self._networks.unique_path("projection", f"{self._path}/{path_part(id_)}")
        columns = (
            np.flatnonzero(known), _only(pre[0], known), _only(post[0], known), weight[known],
            delay[known], np.zeros(int(known.sum()), np.int64),
        )  # fmt: skip
        good = add_projection(
            self._networks, self._references, self._number, kind, id_, path, columns, types
        )
        self._told(f"projection {id_!r}", _ROWS[kind], n, int(good.sum()))
        return True

    def _told(self, what: str, rows: str, n: int, n_loaded: int) -> None:
        self._account.take_rows(rows, n_loaded)
        if n_loaded < n:
            self._bad(what)(
                f"{n - n_loaded} of {n} rows name a cell, segment or fraction that is not there; "
                "not loaded"
            )

    def _sites(
        self, rows: Table, prefix: str, population: str, n: int, cell: str = "cell_id"
    ) -> tuple[Sites, np.ndarray] | None:
        """Sites of a table, and which of them are on neurons of the population."""
        found = self._references.populations.get(population)
        if found is None:
            return None
        neuron = rows.get(f"{prefix}{cell}", np.full(n, -1)).astype(np.int64)
        segment = rows.get(f"{prefix}segment_id", np.zeros(n)).astype(np.int64)
        fraction = as_decimal(rows.get(f"{prefix}fraction_along", np.full(n, 0.5)))
        sites = Sites(np.full(n, found.place, np.int64), neuron, segment, fraction)
        return sites, (neuron >= 0) & (neuron < found.size)

    def _input_list(self, group: h5py.Group) -> bool:
        id_ = attribute(group, "id")
        rows = self._table(group) or {}
        n = len(next(iter(rows.values()), ()))
        self._account.add_rows("input", n)
        renamed = {name.removeprefix("target_"): column for name, column in rows.items()}
        found = self._sites(renamed, "", attribute(group, "population"), n)
        if found is None:
            self._bad(f"inputList {id_!r}")("its population is not in the network")
            return False
        sites, known = found
        model = self._networks.definitions.input_named(self._file, attribute(group, "component"))
        weight = as_decimal(rows["weight"]) if "weight" in rows else np.ones(n)
        path = self._networks.unique_path("input", f"{self._path}/{path_part(id_)}")
        good = add_inputs(
            self._networks, self._references, model, path, np.flatnonzero(known),
            _only(sites, known), weight[known],
        )  # fmt: skip
        self._told(f"inputList {id_!r}", "input", n, int(good.sum()))
        return True


def _only(sites: Sites, good: np.ndarray) -> Sites:
    return Sites(
        sites.population[good], sites.neuron[good], sites.segment[good], sites.fraction[good]
    )
