"""Declaration blocks of NMODL: NEURON, PARAMETER, ASSIGNED, STATE, CONSTANT, UNITS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bnnkg.kinetics.cursor import Cursor, UnexpectedToken
from bnnkg.kinetics.physical_units import UnknownUnitError, factor_between
from bnnkg.kinetics.syntax import Declared, Ion
from bnnkg.kinetics.tokens import NAME, NUMBER, PRIME

MECHANISM_KINDS = {"SUFFIX": "density", "POINT_PROCESS": "point", "ARTIFICIAL_CELL": "artificial"}
_NAME_LISTS = (
    "NONSPECIFIC_CURRENT",
    "ELECTRODE_CURRENT",
    "RANGE",
    "GLOBAL",
    "POINTER",
    "BBCOREPOINTER",
    "EXTERNAL",
    "RANDOM",
)
_NEURON_WORDS = {*_NAME_LISTS, *MECHANISM_KINDS, "USEION", "THREADSAFE", "SECTION"}
_ION_WORDS = {"READ", "WRITE", "VALENCE", "CHARGE"}


@dataclass
class Declarations:
    """What the declaration blocks of a file say, gathered while they are read."""

    keyword: str = "SUFFIX"
    name: str = ""
    lists: dict[str, list[str]] = field(default_factory=lambda: {k: [] for k in _NAME_LISTS})
    ions: list[Ion] = field(default_factory=list)
    parameters: list[Declared] = field(default_factory=list)
    assigned: list[Declared] = field(default_factory=list)
    states: list[Declared] = field(default_factory=list)
    constants: list[Declared] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)


def read_neuron(cursor: Cursor, into: Declarations) -> None:
    """Pass a NEURON block."""

    def entry() -> None:
        word = cursor.name().upper()
        if word in MECHANISM_KINDS:
            into.keyword, into.name = word, cursor.name()
        elif word == "USEION":
            into.ions.append(_ion(cursor))
        elif word in into.lists:
            into.lists[word] += _listed(cursor, _NEURON_WORDS)
        elif word != "THREADSAFE":
            raise UnexpectedToken

    _entries(cursor, into, "NEURON", entry)


def _entries(
    cursor: Cursor, into: Declarations, heading: str, read_entry: Callable[[], None]
) -> None:
    """Pass the entries of a block in braces; what is no entry is kept raw, line by line."""
    cursor.expect("{")
    while not cursor.accept("}") and not cursor.at_end():
        if cursor.accept(",") or cursor.accept(";"):
            continue
        start = cursor.position
        try:
            read_entry()
        except UnexpectedToken:
            text = cursor.raw(start)
            into.raw.append(f"{heading}: {text}")


def _listed(cursor: Cursor, keywords: set[str]) -> list[str]:
    """Pass names up to the next keyword; commas between them may be missing."""
    names = []
    comma = True
    while cursor.peek().kind == NAME and (comma or cursor.peek().text.upper() not in keywords):
        names.append(cursor.name())
        comma = cursor.accept(",")
    return names


def _ion(cursor: Cursor) -> Ion:
    name = cursor.name()
    reads: list[str] = []
    writes: list[str] = []
    valence = None
    while cursor.peek().text.upper() in _ION_WORDS:
        word = cursor.next().text.upper()
        if word in ("VALENCE", "CHARGE"):
            valence = cursor.number()
        else:
            names = _listed(cursor, _NEURON_WORDS | _ION_WORDS)
            (reads if word == "READ" else writes).extend(names)
    return Ion(name, tuple(reads), tuple(writes), valence)


def read_parameters(cursor: Cursor, into: Declarations) -> None:
    """Pass a PARAMETER block."""
    _values(cursor, into, "PARAMETER", into.parameters)


def read_constants(cursor: Cursor, into: Declarations) -> None:
    """Pass a CONSTANT block."""
    _values(cursor, into, "CONSTANT", into.constants)


def _values(cursor: Cursor, into: Declarations, heading: str, declared: list[Declared]) -> None:
    def entry() -> None:
        name = cursor.name()
        size = cursor.size()
        value = cursor.number() if cursor.accept("=") else None
        unit = cursor.unit()
        low, high = _limits(cursor)
        declared.append(Declared(name, value, unit, low, high, size))

    _entries(cursor, into, heading, entry)


def _limits(cursor: Cursor) -> tuple[float | None, float | None]:
    """Pass ``<low, high>``; ``<tolerance>`` says nothing of the values."""
    if not cursor.accept("<"):
        return None, None
    low: float | None = cursor.number()
    high = cursor.number() if cursor.accept(",") else None
    cursor.expect(">")
    return (None, None) if high is None else (low, high)


def read_assigned(cursor: Cursor, into: Declarations) -> None:
    """Pass an ASSIGNED block."""
    _variables(cursor, into, "ASSIGNED", into.assigned)


def read_states(cursor: Cursor, into: Declarations) -> None:
    """Pass a STATE block."""
    _variables(cursor, into, "STATE", into.states)


def _variables(cursor: Cursor, into: Declarations, heading: str, declared: list[Declared]) -> None:
    def entry() -> None:
        if cursor.peek().kind not in (NAME, PRIME):
            raise UnexpectedToken
        name = cursor.next().text
        size = cursor.size()
        low = high = None
        if _at_word_and_number(cursor, "FROM"):
            cursor.next()
            low = cursor.number()
            cursor.expect_word("TO")
            high = cursor.number()
        start = None
        if _at_word_and_number(cursor, "START"):
            cursor.next()
            start = cursor.number()
        unit = cursor.unit()
        _limits(cursor)
        declared.append(Declared(name, start, unit, low, high, size))

    _entries(cursor, into, heading, entry)


def _at_word_and_number(cursor: Cursor, word: str) -> bool:
    after = cursor.peek(2) if cursor.peek(1).text == "-" else cursor.peek(1)
    return cursor.at_word(word) and (after.kind == NUMBER or after.text in cursor.defines)


def read_units(cursor: Cursor, into: Declarations) -> None:
    """Pass a UNITS block: its factors are constants; names of units have no effect."""
    aliases: dict[str, str] = {}

    def entry() -> None:
        if cursor.at("("):
            alias = cursor.unit()
            cursor.expect("=")
            aliases[alias] = cursor.unit()
            return
        name = cursor.name()
        cursor.expect("=")
        into.constants.append(_factor(cursor, name, aliases))

    _entries(cursor, into, "UNITS", entry)


def _factor(cursor: Cursor, name: str, aliases: dict[str, str]) -> Declared:
    if cursor.at_number():
        value = cursor.number()
        return Declared(name, value, cursor.unit(), None, None, None)
    source = _unit_words(cursor)
    cursor.accept("->")
    target = _unit_words(cursor)
    try:
        value = factor_between(source, target, aliases)
    except UnknownUnitError as unknown:
        raise UnexpectedToken from unknown
    return Declared(name, value, "".join(target.split()), None, None, None)


def _unit_words(cursor: Cursor) -> str:
    """Pass a unit in brackets, with its blanks, which multiply."""
    start = cursor.peek().end
    if not cursor.unit():
        raise UnexpectedToken
    return cursor.tokens.text[start : cursor.peek(-1).start]
