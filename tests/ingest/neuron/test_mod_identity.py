"""Equal mechanisms are one node, whoever wrote them and however."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mod_texts import LEAK, SODIUM, SYNAPSE, read_texts

from bnnkg.ingest.neuron.mods import ReadMod
from bnnkg.ingest.neuron.similarity import similar_pairs
from bnnkg.ingest.parsed import Mechanism

QUICK = settings(max_examples=40, deadline=None)


def _read(text: str, path: str = "one.mod", newline: str = "\n") -> ReadMod:
    with tempfile.TemporaryDirectory() as folder:
        content = text.replace("\n", newline).encode()
        (read,) = read_texts(Path(folder), {path: content}).files
        return read


def _similarity(one: Mechanism, other: Mechanism) -> float:
    assert one.nmodl is not None
    assert other.nmodl is not None
    hashes = [one.nmodl.statement_hashes, other.nmodl.statement_hashes]
    found = similar_pairs(["a", "b"], hashes, threshold=0.01)
    return found.similarity[0] if found.similarity else 0.0


ORIGINAL = _read(SODIUM)
BLOCKS = re.split(r"\n(?=[A-Z])", SODIUM.partition("own\n\n")[2].strip())
DECLARATION = re.compile(r"^(NEURON|PARAMETER) \{\n(.*)\n\}$", re.DOTALL)
FORMS = {
    "120": ["120.", "1.2e2", "0120", "120.0000000001"],
    "0.001": [".001", "1e-3", "0.0010"],
    "-30": ["-30.0", "-3E1"],
    "7": ["7.", "0.7e1"],
}
COMMENTS = st.sampled_from(["", "", "  : a remark", "\n? and another {", "\n\n\t"])


@st.composite
def _spellings(draw: st.DrawFn) -> str:
    """The sodium channel as somebody else might have written it."""
    assert len(BLOCKS) == 8
    parts = []
    for block in draw(st.permutations(BLOCKS)):
        found = DECLARATION.match(block)
        if found is not None:
            entries = draw(st.permutations(found[2].split("\n")))
            block = f"{found[1]} {{\n" + "\n".join(entries) + "\n}"
        parts += [line + draw(COMMENTS) for line in block.split("\n")]
    text = "\n".join(parts) + "\n"
    for number, forms in FORMS.items():
        form = draw(st.sampled_from([number, *forms]))
        text = re.sub(rf"(?<![\w.]){re.escape(number)}(?![\w.])", form, text)
    for word in ("NEURON", "RANGE", "STATE", "SOLVE", "DERIVATIVE"):
        text = text.replace(word, draw(st.sampled_from([word, word.lower()])))
    name = draw(st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True))
    return text.replace("made_up", name)


@QUICK
@given(_spellings(), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(["one.mod", "a/b.MOD"]))
def test_layout_order_and_spelling_are_no_content(text: str, newline: str, path: str) -> None:
    read = _read(text, path, newline)
    assert read.uid == ORIGINAL.uid
    # Everything that the shared node carries is then equal too.
    assert repr(read.mechanism()) == repr(ORIGINAL.mechanism())


NUMBERS = [m.span() for m in re.finditer(r"(?<![\w.])[0-9.]+(?![\w.])", SODIUM)]


@QUICK
@given(st.sampled_from(NUMBERS), st.sampled_from(["3.125", "81", "0.0625"]))
def test_every_number_is_content(span: tuple[int, int], number: str) -> None:
    start, end = span
    read = _read(SODIUM[:start] + number + SODIUM[end:])
    assert read.uid != ORIGINAL.uid
    assert 0.8 < _similarity(read.mechanism(), ORIGINAL.mechanism()) < 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("mS/cm2", "S/cm2"),
        ("thick = 2", "thicker = 2"),
        ("exp((v", "tanh((v"),
        ("m' = (minf - m)/mtau\n    h' = (hinf - h)/htau", "h' = (hinf - h)/htau"),
        ("RANGE gbar, thick", "RANGE gbar"),
        ("SUFFIX", "POINT_PROCESS"),
        ("    mtau = 2\n    hinf", "    hinf"),
        ("rates(v)\n", "VERBATIM\nint x;\nENDVERBATIM\n rates(v)\n"),
    ],
)
def test_what_is_content(old: str, new: str) -> None:
    assert old in SODIUM
    assert _read(SODIUM.replace(old, new)).uid != ORIGINAL.uid


def test_the_order_of_what_is_done_is_content() -> None:
    swapped = SODIUM.replace("rates(v)\n    m'", "m'").replace("/htau\n", "/htau\n    rates(v)\n")
    assert _read(swapped).uid != ORIGINAL.uid


def test_mechanisms_and_synapses_have_uids_of_their_own() -> None:
    assert _read(LEAK).uid.startswith("m")
    assert _read(SYNAPSE).uid.startswith("s")
