"""NeuroML 2 elements as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_NAMESPACE = "http://www.neuroml.org/schema/neuroml2"


@dataclass(frozen=True)
class Section:
    """An unbranched cylinder of a cell.

    Attributes:
        name: Its id; also the name of its segment and of its group.
        parent: Place of its parent among the cell's sections; absent for the root.
        length_um: Length.
        diameter_um: Diameter.
    """

    name: str
    parent: int | None
    length_um: float
    diameter_um: float


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


def cell(id_: str, sections: Sequence[Section], densities_mS_per_cm2: dict[str, float]) -> str:
    """A cell of cylinders in a row, with the same densities of channels everywhere."""
    starts = _starts(sections)
    segments = "\n".join(
        _segment(place, section, starts[place]) for place, section in enumerate(sections)
    )
    groups = "\n".join(
        f'<segmentGroup id="{s.name}" neuroLexId="sao864921383"><member segment="{place}"/>'
        "</segmentGroup>"
        for place, s in enumerate(sections)
    )
    densities = "\n".join(
        f'<channelDensity id="{name}_all" ionChannel="{name}" erev="-77mV" '
        f'ion="k" condDensity="{value}mS_per_cm2"/>'
        for name, value in densities_mS_per_cm2.items()
    )
    return f"""<cell id="{id_}"><morphology id="{id_}_morphology">
{segments}
{groups}
</morphology><biophysicalProperties id="{id_}_biophysics"><membraneProperties>
{densities}
<spikeThresh value="-20mV"/><specificCapacitance value="1uF_per_cm2"/>
<initMembPotential value="-65mV"/></membraneProperties>
<intracellularProperties><resistivity value="0.1kohm_cm"/></intracellularProperties>
</biophysicalProperties></cell>"""


def point_cell(id_: str) -> str:
    """A regular spiking neuron of one compartment (Izhikevich 2007)."""
    return (
        f'<izhikevich2007Cell id="{id_}" v0="-60mV" C="100pF" k="0.7nS_per_mV" vr="-60mV" '
        'vt="-40mV" vpeak="35mV" a="0.03per_ms" b="-2nS" c="-50mV" d="100pA"/>'
    )


def population(id_: str, component: str, size: int) -> str:
    """Neurons of one cell."""
    return f'<population id="{id_}" component="{component}" size="{size}"/>'


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
