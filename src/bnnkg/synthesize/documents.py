"""NeuroML 2 elements as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

EREV_MV = {"k": -77.0, "ca": 120.0}
"""Reversal potentials by ion."""
_NAMESPACE = "http://www.neuroml.org/schema/neuroml2"


@dataclass(frozen=True)
class Section:
    """An unbranched cylinder of a cell.

    Attributes:
        name: Its id; also the name of its segment and of its group.
        parent: Place of its parent among the cell's sections; absent for the root.
        length_um: Length.
        diameter_um: Diameter.
        cm_uF_per_cm2: Capacitance of its membrane.
        ra_kohm_cm: Resistivity of its inside.
    """

    name: str
    parent: int | None
    length_um: float
    diameter_um: float
    cm_uF_per_cm2: float = 1.0
    ra_kohm_cm: float = 0.1


@dataclass(frozen=True)
class Density:
    """A channel in all of a cell's membrane.

    Attributes:
        channel: Id of the channel.
        ion: What it lets through, one of ``EREV_MV``.
        g_mS_per_cm2: Its conductance.
    """

    channel: str
    ion: str
    g_mS_per_cm2: float


@dataclass(frozen=True)
class Connection:
    """One synapse.

    Attributes:
        pre: Presynaptic neuron, as ``population/instance/cell``.
        pre_section: Place of the section that it leaves from.
        post: Postsynaptic neuron.
        post_section: Place of the section that it arrives at; absent where that is a point cell.
        weight: Factor of its conductance.
        delay_ms: Delay.
    """

    pre: str
    pre_section: int
    post: str
    post_section: int | None
    weight: float
    delay_ms: float


@dataclass(frozen=True)
class Junction:
    """One gap junction.

    Attributes:
        one: A neuron, as ``population/instance/cell``.
        other: The neuron that it is joined to.
        weight: Factor of its conductance.
    """

    one: str
    other: str
    weight: float


def document(id_: str, parts: Iterable[str]) -> str:
    """A whole document."""
    body = "\n".join(parts)
    return f'<?xml version="1.0"?>\n<neuroml xmlns="{_NAMESPACE}" id="{id_}">\n{body}\n</neuroml>\n'


def channel(id_: str, ion: str, midpoint_mV: float) -> str:
    """A channel with one gate of two exponential rates."""
    return f"""<ionChannelHH id="{id_}" conductance="10pS" species="{ion}">
  <gateHHrates id="n" instances="4">
    <forwardRate type="HHExpLinearRate" rate="0.1per_ms" midpoint="{midpoint_mV}mV" scale="10mV"/>
    <reverseRate type="HHExpRate" rate="0.125per_ms" midpoint="{midpoint_mV - 10}mV" scale="-80mV"/>
  </gateHHrates>
</ionChannelHH>"""


def synapse(
    id_: str, *, gbase_nS: float, erev_mV: float, tau_rise_ms: float, tau_decay_ms: float
) -> str:
    """A synapse whose conductance rises and decays exponentially."""
    return (
        f'<expTwoSynapse id="{id_}" gbase="{gbase_nS}nS" erev="{erev_mV}mV" '
        f'tauRise="{tau_rise_ms}ms" tauDecay="{tau_decay_ms}ms"/>'
    )


def gap_junction(id_: str, conductance_nS: float) -> str:
    """A gap junction."""
    return f'<gapJunction id="{id_}" conductance="{conductance_nS}nS"/>'


def cell(id_: str, sections: Sequence[Section], densities: Sequence[Density]) -> str:
    """A cell of cylinders, with the same densities of channels everywhere."""
    starts = _starts(sections)
    segments = "\n".join(
        _segment(place, section, starts[place]) for place, section in enumerate(sections)
    )
    groups = "\n".join(
        f'<segmentGroup id="{s.name}" neuroLexId="sao864921383"><member segment="{place}"/>'
        "</segmentGroup>"
        for place, s in enumerate(sections)
    )
    channels = "\n".join(
        f'<channelDensity id="{one.channel}_all" ionChannel="{one.channel}" '
        f'erev="{EREV_MV[one.ion]}mV" ion="{one.ion}" condDensity="{one.g_mS_per_cm2}mS_per_cm2"/>'
        for one in densities
    )
    capacitances = [f"{s.cm_uF_per_cm2}uF_per_cm2" for s in sections]
    resistivities = [f"{s.ra_kohm_cm}kohm_cm" for s in sections]
    return f"""<cell id="{id_}"><morphology id="{id_}_morphology">
{segments}
{groups}
</morphology><biophysicalProperties id="{id_}_biophysics"><membraneProperties>
{channels}
<spikeThresh value="-20mV"/>
{_by_section("specificCapacitance", sections, capacitances)}
<initMembPotential value="-65mV"/></membraneProperties>
<intracellularProperties>
{_by_section("resistivity", sections, resistivities)}
</intracellularProperties>
</biophysicalProperties></cell>"""


def _by_section(tag: str, sections: Sequence[Section], values: Sequence[str]) -> str:
    """A property of each section; one for the whole cell where all are alike."""
    if len(set(values)) == 1:
        return f'<{tag} value="{values[0]}"/>'
    return "\n".join(
        f'<{tag} segmentGroup="{section.name}" value="{value}"/>'
        for section, value in zip(sections, values, strict=True)
    )


def point_cell(id_: str) -> str:
    """A regular spiking neuron of one compartment (Izhikevich 2007)."""
    return (
        f'<izhikevich2007Cell id="{id_}" v0="-60mV" C="100pF" k="0.7nS_per_mV" vr="-60mV" '
        'vt="-40mV" vpeak="35mV" a="0.03per_ms" b="-2nS" c="-50mV" d="100pA"/>'
    )


def population(id_: str, component: str, size: int) -> str:
    """Neurons of one cell."""
    return f'<population id="{id_}" component="{component}" size="{size}"/>'


def placed_population(
    id_: str, component: str, places_um: Sequence[tuple[float, float, float]]
) -> str:
    """Neurons of one cell, each at a place (x, y, z)."""
    instances = "\n".join(
        f'<instance id="{number}"><location x="{x}" y="{y}" z="{z}"/></instance>'
        for number, (x, y, z) in enumerate(places_um)
    )
    return (
        f'<population id="{id_}" component="{component}" size="{len(places_um)}" '
        f'type="populationList">\n{instances}\n</population>'
    )


def projection(
    id_: str, pre: str, post: str, synapse_id: str, connections: Iterable[Connection]
) -> str:
    """Chemical synapses of one type from one population to another."""
    rows = "\n".join(_connection(place, one) for place, one in enumerate(connections))
    return (
        f'<projection id="{id_}" presynapticPopulation="{pre}" postsynapticPopulation="{post}" '
        f'synapse="{synapse_id}">\n{rows}\n</projection>'
    )


def electrical_projection(
    id_: str, pre: str, post: str, synapse_id: str, pairs: Iterable[tuple[int, int]]
) -> str:
    """Gap junctions of one type between point neurons of two populations of listed sizes."""
    rows = "\n".join(
        f'<electricalConnection id="{place}" preCell="{one}" postCell="{other}" '
        f'synapse="{synapse_id}"/>'
        for place, (one, other) in enumerate(pairs)
    )
    return (
        f'<electricalProjection id="{id_}" presynapticPopulation="{pre}" '
        f'postsynapticPopulation="{post}">\n{rows}\n</electricalProjection>'
    )


def junctions(id_: str, pre: str, post: str, synapse_id: str, rows: Iterable[Junction]) -> str:
    """Gap junctions of one type between neurons of two placed populations."""
    body = "\n".join(
        f'<electricalConnectionInstanceW id="{place}" preCell="../{row.one}" '
        f'postCell="../{row.other}" synapse="{synapse_id}" weight="{row.weight}"/>'
        for place, row in enumerate(rows)
    )
    return (
        f'<electricalProjection id="{id_}" presynapticPopulation="{pre}" '
        f'postsynapticPopulation="{post}">\n{body}\n</electricalProjection>'
    )


def network(id_: str, parts: Iterable[str]) -> str:
    """A network of populations and projections."""
    body = "\n".join(parts)
    return f'<network id="{id_}">\n{body}\n</network>'


def _starts(sections: Sequence[Section]) -> list[float]:
    """Where each section starts, along y."""
    starts: list[float] = []
    for section in sections:
        parent = section.parent
        starts.append(0.0 if parent is None else starts[parent] + sections[parent].length_um)
    return starts


def _segment(place: int, section: Section, start_um: float) -> str:
    end, d = start_um + section.length_um, section.diameter_um
    parent = "" if section.parent is None else f'<parent segment="{section.parent}"/>'
    return (
        f'<segment id="{place}" name="{section.name}">{parent}'
        f'<proximal x="0" y="{start_um}" z="0" diameter="{d}"/>'
        f'<distal x="0" y="{end}" z="0" diameter="{d}"/></segment>'
    )


def _connection(place: int, one: Connection) -> str:
    arrives = ""
    if one.post_section is not None:
        arrives = f'postSegmentId="{one.post_section}" postFractionAlong="0.5" '
    return (
        f'<connectionWD id="{place}" preCellId="../{one.pre}" postCellId="../{one.post}" '
        f'preSegmentId="{one.pre_section}" preFractionAlong="0.5" {arrives}'
        f'weight="{one.weight}" delay="{one.delay_ms}ms"/>'
    )
