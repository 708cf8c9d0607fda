"""Networks in NeuroML, written for these tests."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

NML = "http://www.neuroml.org/schema/neuroml2"

SYNAPSES = """
<expTwoSynapse id="exc" gbase="2nS" erev="0mV" tauRise="1ms" tauDecay="5ms"/>
<expTwoSynapse id="inh" gbase="3nS" erev="-75mV" tauRise="1ms" tauDecay="9ms"/>
<gapJunction id="gap" conductance="500pS"/>
"""
PULSE = '<pulseGenerator id="pulse" delay="10ms" duration="50ms" amplitude="100pA"/>'
IZHIKEVICH = """<izhikevich2007Cell id="izh" v0="-60mV" C="100pF" k="0.7nS_per_mV" vr="-60mV"
  vt="-40mV" vpeak="35mV" a="0.03per_ms" b="-2nS" c="-50mV" d="100pA"/>"""


def document(*parts: str, id_: str = "doc") -> str:
    """A NeuroML 2 document of these parts."""
    return f'<neuroml xmlns="{NML}" id="{id_}">{"".join(parts)}</neuroml>'


def channel(id_: str, *, rate: float = 1.0) -> str:
    """An active channel with one gate; another rate is another content."""
    return f"""<ionChannelHH id="{id_}" conductance="10pS" species="na">
      <gateHHrates id="m" instances="3">
        <forwardRate type="HHExpLinearRate" rate="{rate}per_ms" midpoint="-40mV" scale="10mV"/>
        <reverseRate type="HHExpRate" rate="4per_ms" midpoint="-65mV" scale="-18mV"/>
      </gateHHrates></ionChannelHH>"""


def cell(id_: str, *, dendrite_um: float = 30.0, active: str = "na") -> str:
    """A soma with a dendrite of two segments and an axon; leak everywhere, active in the soma."""
    end = 10 + dendrite_um
    return f"""<cell id="{id_}"><morphology id="m">
      <segment id="0" name="soma"><proximal x="0" y="0" z="0" diameter="10"/>
        <distal x="0" y="10" z="0" diameter="10"/></segment>
      <segment id="1" name="dend"><parent segment="0"/>
        <proximal x="0" y="10" z="0" diameter="2"/>
        <distal x="0" y="{end}" z="0" diameter="2"/></segment>
      <segment id="3" name="tip"><parent segment="1"/>
        <distal x="0" y="{end + 5}" z="0" diameter="1"/></segment>
      <segment id="2" name="axon"><parent segment="0" fractionAlong="0"/>
        <proximal x="0" y="0" z="0" diameter="1"/>
        <distal x="0" y="-50" z="0" diameter="1"/></segment>
      <segmentGroup id="soma_group"><member segment="0"/></segmentGroup>
      <segmentGroup id="dendrite_group"><member segment="1"/><member segment="3"/></segmentGroup>
      <segmentGroup id="axon_group"><member segment="2"/></segmentGroup>
    </morphology><biophysicalProperties id="b"><membraneProperties>
      <channelDensity id="leak_all" ionChannel="leak" condDensity="0.3 mS_per_cm2" erev="-54.3mV"
        ion="non_specific"/>
      <channelDensity id="active_soma" ionChannel="{active}" condDensity="120 mS_per_cm2"
        erev="50mV" ion="na" segmentGroup="soma_group"/>
      <spikeThresh value="-20mV"/><specificCapacitance value="1 uF_per_cm2"/>
      <initMembPotential value="-65mV"/></membraneProperties>
      <intracellularProperties><resistivity value="0.1 kohm_cm"/></intracellularProperties>
    </biophysicalProperties></cell>"""


CELLS = ("first", "second")
LEAK = '<ionChannelHH id="leak" conductance="10pS" species="non_specific"/>'


@dataclass(frozen=True)
class Circuit:
    """What is in a circuit, as its maker knows it."""

    text: str
    neurons: int
    chemical: int
    electrical: int


def circuit(
    n: int = 24,
    *,
    rule: bool = True,
    seed: int = 0,
    rate: float = 1.0,
    dendrite_um: float = 30.0,
    points: bool = False,
) -> Circuit:
    """Neurons of two cells, each in a population of its own, with gap junctions and an input.

    By the rule, those on the left send to the left and those on the right to the right, and nobody
    across; without it who sends to whom is drawn at random. Sides have nothing to do with cells.
    With ``points``, two point cells more: one sends to the other and to the first of the cells.
    """
    source = random.Random(seed)
    side = [-1 if i < n // 2 else 1 for i in range(n)]
    names = [letters(i) for i in range(n)]
    pairs = [
        (i, j)
        for i in range(n)
        for j in range(n)
        if i != j and source.random() < ((0.5 if side[i] == side[j] else 0) if rule else 0.25)
    ]
    gaps = [(i, i + 2) for i in range(0, n - 2, 4)]
    rows = [_population(i, names[i], side[i], source) for i in range(n)]
    rows += [_chemical(i, j, names, source) for i, j in pairs]
    rows += [_electrical(i, j, names) for i, j in gaps]
    rows.append(
        f'<inputList id="stim" population="{names[0]}" component="pulse">'
        f'<input id="0" target="../{names[0]}/0/first" destination="synapses"/></inputList>'
    )
    if points:
        rows += [f'<population id="{name}" component="izh" size="1"/>' for name in ("PX", "PY")]
        rows += [_between("PX", "PY", "izh"), _between("PX", names[0], "first")]
    text = document(
        LEAK, IZHIKEVICH if points else "", channel("na", rate=rate),
        cell("first", dendrite_um=dendrite_um),
        cell("second", dendrite_um=3 * dendrite_um), SYNAPSES, PULSE,
        f'<network id="net">{"".join(rows)}</network>', id_="circuit",
    )  # fmt: skip
    return Circuit(text, n + 2 * points, len(pairs) + 2 * points, len(gaps))


def _population(i: int, name: str, side: int, source: random.Random) -> str:
    x, y = side * source.randint(50, 150), source.randint(-20, 20)
    return (
        f'<population id="{name}" component="{CELLS[i % 2]}" size="1" type="populationList">'
        f'<instance id="0"><location x="{x}" y="{y}" z="0"/></instance></population>'
    )


def _chemical(i: int, j: int, names: list[str], source: random.Random) -> str:
    synapse = "inh" if source.random() < 0.3 else "exc"
    return (
        f'<projection id="p{i}_{j}" presynapticPopulation="{names[i]}"'
        f' postsynapticPopulation="{names[j]}" synapse="{synapse}"><connectionWD id="0"'
        f' preCellId="../{names[i]}/0/{CELLS[i % 2]}" postCellId="../{names[j]}/0/{CELLS[j % 2]}"'
        f' preSegmentId="2" postSegmentId="{source.choice([0, 1, 3])}" postFractionAlong="0.5"'
        f' preFractionAlong="0.5" weight="{source.randint(1, 5)}" delay="0ms"/></projection>'
    )


def _between(pre: str, post: str, component: str) -> str:
    return (
        f'<projection id="p{pre}_{post}" presynapticPopulation="{pre}"'
        f' postsynapticPopulation="{post}" synapse="exc"><connection id="0"'
        f' preCellId="../{pre}/0/izh" postCellId="../{post}/0/{component}"/></projection>'
    )


def _electrical(i: int, j: int, names: list[str]) -> str:
    return (
        f'<electricalProjection id="g{i}_{j}" presynapticPopulation="{names[i]}"'
        f' postsynapticPopulation="{names[j]}"><electricalConnectionInstance id="0"'
        f' preCell="../{names[i]}/0/{CELLS[i % 2]}" postCell="../{names[j]}/0/{CELLS[j % 2]}"'
        ' synapse="gap" preSegment="0" postSegment="0"/></electricalProjection>'
    )


def letters(i: int) -> str:
    """A name of letters alone: numbers would make counterparts of neurons."""
    return chr(ord("A") + i // 26) + chr(ord("A") + i % 26)


def folder(path: Path, **texts: str) -> Path:
    """A folder with a file ``NAME.nml`` of each text."""
    path.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (path / f"{name}.nml").write_text(text)
    return path


def pair(cell_text: str = IZHIKEVICH, component: str = "izh", *, n: int = 2) -> str:
    """A document with a population of ``n`` and one connection."""
    return document(
        cell_text, SYNAPSES,
        f'<network id="net"><population id="p" component="{component}" size="{n}"/>'
        '<projection id="c" presynapticPopulation="p" postsynapticPopulation="p" synapse="exc">'
        '<connection id="0" preCellId="../p[0]" postCellId="../p[1]"/></projection></network>',
    )  # fmt: skip
