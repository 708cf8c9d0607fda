"""What the currents of a mechanism are made of, read from its equations.

A current is a conductance times a driving force where it is a sum of products that each have a
factor ``v - e`` (or ``e - v``, or ``v`` alone) with an ``e`` that does not depend on ``v``. What
else is in such a product is its conductance. Variables that ``BREAKPOINT`` or a procedure that it
calls assigns stand for what they are assigned. Functions are not taken apart, and ``v`` alone is no
driving force where the rest depends on it: a Goldman-Hodgkin-Katz flux is no conductance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bnnkg.kinetics import ModFile
from bnnkg.kinetics.syntax import (
    Assign,
    Binary,
    Call,
    CallStatement,
    Element,
    Expression,
    ForNetcons,
    FromTo,
    Group,
    If,
    Name,
    Number,
    Reaction,
    Solve,
    Statement,
    Unary,
    While,
)

VOLTAGE = Name("v")
_CALLABLE = frozenset({"PROCEDURE", "FUNCTION", "DERIVATIVE"})


def current_names(mod: ModFile) -> tuple[str, ...]:
    """The currents that a mechanism makes: of ions, of none, of electrodes."""
    of_ions = [name for ion in mod.ions for name in ion.writes if name == f"i{ion.name}"]
    return (*of_ions, *mod.nonspecific_currents, *mod.electrode_currents)


@dataclass(frozen=True)
class Drive:
    """A product with a driving force.

    Attributes:
        reversal: Where it vanishes; absent where the potential itself is the driving force.
        conductance: The other factors.
    """

    reversal: Expression | None
    conductance: tuple[Expression, ...]


class Currents:
    """The equations of a mechanism's currents."""

    def __init__(self, mod: ModFile) -> None:
        self._values = assigned_values(mod)
        self._states = frozenset(one.name for one in mod.states)

    def drives(self, names: Iterable[str]) -> tuple[Drive, ...] | None:
        """The products that these currents are sums of; absent where one has another form."""
        found: list[Drive] = []
        for name in names:
            part = self._of_name(name, frozenset())
            if part is None or any(map(self._is_no_conductance, part)):
                return None
            found += part
        return tuple(found) or None

    def _is_no_conductance(self, drive: Drive) -> bool:
        return drive.reversal is None and any(map(self.depends_on_voltage, drive.conductance))

    def _of_name(self, name: str, within: frozenset[str]) -> list[Drive] | None:
        if name in within:
            return []
        values = [value for value in self._values.get(name, ()) if value != Number(0)]
        return self._of_all(values, within | {name}) if values else None

    def _of_all(self, values: Iterable[Expression], within: frozenset[str]) -> list[Drive] | None:
        found: list[Drive] = []
        for value in values:
            part = self._of(value, within)
            if part is None:
                return None
            found += part
        return found

    def _of(self, value: Expression, within: frozenset[str]) -> list[Drive] | None:
        match value:
            case Name("v"):
                return [Drive(None, ())]
            case Name(name):
                return self._of_name(name, within)
            case Unary("-", operand):
                return self._of(operand, within)
            case Binary("+" | "-", left, right):
                return self._difference(value) or self._of_all((left, right), within)
            case Binary("*", left, right):
                product = self._product(left, right, within)
                return self._product(right, left, within) if product is None else product
            case Binary("/", left, right):
                return self._product(left, right, within)
        return None

    def _difference(self, value: Binary) -> list[Drive] | None:
        if VOLTAGE not in (value.left, value.right):
            return None
        other = value.right if value.left == VOLTAGE else value.left
        if self.depends_on_voltage(other):
            return None
        return [Drive(Unary("-", other) if value.operator == "+" else other, ())]

    def _product(
        self, driving: Expression, other: Expression, within: frozenset[str]
    ) -> list[Drive] | None:
        drives = self._of(driving, within)
        if drives is None:
            return None
        return [Drive(one.reversal, (*one.conductance, other)) for one in drives]

    def depends_on_voltage(self, value: Expression) -> bool:
        """Whether a value follows the membrane potential at once, not by way of a state."""
        return any(inner == VOLTAGE for inner in self.behind(value))

    def behind(self, value: Expression) -> Iterator[Expression]:
        """A value, all within it, and all within what the names in it are assigned, but states."""
        waiting, seen = [value], set[str]()
        while waiting:
            for inner in walk(waiting.pop()):
                yield inner
                name = _name(inner)
                if name is not None and name not in seen and name not in self._states:
                    seen.add(name)
                    waiting += self._values.get(name, ())


def _name(value: Expression) -> str | None:
    if isinstance(value, Call):
        return value.function
    return value.name if isinstance(value, Name | Element) else None


def assigned_values(mod: ModFile) -> dict[str, list[Expression]]:
    """What ``BREAKPOINT`` and all that it calls and solves assign to each name.

    An argument counts as assigned what it is called with, a function what it returns.
    """
    callable_blocks = {block.name: block for block in mod.blocks if block.kind in _CALLABLE}
    values: dict[str, list[Expression]] = {}
    waiting = [block for block in mod.blocks if block.kind == "BREAKPOINT"]
    seen = set[str]()
    while waiting:
        block = waiting.pop()
        for statement in every_statement(block.body):
            if isinstance(statement, Assign) and statement.order == 0:
                values.setdefault(statement.target.name, []).append(statement.value)
        for name, arguments in _calls(block.body):
            called = callable_blocks.get(name)
            if called is None:
                continue
            for own, given in zip(called.arguments, arguments, strict=False):
                values.setdefault(own, []).append(given)
            if name not in seen:
                seen.add(name)
                waiting.append(called)
    return values


def _calls(body: tuple[Statement, ...]) -> Iterator[tuple[str, tuple[Expression, ...]]]:
    for statement in every_statement(body):
        if isinstance(statement, Solve):
            yield statement.block, ()
        for value in expressions(statement):
            for inner in walk(value):
                if isinstance(inner, Call):
                    yield inner.function, inner.arguments


def every_statement(body: tuple[Statement, ...]) -> Iterator[Statement]:
    """Statements in their order, each before those within it."""
    for statement in body:
        yield statement
        if isinstance(statement, If):
            for _, branch in statement.branches:
                yield from every_statement(branch)
            yield from every_statement(statement.otherwise)
        elif isinstance(statement, While | FromTo | ForNetcons | Group):
            yield from every_statement(statement.body)


def expressions(statement: Statement) -> tuple[Expression, ...]:
    """The values that a statement itself computes, without those of statements within it."""
    if isinstance(statement, Assign):
        return (statement.value,)
    if isinstance(statement, CallStatement):
        return (statement.call,)
    if isinstance(statement, If):
        return tuple(condition for condition, _ in statement.branches)
    if isinstance(statement, Reaction):
        return (statement.forward, statement.backward or Number(0))
    if isinstance(statement, FromTo):
        return (statement.first, statement.last)
    return (statement.condition,) if isinstance(statement, While) else ()


def used_names(mod: ModFile) -> set[str]:
    """The variables that some value of its blocks is computed from."""
    return set().union(*(names_in(block.body) for block in mod.blocks))


def names_in(body: tuple[Statement, ...]) -> set[str]:
    """The variables that some value within statements is computed from."""
    values = (value for statement in every_statement(body) for value in expressions(statement))
    inner = (one for value in values for one in walk(value))
    return {one.name for one in inner if isinstance(one, Name | Element)}


def walk(value: Expression) -> Iterator[Expression]:
    """An expression and all within it."""
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        yield inner
        if isinstance(inner, Unary):
            waiting.append(inner.operand)
        elif isinstance(inner, Binary):
            waiting += (inner.left, inner.right)
        elif isinstance(inner, Call):
            waiting += inner.arguments
        elif isinstance(inner, Element):
            waiting.append(inner.index)
