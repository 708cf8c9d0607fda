"""What a .mod file says, as a tree of frozen values (NMODL's own terms)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Number:
    """A number; its unit annotation has no effect in NMODL and is not kept."""

    value: float


@dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Element:
    """An element of an array, ``name[index]``."""

    name: str
    index: Expression


@dataclass(frozen=True, slots=True)
class Call:
    """A function's value."""

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A string, which only calls take."""

    text: str


@dataclass(frozen=True, slots=True)
class Unary:
    """``-x`` or ``!x``."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    """An operation on two values; ``^`` is a power, comparisons give 0 or 1."""

    operator: str
    left: Expression
    right: Expression


Variable: TypeAlias = Name | Element
Expression: TypeAlias = Number | Name | Element | Call | Text | Unary | Binary


@dataclass(frozen=True, slots=True)
class Assign:
    """``x = value``; a derivative ``x' = value`` has order 1."""

    target: Variable
    order: int
    value: Expression


@dataclass(frozen=True, slots=True)
class CallStatement:
    """A call for its effect."""

    call: Call


@dataclass(frozen=True, slots=True)
class If:
    """Conditions with their statements, tried in order, and what is done where none holds."""

    branches: tuple[tuple[Expression, tuple[Statement, ...]], ...]
    otherwise: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class While:
    """``WHILE (condition) { ... }``."""

    condition: Expression
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class FromTo:
    """``FROM variable = first TO last BY step { ... }``, the last one included."""

    variable: str
    first: Expression
    last: Expression
    step: Expression | None
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class ForNetcons:
    """``FOR_NETCONS (weights) { ... }``."""

    arguments: tuple[str, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Statements in braces of their own, or the ``INITIAL`` of a ``NET_RECEIVE``."""

    heading: str
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Solve:
    """``SOLVE block METHOD method`` or ``SOLVE block STEADYSTATE method``."""

    block: str
    method: str
    steady_state: bool


@dataclass(frozen=True, slots=True)
class Term:
    """A reactant and how many of it."""

    count: int
    variable: Variable


@dataclass(frozen=True, slots=True)
class Reaction:
    """``~ left <-> right (forward, backward)``, ``~ left -> (forward)``, ``~ left << (flux)``."""

    arrow: str
    left: tuple[Term, ...]
    right: tuple[Term, ...]
    forward: Expression
    backward: Expression | None


@dataclass(frozen=True, slots=True)
class Conserve:
    """``CONSERVE a + b = total``."""

    terms: tuple[Term, ...]
    total: Expression


@dataclass(frozen=True, slots=True)
class Compartment:
    """``COMPARTMENT index, size {states}``, and ``LONGITUDINAL_DIFFUSION`` in the same form."""

    keyword: str
    index: str
    size: Expression
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Equation:
    """``~ left = right`` of a LINEAR or NONLINEAR block; ``~+`` adds to the one before."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Local:
    """``LOCAL a, b[3]``, with the sizes of arrays."""

    names: tuple[tuple[str, int | None], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """``TABLE names DEPEND names FROM first TO last WITH n``."""

    names: tuple[str, ...]
    depends: tuple[str, ...]
    first: Expression
    last: Expression
    n: int


@dataclass(frozen=True, slots=True)
class Watch:
    """``WATCH (condition) flag, ...``."""

    conditions: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True, slots=True)
class Conductance:
    """``CONDUCTANCE g USEION ion``."""

    name: str
    ion: str


@dataclass(frozen=True, slots=True)
class Verbatim:
    """C code in between."""

    code: str


@dataclass(frozen=True, slots=True)
class Raw:
    """What is no statement that is known, its tokens joined by blanks."""

    text: str


Statement: TypeAlias = (
    Assign
    | CallStatement
    | If
    | While
    | FromTo
    | ForNetcons
    | Group
    | Solve
    | Reaction
    | Conserve
    | Compartment
    | Equation
    | Local
    | Table
    | Watch
    | Conductance
    | Verbatim
    | Raw
)


def walk(body: Iterable[Statement]) -> Iterator[Statement]:
    """Every statement of a body, with those within others after them."""
    for statement in body:
        yield statement
        match statement:
            case If(branches, otherwise):
                for _, inner in branches:
                    yield from walk(inner)
                yield from walk(otherwise)
            case While(_, inner) | FromTo(_, _, _, _, inner):
                yield from walk(inner)
            case ForNetcons(_, inner) | Group(_, inner):
                yield from walk(inner)


@dataclass(frozen=True, slots=True)
class Block:
    """A block with statements.

    Attributes:
        kind: Its keyword (``PROCEDURE``, ``DERIVATIVE``, ``INITIAL`` ...).
        name: Its name, and of ``BEFORE`` and ``AFTER`` what they stand before or after.
        arguments: Of a function, a procedure or ``NET_RECEIVE``.
        body: Its statements; none of a ``FUNCTION_TABLE``.
    """

    kind: str
    name: str
    arguments: tuple[str, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Ion:
    """``USEION name READ ... WRITE ... VALENCE ...``."""

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    valence: float | None


@dataclass(frozen=True, slots=True)
class Declared:
    """A variable with what its declaration says, absent where it says nothing.

    Attributes:
        name: Its name.
        value: Of a parameter or constant; the ``START`` of a state.
        unit: As written, without blanks.
        low: Least value.
        high: Greatest value.
        size: Number of elements of an array.
    """

    name: str
    value: float | None
    unit: str
    low: float | None
    high: float | None
    size: int | None


@dataclass(frozen=True, slots=True)
class ModFile:
    """One .mod file.

    Attributes:
        title: Text after ``TITLE``.
        kind: A density mechanism, a point process or an artificial cell.
        name: Its ``SUFFIX`` or the name of the process; the file's, where it names none.
        ions: Ions that it uses.
        nonspecific_currents: Currents of no ion.
        electrode_currents: Currents of an electrode.
        range_names: Variables that each segment has.
        global_names: Variables that all segments share.
        pointers: ``POINTER`` and ``BBCOREPOINTER`` variables.
        externals: Variables of other mechanisms.
        parameters: ``PARAMETER``.
        assigned: ``ASSIGNED``.
        states: ``STATE``.
        constants: ``CONSTANT``, and the factors of ``UNITS``.
        blocks: Blocks with statements, in the order of the file.
        net_receive: Arguments of ``NET_RECEIVE``, absent without one.
        verbatim: C code of the ``VERBATIM`` blocks.
        includes: Files that are included.
        statements: The canonical statements (:mod:`bnnkg.kinetics.canonical`).
    """

    title: str
    kind: Literal["density", "point", "artificial"]
    name: str
    ions: tuple[Ion, ...]
    nonspecific_currents: tuple[str, ...]
    electrode_currents: tuple[str, ...]
    range_names: tuple[str, ...]
    global_names: tuple[str, ...]
    pointers: tuple[str, ...]
    externals: tuple[str, ...]
    parameters: tuple[Declared, ...]
    assigned: tuple[Declared, ...]
    states: tuple[Declared, ...]
    constants: tuple[Declared, ...]
    blocks: tuple[Block, ...]
    net_receive: tuple[str, ...] | None
    verbatim: tuple[str, ...]
    includes: tuple[str, ...]
    statements: tuple[str, ...]
