"""What a .mod file says, form by form; expected values are read off the text by hand."""

from __future__ import annotations

import pytest
from written_channels import CHANNELS

from bnnkg.errors import SourceError
from bnnkg.kinetics import Declared, Ion, parse_mod
from bnnkg.kinetics.syntax import (
    Assign,
    Binary,
    Block,
    Compartment,
    Conserve,
    Element,
    FromTo,
    Group,
    If,
    Name,
    Number,
    Raw,
    Reaction,
    Solve,
    Table,
    Term,
    Unary,
    Verbatim,
    Watch,
)


def _block(text: str, kind: str = "INITIAL") -> Block:
    [block] = [block for block in parse_mod(text).blocks if block.kind == kind]
    return block


def _body(statements: str, kind: str = "INITIAL") -> tuple[object, ...]:
    heading = {"KINETIC": "KINETIC k", "NET_RECEIVE": "NET_RECEIVE (w)"}.get(kind, kind)
    return _block(f"NEURON {{ SUFFIX x }} {heading} {{ {statements} }}", kind).body


def test_neuron_block() -> None:
    mod = parse_mod("""
        TITLE a synapse : with a comment
        NEURON {
            THREADSAFE
            POINT_PROCESS Syn
            USEION ca READ cai, cao WRITE ica VALENCE 2
            USEION xx WRITE ixx VALENCE -1.5
            NONSPECIFIC_CURRENT i, j
            ELECTRODE_CURRENT ie
            RANGE g, e,
                  tau
            GLOBAL scale
            POINTER vpre
            BBCOREPOINTER rng
            EXTERNAL other_mech
        }""")
    assert (mod.kind, mod.name, mod.title) == ("point", "Syn", "a synapse : with a comment")
    assert mod.ions == (
        Ion("ca", ("cai", "cao"), ("ica",), 2.0),
        Ion("xx", (), ("ixx",), -1.5),
    )
    assert mod.nonspecific_currents == ("i", "j")
    assert mod.electrode_currents == ("ie",)
    assert mod.range_names == ("g", "e", "tau")
    assert mod.global_names == ("scale",)
    assert mod.pointers == ("vpre", "rng")
    assert mod.externals == ("other_mech",)


def test_artificial_cells_and_mechanisms_named_by_their_file() -> None:
    assert parse_mod("NEURON { ARTIFICIAL_CELL Fire }").kind == "artificial"
    unnamed = parse_mod("PARAMETER { a = 1 }", where="mods/leak.mod")
    assert (unnamed.kind, unnamed.name) == ("density", "leak")


def test_declarations() -> None:
    mod = parse_mod("""
        DEFINE N 4
        NEURON { SUFFIX x }
        UNITS {
            (mV) = (millivolt)
            F = (faraday) (coulomb)
            FK = (faraday) (kilocoulombs)
            R = (k-mole) (joule/degC)
            FTEN = (faraday) (10000 coulomb)
            PI = (pi) (1)
            area2 = 2.5 (um2)
            feet = (foot) -> (inch)
            speed = (meter/sec) (mm/ms)
            dense = (/liter) (/m3)
        }
        CONSTANT { q10 = 3 }
        PARAMETER {
            gbar = 1e-3 (S / cm2) <0, 1e9>
            e = -65(mV)  tau (ms) n = N
            table[N] (1)
            tolerant = 2 <1e-3>
        }
        ASSIGNED { v (mV) rate[3] (/ms) }
        STATE { m FROM 0 TO 1  h START .25  z[N] (mM) <1e-4>  y <2> }
    """)
    assert mod.parameters == (
        Declared("gbar", 1e-3, "S/cm2", 0.0, 1e9, None),
        Declared("e", -65.0, "mV", None, None, None),
        Declared("tau", None, "ms", None, None, None),
        Declared("n", 4.0, "", None, None, None),
        Declared("table", None, "1", None, None, 4),
        Declared("tolerant", 2.0, "", None, None, None),
    )
    assert mod.assigned == (
        Declared("v", None, "mV", None, None, None),
        Declared("rate", None, "/ms", None, None, 3),
    )
    assert mod.states == (
        Declared("m", None, "", 0.0, 1.0, None),
        Declared("h", 0.25, "", None, None, None),
        Declared("z", None, "mM", None, None, 4),
        Declared("y", None, "", None, None, None),
    )
    constants = {constant.name: constant.value for constant in mod.constants}
    # CODATA 2018, as NEURON has had them since 8.0
    assert constants == pytest.approx(
        {
            "F": 96485.33212,
            "FK": 96.48533212,
            "R": 8.314462618,
            "FTEN": 9.648533212,
            "PI": 3.141592653589793,
            "area2": 2.5,
            "feet": 12.0,
            "speed": 1.0,
            "dense": 1000.0,
            "q10": 3.0,
        },
        rel=1e-9,
    )


def test_powers_bind_tighter_than_signs_and_lean_to_the_right() -> None:
    a, b, c = Name("a"), Name("b"), Name("c")
    [negated, tower, signed, product, divided] = _body(
        "x = -a^2  x = a^b^c  x = a^-b  x = -a*b  x = a/b/c"
    )
    assert negated == Assign(Name("x"), 0, Unary("-", Binary("^", a, Number(2))))
    assert tower == Assign(Name("x"), 0, Binary("^", a, Binary("^", b, c)))
    assert signed == Assign(Name("x"), 0, Binary("^", a, Unary("-", b)))
    assert product == Assign(Name("x"), 0, Binary("*", Unary("-", a), b))
    assert divided == Assign(Name("x"), 0, Binary("/", Binary("/", a, b), c))


def test_conditions_and_loops() -> None:
    [choice, loop] = _body("""
        IF (a < 1 && !b) { x = 1 } else if (a >= 2) { x = 2 } ELSE { x = 3 }
        FROM i = 0 TO N-1 BY 2 { y[i] = i*1(mV) }
    """)
    assert isinstance(choice, If)
    assert [len(choice.branches), len(choice.otherwise)] == [2, 1]
    below = Binary("<", Name("a"), Number(1))
    assert choice.branches[0][0] == Binary("&&", below, Unary("!", Name("b")))
    element = Element("y", Name("i"))
    body = (Assign(element, 0, Binary("*", Name("i"), Number(1))),)
    last = Binary("-", Name("N"), Number(1))
    assert loop == FromTo("i", Number(0), last, Number(2), body)


def test_derivatives_and_solving() -> None:
    text = """
        NEURON { SUFFIX x }
        BREAKPOINT { SOLVE states METHOD cnexp  SOLVE sch STEADYSTATE sparse  SOLVE old }
        DERIVATIVE states { m' = -m/tau  z'[1] = 2 }
    """
    assert _block(text, "BREAKPOINT").body == (
        Solve("states", "cnexp", steady_state=False),
        Solve("sch", "sparse", steady_state=True),
        Solve("old", "", steady_state=False),
    )
    first, second = _block(text, "DERIVATIVE").body
    assert isinstance(first, Assign)
    assert (first.target, first.order) == (Name("m"), 1)
    assert second == Assign(Element("z", Number(1)), 1, Number(2))


def test_reactions() -> None:
    both, one_way, source, sums, sizes = _body(
        """
        COMPARTMENT i, vol[i] {ca pump}
        ~ 2 ca + pump <-> bound (k1*v, k2)
        ~ bound -> (k3)
        ~ ca << (-ica/F)
        CONSERVE pump + 2 bound = total
        """.replace("COMPARTMENT i, vol[i] {ca pump}", "")
        + "COMPARTMENT i, vol[i] {ca pump}",
        "KINETIC",
    )
    ca, pump, bound = Name("ca"), Name("pump"), Name("bound")
    assert both == Reaction(
        "<->",
        (Term(2, ca), Term(1, pump)),
        (Term(1, bound),),
        Binary("*", Name("k1"), Name("v")),
        Name("k2"),
    )
    assert one_way == Reaction("->", (Term(1, bound),), (), Name("k3"), None)
    flux = Binary("/", Unary("-", Name("ica")), Name("F"))
    assert source == Reaction("<<", (Term(1, ca),), (), flux, None)
    assert sums == Conserve((Term(1, pump), Term(2, bound)), Name("total"))
    assert sizes == Compartment("COMPARTMENT", "i", Element("vol", Name("i")), ("ca", "pump"))


def test_events() -> None:
    mod = parse_mod("""
        NEURON { POINT_PROCESS s }
        NET_RECEIVE (w (uS), last (ms)) {
            INITIAL { last = t }
            if (flag == 1) { WATCH (v > -20) 2, (v < -40) 3 }
            FOR_NETCONS (w1, l1) { w1 = 0 }
            net_send(tau, 1)
        }""")
    assert mod.net_receive == ("w", "last")
    [initial, when, each, send] = mod.blocks[0].body
    assert isinstance(initial, Group)
    assert initial.heading == "INITIAL"
    assert isinstance(when, If)
    [watch] = when.branches[0][1]
    assert isinstance(watch, Watch)
    assert [flag for _, flag in watch.conditions] == [Number(2), Number(3)]
    assert type(each).__name__ == "ForNetcons"
    assert type(send).__name__ == "CallStatement"


def test_tables_functions_and_what_stands_before_blocks() -> None:
    mod = parse_mod("""
        NEURON { SUFFIX x }
        FUNCTION_TABLE taken(v (mV)) (ms)
        FUNCTION double(x (mV), y) (mV) { double = 2*x + y }
        PROCEDURE rates() { TABLE a, b DEPEND c FROM -100 TO 100 WITH 200 }
        BEFORE STEP { x = 1 }
        AFTER SOLVE { x = 2 }
    """)
    headings = [(block.kind, block.name, block.arguments) for block in mod.blocks]
    assert headings == [
        ("FUNCTION_TABLE", "taken", ("v",)),
        ("FUNCTION", "double", ("x", "y")),
        ("PROCEDURE", "rates", ()),
        ("BEFORE", "STEP", ()),
        ("AFTER", "SOLVE", ()),
    ]
    table = Table(("a", "b"), ("c",), Unary("-", Number(100)), Number(100), 200)
    assert mod.blocks[2].body == (table,)


def test_comments_and_code_in_between() -> None:
    mod = parse_mod("""
        COMMENT NEURON { SUFFIX no }
        ENDCOMMENT and the rest of this line
        NEURON { SUFFIX yes } : NEURON { SUFFIX no }
        VERBATIM
        int a; /* } { */
        ENDVERBATIM
        INITIAL { ? an old comment }
            VERBATIM return 0; ENDVERBATIM
            COMMENT x = 1 ENDCOMMENT
            x = 2
            if (x) { } else { while (x) { VERBATIM inner ENDVERBATIM } } }
    """)
    assert mod.name == "yes"
    assert [code.split() for code in mod.verbatim] == [
        ["int", "a;", "/*", "}", "{", "*/"],
        ["return", "0;"],
        ["inner"],
    ]
    assert mod.blocks[0].body[:2] == (Verbatim(mod.verbatim[1]), Assign(Name("x"), 0, Number(2)))


def test_old_keywords() -> None:
    mod = parse_mod("""
        NEURON { SUFFIX x }
        INDEPENDENT { t FROM 0 TO 1 WITH 1 (ms) }
        DEPENDENT { a }
        EQUATION { SOLVE states }
        UNITSOFF UNITSON
    """)
    assert [each.name for each in mod.assigned] == ["a"]
    assert [block.kind for block in mod.blocks] == ["BREAKPOINT"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends(line_end: str) -> None:
    text = CHANNELS["oldk"]
    assert parse_mod(text.replace("\n", line_end)) == parse_mod(text)


def test_text_of_other_alphabets_and_after_the_end_of_file() -> None:
    mod = parse_mod(
        "COMMENT M\xfcller\nENDCOMMENT NEURON\nNEURON { SUFFIX x }\x1a\nNEURON { SUFFIX y }"
    )
    assert mod.name == "x"


def test_includes_stand_for_their_text() -> None:
    files = {"rates.inc": 'PARAMETER { a = 1 } INCLUDE "more.inc"', "more.inc": "STATE { m }"}
    text = 'NEURON { SUFFIX x } INCLUDE "rates.inc"'
    mod = parse_mod(text, include=files.get)
    assert [each.name for each in (*mod.parameters, *mod.states)] == ["a", "m"]
    assert mod.includes == ("rates.inc", "more.inc")
    absent = parse_mod(text)
    assert absent.includes == ("rates.inc",)
    assert "INCLUDE rates.inc" in absent.statements


def test_what_is_not_understood_is_kept() -> None:
    mod = parse_mod("""
        NEURON { SUFFIX x  LIKES { cheese } }
        PARAMETER { a = 1
            b = = 2
            c = 3 }
        INITIAL { a = 1
            a = = 2
            if (a) [ ]
            a = 3 }
        NONSENSE here
    """)
    assert mod.blocks[0].body == (
        Assign(Name("a"), 0, Number(1)),
        Raw("a = = 2"),
        Raw("if ( a ) [ ]"),
        Assign(Name("a"), 0, Number(3)),
    )
    assert [each.name for each in mod.parameters] == ["a", "c"]
    joined = "\n".join(mod.statements)
    for kept in ("LIKES { cheese }", "PARAMETER: b = = 2", "NONSENSE here"):
        assert kept in joined


@pytest.mark.parametrize(
    "text", ["", "hello", "int main() { return 0; }", "<html></html>", "{" * 50]
)
def test_what_is_no_nmodl_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match="no NMODL") as caught:
        parse_mod(text, where="a/b.mod")
    assert caught.value.where == "a/b.mod:1"
    assert caught.value.expected is not None
    assert caught.value.hint is not None


@pytest.mark.parametrize(
    "inside",
    [
        "x = " + "(" * 50_000,
        "x = " + "(" * 40 + "1" + ")" * 40,
        "x = " + "-" * 50_000 + "1",
        "x = " + "2^" * 50_000 + "1",
        "x = " + "f(" * 50_000,
        "x = " + "a[" * 50_000,
        "{" * 50_000,
        "if (a) { " * 20_000,
    ],
)
def test_deep_nesting_is_refused(inside: str) -> None:
    with pytest.raises(SourceError, match="nested too deeply") as caught:
        parse_mod("NEURON { SUFFIX x }\nINITIAL {\n" + inside, where="deep.mod")
    assert caught.value.where is not None
    assert caught.value.where.startswith("deep.mod:3")


def test_forty_levels_are_read() -> None:
    mod = parse_mod("INITIAL { x = " + "(" * 39 + "1" + ")" * 39 + " }")
    assert mod.blocks[0].body == (Assign(Name("x"), 0, Number(1)),)


def test_long_expressions_are_refused() -> None:
    parse_mod("INITIAL { x = " + "a + " * 199 + "1 }")
    with pytest.raises(SourceError, match="too long"):
        parse_mod("INITIAL { x = " + "a + " * 100_000 + "1 }")


def test_huge_files_are_refused() -> None:
    with pytest.raises(SourceError, match="too large"):
        parse_mod("a" * 3_000_000)


def test_files_that_include_themselves_are_refused() -> None:
    with pytest.raises(SourceError, match="includes too much"):
        parse_mod('NEURON { SUFFIX x } INCLUDE "a"', include=lambda _: 'INCLUDE "a"')


@pytest.mark.parametrize(
    "text",
    [
        "INITIAL { " + "f(a, @\n" * 50_000 + "}",
        "INITIAL { " + "COMMENT ENDCOMMENT " * 50_000 + "}",
        "INITIAL { " + "VERBATIM " * 50_000 + "}",
        "INITIAL { " + '"' * 200_000 + "}",
        "INITIAL { " + "if (a) { } else if (b) { }" * 10_000 + "}",
        "PARAMETER { " + "x = \n" * 50_000 + "}",
        "PARAMETER { a = " + "9" * 500_000 + " b = 1e999999 }",
        "UNITS { " + "(a) = (b) " * 20_000 + "x = (a) (b) }",
        "}" * 200_000 + "INITIAL {}",
        "INITIAL { x = (" + "\n(mV)" * 50_000 + "}",
    ],
    ids=lambda text: text[:20],
)
def test_long_files_are_read_in_linear_time(text: str) -> None:
    mod = parse_mod(text)
    assert mod.statements
