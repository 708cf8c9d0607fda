"""What the mechanisms of a run are in the graph, and what their numbers mean there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bnnkg.ingest.identity import path_part, shared_uid, unresolved_uid
from bnnkg.ingest.neuron.builtin_mechanisms import builtin_mod
from bnnkg.ingest.neuron.header import CapturedMechanism, Header
from bnnkg.ingest.neuron.mod_units import canonical_quantity
from bnnkg.ingest.neuron.mods import ModReading, ReadMod
from bnnkg.ingest.neuron.rounding import texts
from bnnkg.ingest.parsed import (
    DefinedLabel,
    Definition,
    Floats,
    Mechanism,
    Parameters,
    SynapseModel,
)
from bnnkg.kinetics import ModFile


@dataclass(frozen=True)
class Quantity:
    """A parameter of a mechanism.

    Attributes:
        name: As its file has it, with the place in square brackets for one of an array.
        unit: Canonical; empty for pure numbers and where nothing tells it.
        factor: From the number in NEURON to that unit.
    """

    name: str
    unit: str
    factor: float


@dataclass(frozen=True)
class Resolved:
    """A mechanism of a run.

    Attributes:
        captured: As NEURON knew it.
        read: Its file, or what stands for one where NEURON brings it; absent where it is unknown.
        uid: Its node.
        ranges: The columns of its values.
        shared: Parameters that all its instances share, in canonical units.
        globals_: Those of them that the run changed.
    """

    captured: CapturedMechanism
    read: ReadMod | None
    uid: str
    ranges: tuple[Quantity, ...]
    shared: Mapping[Quantity, float]
    globals_: tuple[tuple[Quantity, float], ...]

    @property
    def name(self) -> str:
        """Its name in NEURON."""
        return self.captured.name

    @property
    def mod(self) -> ModFile | None:
        """What its file says."""
        return None if self.read is None else self.read.mod

    def factors(self) -> Floats:
        """(k,) from its columns to canonical units."""
        return np.array([quantity.factor for quantity in self.ranges])

    def parameters(self, values: Sequence[float]) -> Parameters:
        """The parameters of an instance: those of its row that are numbers, changed globals too."""
        found = {one.name: (value, one.unit) for one, value in self._known(values)}
        names = tuple(sorted(found))
        return Parameters(
            names, tuple(found[n][0] for n in names), tuple(found[n][1] for n in names)
        )

    def in_own_units(self, values: Sequence[float]) -> dict[str, float]:
        """The same by name, as the file counts them."""
        return {one.name: value / one.factor for one, value in self._known(values)}

    def _known(self, values: Sequence[float]) -> Iterator[tuple[Quantity, float]]:
        for one, value in [*zip(self.ranges, values, strict=True), *self.globals_]:
            if not math.isnan(value):
                yield one, value


@dataclass
class Mechanisms:
    """The mechanisms of all runs of a source, and the nodes that they need.

    What the source's own files define is theirs to bring; what NEURON brings, what nothing
    defines, and models of synapses with other parameters than their file's come from here.
    """

    mods: ModReading
    model_key: str
    mechanisms: dict[str, Mechanism] = field(default_factory=dict)
    synapses: dict[str, SynapseModel] = field(default_factory=dict)
    definitions: dict[tuple[str, str], Definition] = field(default_factory=dict)

    def resolve(self, header: Header) -> dict[str, Resolved]:
        """The mechanisms of one run, by name."""
        return {name: self._one(one) for name, one in header.mechanisms.items()}

    def dynamics(self, one: Resolved) -> str:
        """The uid of the Mechanism that a density or an artificial cell is."""
        if one.read is None:
            self.mechanisms.setdefault(one.uid, Mechanism(one.uid, "unresolved", "unresolved"))
            self._define("Mechanism", one.uid, one.name, f"unresolved/{path_part(one.name)}")
            return one.uid
        if one.read.path and one.read.label == "Mechanism":
            return one.uid
        model = one.read.mechanism()
        if model.uid not in self.mechanisms:
            self.mechanisms[model.uid] = model
            self._define("Mechanism", model.uid, one.name, _path(one))
        return model.uid

    def synapse(self, one: Resolved, values: Sequence[float]) -> str:
        """The uid of the model of a synapse with the parameters of an instance."""
        model = self._synapse(one, values)
        by_the_file = one.read is not None and model.uid == one.read.uid and one.read.path
        if not by_the_file and model.uid not in self.synapses:
            self.synapses[model.uid] = model
            self._define("SynapseType", model.uid, one.name, f"{_path(one)}#{model.uid[1:9]}")
        return model.uid

    def _synapse(self, one: Resolved, values: Sequence[float]) -> SynapseModel:
        if one.read is not None:
            return one.read.synapse(one.in_own_units(values))
        own = one.parameters(values)
        content = ["unresolved", one.uid, own.names, texts(own.values), own.units]
        return SynapseModel(shared_uid("SynapseType", content), "unresolved", parameters=own)

    def _one(self, captured: CapturedMechanism) -> Resolved:
        read = builtin_mod(captured.name) if captured.mod is None else self.mods.at(captured.mod)
        suffix = f"_{captured.name}"
        if read is None:
            uid = unresolved_uid("Mechanism", self.model_key, captured.name)
            return Resolved(captured, None, uid, tuple(_columns(captured, suffix, {})), {}, ())
        known = _quantities(read.mod)
        ranges = tuple(_columns(captured, suffix, known))
        shared, changed = _shared(captured, suffix, read.mod, known)
        return Resolved(captured, read, read.uid, ranges, shared, changed)

    def _define(self, label: DefinedLabel, uid: str, id_: str, path: str) -> None:
        self.definitions.setdefault((label, path), Definition(label, uid, id_, path))


def _path(one: Resolved) -> str:
    if one.read is None:
        return f"unresolved/{path_part(one.name)}"
    return one.read.path or f"NEURON/{one.name}"


def _quantities(mod: ModFile) -> dict[str, Quantity]:
    """Parameters of a file by name."""
    found = {}
    for one in mod.parameters:
        factor, unit = canonical_quantity(1.0, one.unit)
        found[one.name] = Quantity(one.name, unit, factor)
    return found


def _columns(
    captured: CapturedMechanism, suffix: str, known: Mapping[str, Quantity]
) -> list[Quantity]:
    columns = []
    for full, size in captured.range_names:
        name = full.removesuffix(suffix)
        one = known.get(name, Quantity(name, "", 1.0))
        if size == 1:
            columns.append(one)
        else:
            columns += [replace(one, name=f"{name}[{i}]") for i in range(size)]
    return columns


def _shared(
    captured: CapturedMechanism, suffix: str, mod: ModFile, known: Mapping[str, Quantity]
) -> tuple[dict[Quantity, float], tuple[tuple[Quantity, float], ...]]:
    """Parameters that are no range quantities: their values, and those that are not the file's."""
    in_run = {
        full.removesuffix(suffix): values[0]
        for full, values in captured.global_values.items()
        if len(values) == 1 and not math.isnan(values[0])
    }
    shared, changed = {}, []
    for one in sorted(mod.parameters, key=lambda parameter: parameter.name):
        if one.value is None or one.name in mod.range_names:
            continue
        value = in_run.get(one.name, one.value)
        quantity = known[one.name]
        shared[quantity] = canonical_quantity(value, one.unit)[0]
        if f"{value:.9g}" != f"{one.value:.9g}":
            changed.append((quantity, shared[quantity]))
    return shared, tuple(changed)
