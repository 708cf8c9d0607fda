"""Small NeuroML documents, written for these tests."""

from __future__ import annotations

from pathlib import Path

from bnnkg.ingest import find_source, read_source, records_of
from bnnkg.ingest.parsed import ParsedModel
from bnnkg.schema import GraphTables, validate

NML = "http://www.neuroml.org/schema/neuroml2"

CHANNELS = """
<ionChannelHH id="leak" conductance="10pS" species="non_specific"/>
<ionChannelHH id="na" conductance="10pS" species="na">
  <notes>fast sodium</notes>
  <gateHHrates id="m" instances="3">
    <forwardRate type="HHExpLinearRate" rate="1per_ms" midpoint="-40mV" scale="10mV"/>
    <reverseRate type="HHExpRate" rate="4per_ms" midpoint="-65mV" scale="-18mV"/>
  </gateHHrates>
  <gateHHrates id="h" instances="1">
    <q10Settings type="q10ExpTemp" q10Factor="3" experimentalTemp="6.3degC"/>
    <forwardRate type="HHExpRate" rate="0.07per_ms" midpoint="-65mV" scale="-20mV"/>
    <reverseRate type="HHSigmoidRate" rate="1per_ms" midpoint="-35mV" scale="10mV"/>
  </gateHHrates>
</ionChannelHH>
"""

# A soma of 10 x 10 um, a dendrite of two cylinders that forks into two tips.
CELL = """
<cell id="pyramid">
  <morphology id="shape">
    <segment id="0" name="soma"><proximal x="0" y="0" z="0" diameter="10"/>
      <distal x="0" y="10" z="0" diameter="10"/></segment>
    <segment id="1" name="dend_a"><parent segment="0"/>
      <proximal x="0" y="10" z="0" diameter="2"/><distal x="0" y="30" z="0" diameter="2"/></segment>
    <segment id="2" name="dend_b"><parent segment="1"/>
      <distal x="0" y="60" z="0" diameter="1"/></segment>
    <segment id="3" name="tip_left"><parent segment="2"/>
      <distal x="-40" y="60" z="0" diameter="1"/></segment>
    <segment id="4" name="tip_right"><parent segment="2"/>
      <distal x="30" y="60" z="0" diameter="1"/></segment>
    <segmentGroup id="soma_group"><member segment="0"/></segmentGroup>
    <segmentGroup id="dendrite_group"><member segment="1"/><member segment="2"/>
      <member segment="3"/><member segment="4"/></segmentGroup>
    <segmentGroup id="tips"><member segment="3"/><member segment="4"/></segmentGroup>
  </morphology>
  <biophysicalProperties id="physics">
    <membraneProperties>
      <channelDensity id="leak_all" ionChannel="leak" condDensity="0.3 mS_per_cm2" erev="-54.3mV"
        ion="non_specific"/>
      <channelDensity id="na_soma" ionChannel="na" condDensity="120 mS_per_cm2" erev="50mV"
        ion="na" segmentGroup="soma_group"/>
      <channelDensity id="na_b" ionChannel="na" condDensity="10 mS_per_cm2" erev="50mV" ion="na"
        segment="2"/>
      <spikeThresh value="-20mV"/>
      <specificCapacitance value="1 uF_per_cm2"/>
      <initMembPotential value="-65mV"/>
    </membraneProperties>
    <intracellularProperties><resistivity value="0.1 kohm_cm"/></intracellularProperties>
  </biophysicalProperties>
</cell>
"""

SYNAPSES = """
<expTwoSynapse id="ampa" gbase="0.5nS" erev="0mV" tauRise="1ms" tauDecay="2ms"/>
<expTwoSynapse id="gaba" gbase="1nS" erev="-70mV" tauRise="1ms" tauDecay="10ms"/>
<gapJunction id="gap" conductance="500pS"/>
<silentSynapse id="silent"/>
<gradedSynapse id="graded" conductance="5pS" delta="5mV" Vth="-55mV" k="0.025per_ms" erev="0mV"/>
"""

POINTS = """
<iafCell id="iaf" leakReversal="-60mV" thresh="-35mV" reset="-65mV" C="1.0nF"
  leakConductance="0.05uS"/>
<izhikevich2007Cell id="izh" v0="-60mV" C="100pF" k="0.7nS_per_mV" vr="-60mV" vt="-40mV"
  vpeak="35mV" a="0.03per_ms" b="-2nS" c="-50mV" d="100pA"/>
"""

INPUTS = """
<pulseGenerator id="pulse" delay="100ms" duration="0.5s" amplitude="0.08nA"/>
"""


def document(*parts: str, id_: str = "doc") -> str:
    """A NeuroML 2 document of these parts."""
    return f'<neuroml xmlns="{NML}" id="{id_}">{"".join(parts)}</neuroml>'


def folder(path: Path, files: dict[str, str | bytes]) -> Path:
    """A folder of these files."""
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read_folder(path: Path, files: dict[str, str | bytes], name: str = "m") -> ParsedModel:
    """What a folder of these files holds."""
    return read_source(find_source(str(folder(path, files)), name=name))


def read_text(path: Path, *parts: str) -> ParsedModel:
    """What one document of these parts holds."""
    return read_folder(path, {"one.nml": document(*parts)})


def checked_records(parsed: ParsedModel) -> GraphTables:
    """The records of a model, which fit the declared graph."""
    tables = records_of(parsed)
    validate(tables)
    return tables


def rows(tables: GraphTables, label: str) -> list[dict[str, object]]:
    """Nodes of a label as rows."""
    table = tables.nodes.get(label)
    if table is None:
        return []
    columns = table.columns
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def edges(tables: GraphTables, type_: str) -> list[dict[str, object]]:
    """Edges of a type as rows, with src and dst."""
    found = []
    for key, table in tables.edges.items():
        if key[0] == type_:
            names = ["src", "dst", *table.columns]
            columns = [table.src, table.dst, *table.columns.values()]
            found += [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return found
