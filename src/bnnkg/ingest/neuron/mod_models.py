"""What a .mod file becomes: a Mechanism, or the model of a synapse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from bnnkg.ingest.identity import shared_uid
from bnnkg.ingest.mechanisms import EXCITATION_THRESHOLD_MV
from bnnkg.ingest.neuron.mod_currents import (
    Currents,
    Drive,
    current_names,
    used_names,
)
from bnnkg.ingest.neuron.mod_events import names_at_events, short_term_plasticity
from bnnkg.ingest.neuron.mod_units import canonical_quantity
from bnnkg.ingest.neuron.similarity import statement_hashes
from bnnkg.ingest.parsed import (
    DefinedLabel,
    GateKinetics,
    Mechanism,
    Nmodl,
    Parameters,
    SynapseModel,
)
from bnnkg.kinetics import Declared, Gate, Kinetics, ModFile, evaluate_kinetics
from bnnkg.kinetics.arithmetic import Unknown, Value
from bnnkg.kinetics.interpreter import Machine
from bnnkg.kinetics.syntax import Element, Expression, Name
from bnnkg.schema.units import round_decimal

CLASSES = {"density": "SUFFIX", "point": "POINT_PROCESS", "artificial": "ARTIFICIAL_CELL"}
SET_BY_NEURON = frozenset({"v", "t", "dt", "celsius", "area", "diam"})
"""Variables whose value is the simulation's, whatever a file declares."""

_RISE_AND_DECAY = (
    ("tau_rise", "tau_decay"), ("taurise", "taudecay"), ("trise", "tdecay"), ("tau_r", "tau_d"),
    ("taur", "taud"), ("tau1", "tau2"),
)  # fmt: skip
_DECAY = ("tau_decay", "taudecay", "tau_syn", "tausyn", "tau")
_MAXIMUM = ("gmax", "gbar", "gsyn", "g")


def label_of(mod: ModFile) -> DefinedLabel:
    """SynapseType for a point process that events or another place make pass a current."""
    if mod.kind != "point" or not current_names(mod):
        return "Mechanism"
    driven = mod.net_receive is not None or _follows_a_pointer(mod) or _bridges_a_gap(mod)
    return "SynapseType" if driven else "Mechanism"


def _follows_a_pointer(mod: ModFile) -> bool:
    """Whether a pointer is in its equations; some only hold the place of a C structure."""
    return not set(mod.pointers).isdisjoint(used_names(mod))


def _bridges_a_gap(mod: ModFile) -> bool:
    drives = Currents(mod).drives(current_names(mod)) or ()
    return any(_is_other_side(one.reversal) for one in drives)


def _is_other_side(reversal: Expression | None) -> bool:
    """Whether a current reverses at what is named as the other side of a gap junction."""
    return isinstance(reversal, Name) and "gap" in reversal.name.lower()


def content_uid(mod: ModFile, label: DefinedLabel) -> str:
    """Uid of what a file defines: its kind and its canonical statements."""
    return shared_uid(label, ["NMODL", mod.kind, mod.statements])


def with_values(
    mod: ModFile, label: DefinedLabel, uid: str, values: Mapping[str, float]
) -> tuple[ModFile, str]:
    """A file with the values that an instance has for its parameters, and the identity of that.

    Values that are the file's own, at nine significant digits, do not count, nor do those that the
    simulation sets: an instance without others is the file's model itself.

    Args:
        mod: The file.
        label: What it is a model of.
        uid: Its identity.
        values: By name, in the units of the file; other names are left out.
    """
    changed = {
        one.name: values[one.name]
        for one in _own(mod)
        if one.name in values and not _equal(values[one.name], one.value or 0.0)
    }
    if not changed:
        return mod, uid
    declared = tuple(
        replace(one, value=changed[one.name]) if one.name in changed else one
        for one in mod.parameters
    )
    content = sorted((name, f"{value:.9g}") for name, value in changed.items())
    return replace(mod, parameters=declared), shared_uid(label, [uid, content])


def _equal(one: float, other: float) -> bool:
    return f"{one:.9g}" == f"{other:.9g}"


def mechanism(mod: ModFile, uid: str) -> Mechanism:
    """A file as a Mechanism.

    Its gates are in the order of their names, whatever the order in the file. A gate of which the
    current takes no power has the exponent 0.

    Args:
        mod: The file.
        uid: Its identity.
    """
    kind = _kind(mod)
    kinetics = evaluate_kinetics(mod) if kind == "channel" and mod.states else None
    gates = sorted(kinetics.gates, key=lambda gate: gate.name) if kinetics else []
    return Mechanism(
        uid=uid,
        mechanism_class=CLASSES[mod.kind],
        kind=kind,
        ion=_ion(mod, kind),
        is_passive=_is_passive(mod) if kind == "channel" else None,
        gate_names=tuple(gate.name for gate in gates),
        gate_instances=tuple(gate.exponent or 0 for gate in gates),
        parameters=parameters(mod),
        kinetics=_gate_kinetics(kinetics, gates) if kinetics else None,
        nmodl=declarations(mod),
    )


def synapse(mod: ModFile, uid: str) -> SynapseModel:
    """A point process as the model of a synapse, its sign by its reversal against -55 mV.

    Args:
        mod: The file.
        uid: Its identity.
    """
    return SynapseForm(mod).model(mod, uid)


class SynapseForm:
    """What the models of a point process share, whatever values an instance has.

    A network can have a million instances with values of their own: what the equations tell is
    read once.

    Args:
        mod: The file.
    """

    def __init__(self, mod: ModFile) -> None:
        self._drives = _synaptic_drives(mod)
        self._block = _block(mod, self._drives)
        self._nmodl = declarations(mod)
        self._at_events = names_at_events(mod)
        self._plasticity: dict[tuple[float | None, ...], str | None] = {}

    def model(self, mod: ModFile, uid: str) -> SynapseModel:
        """The model with the values that a file, or an instance of it, has for its parameters."""
        own = parameters(mod)
        erev = _reversal_mV(mod, self._drives)
        rise, decay = _time_constants_ms(own)
        return SynapseModel(
            uid=uid,
            synapse_class=CLASSES[mod.kind],
            gbase_nS=_conductance_nS(own),
            erev_mV=erev,
            tau_rise_ms=rise,
            tau_decay_ms=decay,
            sign=None if erev is None else 1 if erev > EXCITATION_THRESHOLD_MV else -1,
            short_term_plasticity=self._plasticity_of(mod),
            block=self._block,
            parameters=own,
            nmodl=self._nmodl,
        )

    def _plasticity_of(self, mod: ModFile) -> str | None:
        key = tuple(one.value for one in mod.parameters if one.name in self._at_events)
        if key not in self._plasticity:
            self._plasticity[key] = short_term_plasticity(mod)
        return self._plasticity[key]


# ---------------------------------------------------------------------- declarations


def parameters(mod: ModFile) -> Parameters:
    """Its parameters with the values of the file, without those that the simulation sets."""
    found = {
        one.name: canonical_quantity(one.value, one.unit)
        for one in _own(mod)
        if one.value is not None
    }
    names = tuple(sorted(found))
    return Parameters(names, tuple(found[n][0] for n in names), tuple(found[n][1] for n in names))


def declarations(mod: ModFile) -> Nmodl:
    """What its text declares, each list in the order of the names."""
    currents = current_names(mod)
    return Nmodl(
        range_names=_sorted(mod.range_names),
        global_names=_sorted(mod.global_names),
        state_names=_sorted(state.name for state in mod.states),
        pointer_names=_sorted(mod.pointers),
        ions_read=_sorted(ion.name for ion in mod.ions if ion.reads),
        ions_written=_sorted(ion.name for ion in mod.ions if ion.writes),
        is_conductance_based=Currents(mod).drives(currents) is not None if currents else None,
        has_verbatim=bool(mod.verbatim),
        statement_hashes=statement_hashes(mod.statements),
    )


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _own(mod: ModFile) -> Iterator[Declared]:
    """Parameters whose value is the file's to give."""
    of_ions = {name for ion in mod.ions for name in (*ion.reads, *ion.writes)}
    return (one for one in mod.parameters if one.name not in SET_BY_NEURON | of_ions)


# ---------------------------------------------------------------------- mechanisms


def _concentrations(mod: ModFile) -> tuple[str, ...]:
    """The ions whose concentration it sets."""
    return tuple(ion.name for ion in mod.ions if {f"{ion.name}i", f"{ion.name}o"} & set(ion.writes))


def _kind(mod: ModFile) -> str:
    if mod.kind != "density":
        return "point"
    if _concentrations(mod):
        return "concentration"
    return "channel" if current_names(mod) else "other"


def _ion(mod: ModFile, kind: str) -> str | None:
    """The ion that it carries or counts; absent where there is none, or more than one."""
    carried = [ion.name for ion in mod.ions if f"i{ion.name}" in ion.writes]
    found = set(_concentrations(mod) if kind == "concentration" else carried)
    return found.pop() if len(found) == 1 else None


def _is_passive(mod: ModFile) -> bool:
    """Whether its current is a driving force times what nothing changes while it runs."""
    currents = Currents(mod)
    drives = currents.drives(current_names(mod))
    if drives is None or mod.states:
        return False
    changing = {"v", "t", *mod.pointers, *(name for ion in mod.ions for name in ion.reads)}
    factors = (factor for drive in drives for factor in drive.conductance)
    names = {
        inner.name
        for factor in factors
        for inner in currents.behind(factor)
        if isinstance(inner, Name | Element)
    }
    return not names & changing


def _gate_kinetics(kinetics: Kinetics, gates: Sequence[Gate]) -> GateKinetics:
    return GateKinetics(
        temperature_degC=kinetics.temperature_degC,
        v_half_mV=tuple(gate.v_half_mV for gate in gates),
        slope_mV=tuple(gate.slope_mV for gate in gates),
        tau_max_ms=tuple(gate.tau_max_ms for gate in gates),
        tau_max_at_mV=tuple(gate.tau_max_at_mV for gate in gates),
        steady_states=tuple(float(x) for gate in gates for x in gate.steady_state),
        taus_ms=tuple(float(x) for gate in gates for x in gate.tau_ms),
        note=kinetics.note,
    )


# ---------------------------------------------------------------------- synapses


def _synaptic_drives(mod: ModFile) -> tuple[Drive, ...] | None:
    """What the current is made of; where some of it is carried by ions too, only the rest."""
    currents = Currents(mod)
    return currents.drives(mod.nonspecific_currents) or currents.drives(current_names(mod))


def _reversal_mV(mod: ModFile, drives: tuple[Drive, ...] | None) -> float | None:
    """Where all of the current vanishes, with the parameters of the file."""
    values: dict[str, Value] = {
        one.name: np.float64(one.value)
        for one in (*_own(mod), *mod.constants)
        if one.value is not None and one.name not in mod.pointers
    }
    machine = Machine((), values)
    found = {
        0.0 if one.reversal is None else _number(machine.value(one.reversal))
        for one in drives or ()
        if not _is_other_side(one.reversal)
    }
    return found.pop() if len(found) == 1 else None


def _number(value: Value) -> float | None:
    if isinstance(value, Unknown) or not np.isfinite(value):
        return None
    return float(round_decimal(Decimal(repr(float(value)))))


def _block(mod: ModFile, drives: tuple[Drive, ...] | None) -> str | None:
    """Whether its conductance follows the potential at once, and whether magnesium is named."""
    currents = Currents(mod)
    factors = [factor for drive in drives or () for factor in drive.conductance]
    if not any(map(currents.depends_on_voltage, factors)):
        return None
    names = (one.name.lower() for one in (*mod.parameters, *mod.assigned, *mod.constants))
    return "magnesium" if any(name.startswith("mg") for name in names) else "voltage"


def _conductance_nS(own: Parameters) -> float | None:
    """Its maximal conductance: by its name, or as the only conductance among the parameters."""
    found = _by_name(own, "nS")
    named = [found[name] for name in _MAXIMUM if name in found]
    values = named or list(found.values())
    return values[0] if named or len(values) == 1 else None


def _time_constants_ms(own: Parameters) -> tuple[float | None, float | None]:
    """Rise and decay, by the usual names; a lone one is that of the decay."""
    found = _by_name(own, "ms")
    for rise, decay in _RISE_AND_DECAY:
        if rise in found and decay in found and found[rise] <= found[decay]:
            return found[rise], found[decay]
    return None, next((found[name] for name in _DECAY if name in found), None)


def _by_name(own: Parameters, unit: str) -> dict[str, float]:
    """The parameters of a unit by their names in small letters."""
    rows = zip(own.names, own.values, own.units, strict=True)
    return {name.lower(): value for name, value, its_unit in rows if its_unit == unit}
