from __future__ import annotations

import random
import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from neuroml_texts import CELL, CHANNELS, SYNAPSES, checked_records, edges, read_text, rows

from bnnkg.ingest.parsed import ParsedModel

QUICK = settings(max_examples=25, deadline=None)


def _read(*parts: str) -> ParsedModel:
    with tempfile.TemporaryDirectory() as path:
        return read_text(Path(path), *parts)


def _uids(parsed: ParsedModel) -> list[str]:
    shared = (*parsed.cells, *parsed.mechanisms, *parsed.synapses)
    return sorted(one.uid for one in shared)


ORIGINAL = _read(CHANNELS, SYNAPSES, CELL)
LETTERS = st.text("abcdefgh_", min_size=1, max_size=8)


@QUICK
@given(st.lists(LETTERS, min_size=7, max_size=7, unique=True))
def test_ids_are_no_content(names: list[str]) -> None:
    text = CHANNELS + SYNAPSES + CELL
    for old, new in zip(
        ("leak", "na", "pyramid", "shape", "physics", "leak_all", "ampa"), names, strict=True
    ):
        text = text.replace(f'id="{old}"', f'id="z{new}"')
        text = text.replace(f'ionChannel="{old}"', f'ionChannel="z{new}"')
    assert _uids(_read(text)) == _uids(ORIGINAL)


@QUICK
@given(st.randoms(use_true_random=False), st.permutations(range(5)))
def test_order_and_numbers_of_segments_are_no_content(rng: random.Random, ids: list[int]) -> None:
    root = etree.fromstring(f"<x>{CELL}</x>")
    for element in list(root.iter("morphology", "membraneProperties", "segmentGroup")):
        children = list(element)
        rng.shuffle(children)
        element[:] = children
    new = {str(old): str(100 + 7 * i) for old, i in enumerate(ids)}
    for element in root.iter("segment"):
        element.set("id", new[element.get("id", "")])
    for element in root.iter("parent", "member", "channelDensity"):
        if element.get("segment"):
            element.set("segment", new[element.get("segment", "")])
    shuffled = _read(CHANNELS, SYNAPSES, etree.tostring(root[0], encoding="unicode"))
    assert _uids(shuffled) == _uids(ORIGINAL)
    # Everything that the shared nodes carry is then equal too, the places of densities included.
    for type_ in ("HAS_MECHANISM", "CHILD_OF"):
        there, here = (edges(checked_records(p), type_) for p in (shuffled, ORIGINAL))
        assert sorted(map(str, there)) == sorted(map(str, here))
    there, here = (rows(checked_records(p), "Compartment") for p in (shuffled, ORIGINAL))
    assert there == here


SHIFT = st.decimals(min_value=-10_000, max_value=10_000, places=4)


@QUICK
@given(SHIFT, SHIFT, SHIFT)
def test_where_a_cell_lies_is_no_content(x: Decimal, y: Decimal, z: Decimal) -> None:
    root = etree.fromstring(f"<x>{CELL}</x>")
    for point in root.iter("proximal", "distal"):
        for axis, shift in zip("xyz", (x, y, z), strict=True):
            point.set(axis, str(Decimal(point.get(axis, "")) + shift))
    moved = _read(CHANNELS, SYNAPSES, etree.tostring(root[0], encoding="unicode"))
    assert _uids(moved) == _uids(ORIGINAL)
    [cell] = [d for d in moved.definitions if d.label == "Cell"]
    assert cell.offset_um == pytest.approx((float(x), float(y), float(z)))
    [neuron] = rows(checked_records(moved), "Neuron")
    assert (neuron["x_um"], neuron["y_um"]) == pytest.approx((float(x), float(y)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.5nS", "500 pS"), ("120 mS_per_cm2", "1200 S_per_m2"), ("-65mV", "-0.065V"),
        ("0.1 kohm_cm", "1.00 ohm_m"), ("1 uF_per_cm2", "1e-2 F_per_m2"), ("10pS", "0.01nS"),
        ("6.3degC", "279.45 K"), ('q10Factor="3"', 'q10Factor="3.0"'),
    ],
)  # fmt: skip
def test_writing_is_no_content(old: str, new: str) -> None:
    text = CHANNELS + SYNAPSES + CELL
    assert old in text
    assert _uids(_read(text.replace(old, new))) == _uids(ORIGINAL)


@pytest.mark.parametrize(
    ("old", "new", "cell_changes"),
    [
        ("0.5nS", "0.5001nS", False), ("120 mS_per_cm2", "121 mS_per_cm2", True),
        ('x="-40"', 'x="-40.01"', True), ("value=\"-65mV\"", "value=\"-66mV\"", True),
        ('rate="4per_ms"', 'rate="5per_ms"', True), ('instances="3"', 'instances="4"', True),
        ('type="HHExpRate" rate="4', 'type="HHSigmoidRate" rate="4', True),
        ('id="soma_group"', 'id="soma_group" neuroLexId="GO:0030424"', True),
        ('segment="2"/>\n      <spike', 'segment="1"/>\n      <spike', True),
    ],
)  # fmt: skip
def test_values_are_content(old: str, new: str, cell_changes: bool) -> None:
    text = CHANNELS + SYNAPSES + CELL
    assert old in text
    changed = _read(text.replace(old, new, 1))
    assert _uids(changed) != _uids(ORIGINAL)
    assert (changed.cells[0].uid != ORIGINAL.cells[0].uid) == cell_changes


def test_nine_digits_count(tmp_path: Path) -> None:
    near = _read(SYNAPSES.replace("0.5nS", "0.50000000001nS"))
    assert [s.uid for s in near.synapses] == [s.uid for s in ORIGINAL.synapses]


def test_notes_annotations_and_layout_are_no_content() -> None:
    text = CHANNELS.replace("fast sodium", "quite another text").replace("\n", "\n\n   ")
    text = text.replace("<gateHHrates", "<annotation><a/></annotation><gateHHrates", 1)
    assert _uids(_read(text, SYNAPSES, CELL)) == _uids(ORIGINAL)


def test_custom_types_are_content() -> None:
    channel = """<ionChannelHH id="x" conductance="1pS"><gateHHrates id="m" instances="1">
      <forwardRate type="mine"/><reverseRate type="mine"/></gateHHrates></ionChannelHH>"""
    type_ = """<ComponentType name="mine" extends="baseVoltageDepRate">
      <Dynamics value="{}"/></ComponentType>"""
    one, two, same = (_read(channel, type_.format(v)) for v in ("v * 2", "v * 3", "v  *  2"))
    assert _uids(one) == _uids(same)
    assert _uids(one) != _uids(two)


def test_the_name_of_a_shared_node_is_its_smallest_id() -> None:
    again = SYNAPSES.replace('id="', 'id="a_')
    names = {r["name"] for r in rows(checked_records(_read(SYNAPSES, again)), "SynapseType")}
    assert names == {"a_ampa", "a_gaba", "a_gap", "a_silent", "a_graded"}


def test_version_follows_the_content_only() -> None:
    assert _read(CHANNELS).version == _read(CHANNELS).version
    assert _read(CHANNELS).version != _read(CHANNELS, " ").version
