"""Geometry that hoc files write out: what is read of it is what NEURON builds by running it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from forking_neuron import ForkingNeuron
from hypothesis import given, settings
from hypothesis import strategies as st
from neuron_oracle import needs_neuron

from bnnkg.ingest.neuron.hoc_geometry import HocGeometry, read_hoc_geometry

_QUESTION = """
assert h.load_file(1, {path!r})
for name in {templates!r}:
    h("objref made_" + name)
    h("made_%s = new %s()" % (name, name))
found = {{}}
for s in h.allsec():
    parent = s.parentseg()
    found[s.name().rpartition(".")[2]] = {{
        "length": s.L, "area": sum(one.area() for one in s), "nseg": s.nseg,
        "cm": s.cm, "Ra": s.Ra, "parent": parent and parent.sec.name().rpartition(".")[2],
        "x": h.parent_connection(sec=s), "end": s.orientation(),
    }}
"""


@pytest.fixture(scope="module")
def neuron() -> Iterator[ForkingNeuron]:
    with ForkingNeuron() as neuron:
        yield neuron


@dataclass
class Read:
    """A section as it was read."""

    length: float = 0.0
    area: float = 0.0
    cm: float = 1.0  # NEURON's own values where a file sets none
    Ra: float = 35.4
    nseg: int = 1
    parent: str | None = None
    places: list[float] = field(default_factory=list)


def _sections(geometry: HocGeometry) -> dict[str, Read]:
    found: dict[str, Read] = {}
    for cell in geometry.cells:
        own = cell.segments
        for row, name in enumerate(own.names):
            one = found.setdefault(name, Read())
            *start, d0 = map(float, own.proximal[row])
            *end, d1 = map(float, own.distal[row])
            height = math.dist(start, end)
            one.length += height
            one.area += math.pi / 2 * (d0 + d1) * math.hypot(height, (d0 - d1) / 2)
            one.cm = float(cell.cm[row] or 1.0)
            one.Ra = float(cell.ra[row] or 35.4)
            parent = own.names[own.parents[row]] if own.parents[row] >= 0 else None
            if parent != name:
                one.parent = parent
        for line in filter(None, cell.raw.split("\n")):
            name, _, nseg = line.partition(" nseg = ")
            found[name].nseg = int(float(nseg))
    return found


def _agree(neuron: ForkingNeuron, folder: Path, text: str, *templates: str) -> dict[str, Read]:
    path = folder / "cell.hoc"
    path.write_text(text)
    expected = neuron.ask(_QUESTION.format(path=str(path), templates=templates))
    assert expected is not None, "NEURON does not load this"
    geometry = read_hoc_geometry(text, "cell.hoc")
    found = _sections(geometry)
    assert found.keys() == expected.keys(), geometry.notes
    for name, one in expected.items():
        mine = found[name]
        assert mine.length == pytest.approx(one["length"], rel=1e-5), name
        assert mine.area == pytest.approx(one["area"], rel=1e-5), name
        assert mine.cm == pytest.approx(one["cm"]), name
        assert mine.Ra == pytest.approx(one["Ra"]), name
        assert (mine.nseg, mine.parent) == (one["nseg"], one["parent"]), name
    return found


PROGRAMS = {
    "plain": "create soma\nsoma { L = 20 diam = 12.5 nseg = 3 Ra = 150 cm = 0.75 }",
    "points": """create soma, dend
        connect dend(0), soma(1)
        soma { pt3dclear() pt3dadd(0, 0, 0, 10) pt3dadd(10, 0, 0, 12) pt3dadd(20, 1, 0, 9) }
        dend { pt3dadd(20, 1, 0, 2)
          pt3dadd(20, 41, -3.5, 1.5)
          pt3dadd(20, 90, 1e1, .5) }""",
    "both ends": """create soma, dend[3]
        soma { L = 30 diam = 10 }
        for i = 0, 2 { dend[i] { L = 50 + i diam = 2 } }
        connect dend[0](1), soma(0)
        soma connect dend[1](0), 0.5
        dend[1] { connect dend[2](0), 1 }""",
    "for with three parts": """create d[4]
        for (i = 0; i < 4; i = i + 1) { d[i].L = 10*(i + 1)
          d[i].diam = 2^(1 - i) d[i] nseg = 2*i + 1 }
        for (i=1;i<=3;i+=1) connect d[i](0), d[i-1](1)""",
    "procedures with arguments": """create soma, a, b
        proc size() { L = $1  diam = $2 }
        proc all() { soma size(20, 20)
          a { size(100, 2) Ra = 80 }
          b { size(100/3, 1) } }
        proc join() { connect a(0), soma(1)
          connect b(0), soma(0) }
        all()
        join()""",
    "conditions": """create soma, dend[3]
        thick = 4
        soma { L = 10 diam = 10 }
        for i = 0, 2 {
          dend[i] { if (i % 2 == 0 && thick > 3) { diam = thick } else { diam = 1 }
            if (i == 1) L = 10 else if (i == 2) L = 20 else L = 30 }
          connect dend[i](0), soma(1)
        }""",
    "forall and lists": """objref some
        create soma, dend[2], axon
        some = new SectionList()
        dend[1] some.append()
        axon some.append()
        forall { L = 10 diam = 1 }
        forsec some { L = 99 }
        forsec "dend" { nseg = 5 }
        for i = 0, 1 connect dend[i](0), soma(1)
        connect axon(0), soma(0)""",
    "accessed": """create soma, dend
        access soma
        L = 12
        diam = 13
        nseg = 3
        dend { L = 40 diam = 2 }
        connect dend(0), 1""",
    "a template": """begintemplate Cell
        public soma, dend
        create soma, dend[1]
        proc init() { tree() shape() }
        proc tree() { local i
          create dend[3]
          for i = 0, 2 connect dend[i](0), soma(i/2) }
        proc shape() { soma { L = 20 diam = 15 }
          for i = 0, 2 dend[i] { pt3dadd(0, i, 0, 1) pt3dadd(30, i, 0, 2) nseg = 3 } }
        endtemplate Cell""",
    "stretched": """create soma, dend
        soma { pt3dadd(0, 0, 0, 1) pt3dadd(10, 0, 0, 3) pt3dadd(10, 10, 0, 1) L = 40 }
        dend { pt3dadd(0, 0, 0, 1) pt3dadd(10, 0, 0, 3) diam = 5 }
        connect dend(0), soma(1)""",
    "words that are no geometry": """load_file("nrngui.hoc")
        create soma /* the soma */, dend // and a dendrite
        objref clamp
        strdef text
        text = "create nothing { pt3dadd(1, 2, 3, 4) }"
        soma { L = 1e1 diam = \\
          7.5 insert hh gnabar_hh = 0.1 clamp = new IClamp(.5) }
        dend { insert pas L=1.5e+1 diam=.5e0 }
        connect dend(0), soma(1)
        clamp.dur = 3
        {print "x" }""",
}  # fmt: skip


@needs_neuron
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(neuron: ForkingNeuron, tmp_path: Path, name: str) -> None:
    templates = ["Cell"] if name == "a template" else []
    assert _agree(neuron, tmp_path, PROGRAMS[name], *templates)


SIZE = st.sampled_from(["1", "2.5", "10", "1e2", "7/3", "2*(i + 1)", "n + .5", "i + n*n/4"])
INDEX = st.integers(0, 4)
POINT = st.tuples(st.integers(-50, 50), st.integers(-50, 50), SIZE)


@st.composite
def shapes(draw: st.DrawFn) -> str:
    """Statements that shape the section that is accessed; ``i`` and ``n`` are known."""
    if draw(st.booleans()):
        text = f"L = {draw(SIZE)}\ndiam = {draw(SIZE)}"
    else:
        points = draw(st.lists(POINT, min_size=2, max_size=5, unique_by=lambda p: p[:2]))
        added = "\n".join(f"pt3dadd({x}, {y} + i, {n}, {d})" for n, (x, y, d) in enumerate(points))
        text = f"pt3dclear()\n{added}"
    more = ["nseg = 2*n + 1", "Ra = 100 + n", "cm = 2", "insert pas", "L = 33", "diam = 3"]
    others = draw(st.lists(st.sampled_from(more), max_size=2))
    return "\n".join([text, *others])


@st.composite
def programs(draw: st.DrawFn) -> str:
    """Five sections and a soma, shaped in several ways and joined to a tree."""
    lines = ["n = 2", "i = 0", "create soma, d[5]"]
    lines.append(f"proc shape() {{ {draw(shapes())}\n }}")
    lines.append(f"soma {{\n{draw(shapes())}\n}}")
    first = draw(INDEX)
    lines.append(f"for i = {first}, 4 {{ d[i] {{\n{draw(shapes())}\n}} }}")
    for place in range(first):
        lines.append(f"i = {place}")
        plain, called = "d[i] {{\n{}\n}}", "d[i] shape()"
        chosen = f"if (i > 1) {{{{ {plain} }}}} else {{{{ {called} }}}}"
        how = draw(st.sampled_from([plain, called, chosen]))
        lines.append(how.format(draw(shapes())))
    for child in draw(st.permutations(range(5))):
        if draw(st.booleans()):
            parent = draw(st.sampled_from(["soma", *(f"d[{p}]" for p in range(child))]))
            x, end = draw(st.sampled_from(["0", "1", "0.5", "1/n"])), draw(st.sampled_from("01"))
            lines.append(f"connect d[{child}]({end}), {parent}({x})")
    if draw(st.booleans()):
        lines.append("forsec \"d\" { nseg = nseg*1 + 0 }" if draw(st.booleans()) else
                     "forall { Ra = 77 }")  # fmt: skip
    return "\n".join(lines) + "\n"


@needs_neuron
@settings(max_examples=60)
@given(programs())
def test_random_programs(
    neuron: ForkingNeuron, tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    if "nseg*1" in text:  # only a run tells what it is
        assert all("d[" not in cell.raw for cell in read_hoc_geometry(text, "a").cells)
    else:
        _agree(neuron, folder, text)


@needs_neuron
def test_parents_are_found_where_neuron_puts_them(neuron: ForkingNeuron, tmp_path: Path) -> None:
    """A place on the parent, as the point that the child starts at."""
    text = """create p, c, q
        p { pt3dadd(0, 0, 0, 4) pt3dadd(10, 0, 0, 4) pt3dadd(10, 30, 0, 2) }
        c { L = 5 diam = 1 }
        q { L = 5 diam = 1 }
        connect c(0), p(0.5)
        connect q(1), p(0.25)"""
    found = _agree(neuron, tmp_path, text)
    assert (found["c"].parent, found["q"].parent) == ("p", "p")
    [cell] = read_hoc_geometry(text, "a.hoc").cells
    own = cell.segments
    start = own.proximal[own.names.index("c")][:3]
    # Half of 40 um: 10 um up the second piece, which is 30 um long.
    assert tuple(map(float, start)) == pytest.approx((10, 10, 0))
    assert float(own.fractions[own.names.index("c")]) == pytest.approx(1 / 3)
    assert float(own.fractions[own.names.index("q")]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("create soma\nsoma { L = size diam = 3 }", 2, "L depends on what it does not tell"),
        ("create d[n]\n", 1, "does not tell how many d there are"),
        ("create s\nif (far) { s { L = 1 diam = 1 } }", 2, "its shape depends on a condition"),
        ("create s\nwhile (i < 2) { s.L = 1 i += 1 }", 2, "a while loop"),
        ("create s\nfor i = 0, n { s { L = 1 } }", 2, "whose bounds it does not tell"),
        ("create s\ns { pt3dadd(x, 0, 0, 1) }", 2, "a 3-D point depends on"),
        ("create s\ns { L=1 diam=1 pt3dremove(0) }", 2, "changes what was made before"),
        ("create s\nconnect s(0), other(1)", 2, "a section that it does not create"),
        ("create s, t\nconnect s(0), t(2)", 2, "does not tell where it connects"),
        ("create s\nforsec told { L = 3 diam = 1 }", 2, "it shapes sections of a list"),
        ("L = 3", 1, "a section that it does not create"),
        ("create s\nproc f() { f() s.L = 1 }\nf()", None, "f calls itself"),
        ("create s\nload_file(\"more.hoc\")\ns { L = 1 diam = 1 }", 2, "loads more.hoc"),
        ("create s\nxopen(name)\ns { L = 1 diam = 1 }", 2, "a file whose name it does not tell"),
        ("create s, t\ns { L = 1 diam = 1 }", None, "section t a length and a diameter"),
        ("create s\ns { pt3dadd(0, 0, 0, 1) }", None, "section s a length and a diameter"),
        ("create s, t\nforall { L = 1 diam = 1 }\nconnect s(0), t(1)\nconnect t(0), s(1)",
         None, "connected in a circle"),
        ("create s\nfor i = 0, 10^9 { s { L = 1 diam = 1 } }", 2, "too many turns"),
        ("create s[1000]\nfor i = 0, 900000 { forall { }\n s.L = 1 }", None, "too many turns"),
        ("create s\nfor i = 1, 900000 { " + "if (1) " * 300 + "s.L = i }", None, "too many turns"),
        ("create s\ns { pt3dadd(0, 0, 0, 1)\n" + "pt3dadd(1, 2, 3, 4)\n" * 2000
         + "}\nfor i = 1, 900000 { s.L = i }", None, "too many turns"),
        ("create d[10^9]", 1, "does not tell how many"),
        ("create s\ns { L = 1e30 diam = 1 }", 2, "L depends on"),
        ("create s\ns { pt3dadd(0, 0, 0, 1) pt3dadd(1e30, 0, 0, 1) }", 2, "a 3-D point"),
    ],
)  # fmt: skip
def test_what_a_file_does_not_tell_is_told(text: str, line: int | None, why: str) -> None:
    geometry = read_hoc_geometry(text, "folder/a.hoc")
    assert geometry.cells == []
    assert why in geometry.notes[0]
    if line is not None:
        assert f"folder/a.hoc:{line}:" in geometry.notes[0]


def test_a_template_without_known_geometry_does_not_hide_another() -> None:
    text = """begintemplate A
        create soma
        proc init() { soma { L = $1 diam = 1 } }
        endtemplate A
        begintemplate B
        create soma
        proc init() { soma { L = 2 diam = 1 } }
        endtemplate B"""
    geometry = read_hoc_geometry(text, "a.hoc")
    assert [cell.name for cell in geometry.cells] == ["B"]
    assert geometry.notes[0].startswith("template A: a.hoc:3: L depends on")
    assert geometry.counts == {"section": 2}


def test_what_is_passed_over_is_counted() -> None:
    text = 'create s\ns { L = 1 diam = 2 insert hh insert pas }\nprint 3\nxpanel("a")\n'
    [note] = read_hoc_geometry(text, "a.hoc").notes
    assert note == "read for its geometry only; not followed: insert (2), print (1), xpanel (1)"


WORDS = ("create", "connect", "s", "d[1]", "(", ")", "{", "}", "for i=0,3", "if (1)", "else", "L=",
         "diam = 2", "3", ",", "\n", "proc f()", "f()", "forall", "pt3dadd(1,2,3,4)", "access",
         "begintemplate A", "endtemplate A", "/*", "*/", '"', "while (0)", "forsec", "return",
         "s.L = 3", "[", "new SectionList()", "=", "a.append()", "$1", "break")  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.sampled_from(WORDS), max_size=40))
def test_any_words_are_read_or_told(words: list[str]) -> None:
    geometry = read_hoc_geometry(" ".join(words), "a.hoc")
    for cell in geometry.cells:
        assert all(math.isfinite(value) for point in cell.segments.distal for value in point)


def test_long_files_take_linear_time() -> None:
    n = 20_000
    points = "".join(f"pt3dadd({i}, 0, 0, 1)\n" for i in range(n))
    [cell] = read_hoc_geometry(f"create s\ns {{ {points} }}", "a.hoc").cells
    assert len(cell.segments.ids) == n - 1
    [note] = read_hoc_geometry("create s\n" + "if (1) {" * n + "}" * n, "a.hoc").notes
    assert note == "no cell is read: a.hoc:2: its statements are nested too deep"
