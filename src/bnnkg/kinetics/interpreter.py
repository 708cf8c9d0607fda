"""Runs the blocks of a mechanism over many voltages and state values at once.

Nothing of the file becomes Python: its tree is walked. A condition that holds at some voltages only
runs both ways, each where it applies. What cannot be known (C code, pointers, tables without data,
random numbers) is an :class:`Unknown` that only matters where something is computed from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnkg.kinetics.arithmetic import (
    Unknown,
    Value,
    apply_function,
    apply_operator,
    apply_sign,
)
from bnnkg.kinetics.effects import names_set, names_set_in_c
from bnnkg.kinetics.syntax import (
    Assign,
    Binary,
    Block,
    Call,
    CallStatement,
    Compartment,
    Conserve,
    Element,
    Expression,
    FromTo,
    Group,
    If,
    Local,
    Name,
    Number,
    Raw,
    Reaction,
    Solve,
    Statement,
    Term,
    Text,
    Unary,
    Variable,
    Verbatim,
    While,
)

MAX_STEPS = 200_000
MAX_STORED = 30_000_000
MAX_CALLS = 12

_IN_C = "VERBATIM code sets it"


class CannotEvaluateError(Exception):
    """The blocks of this mechanism cannot be run; the message says why."""


class Machine:
    """The variables of a mechanism while its blocks run.

    Attributes:
        variables: Values by name; those of arrays as ``name[index]``.
        derivatives: What ``x' = ...`` and the reactions gave, by the name of x.
        conserved: Sums of states that ``CONSERVE`` fixes: their terms by name, and the total.
        written: Names of variables that a statement has set.
    """

    def __init__(self, blocks: Sequence[Block], variables: dict[str, Value]) -> None:
        self.variables = variables
        self.derivatives: dict[str, Value] = {}
        self.conserved: list[tuple[dict[str, int], Value]] = []
        self.written: set[str] = set()
        self.solving = True
        self._blocks = {block.name: block for block in blocks if block.name}
        self._frames: list[dict[str, Value]] = []
        self._functions: list[str] = []
        self._mask: NDArray[np.bool_] | None = None
        self._steps = 0
        self._stored = 0
        self._sizes: dict[str, Value] = {}

    def run(self, body: Sequence[Statement]) -> None:
        """Run the statements of a block."""
        self._frames.append({})
        self._body(body)
        self._frames.pop()

    def _body(self, body: Sequence[Statement]) -> None:
        for statement in body:
            self._count()
            action = _ACTIONS.get(type(statement))
            if action is not None:
                action(self, statement)

    def _count(self) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise CannotEvaluateError("its blocks run for too long")

    # values

    def value(self, expression: Expression) -> Value:
        """The value of an expression."""
        self._count()
        match expression:
            case Number(number):
                return np.float64(number)
            case Name(name):
                return self._read(name)
            case Binary():
                return self._chain(expression)
            case Call(function, arguments):
                return self._call(function, [self.value(each) for each in arguments])
            case Unary(operator, operand):
                return apply_sign(operator, self.value(operand))
            case Element():
                return self._read(self._key(expression))
            case Text():
                return Unknown("a string is no number")

    def _chain(self, expression: Binary) -> Value:
        """Operations that lean to the left, without recursion along them."""
        links: list[Binary] = []
        left: Expression = expression
        while isinstance(left, Binary):
            links.append(left)
            left = left.left
        value = self.value(left)
        for link in reversed(links):
            self._count()
            value = apply_operator(link.operator, value, self.value(link.right))
        return value

    def _key(self, variable: Variable) -> str:
        if isinstance(variable, Name):
            return variable.name
        return f"{variable.name}[{self._whole_number(variable.index, 'an index')}]"

    def _whole_number(self, expression: Expression, what: str) -> int:
        value = self.value(expression)
        if isinstance(value, Unknown):
            raise CannotEvaluateError(value.reason)
        least = np.min(value)
        if not np.isfinite(least) or np.any(value != least):
            raise CannotEvaluateError(f"{what} depends on the voltage")
        return int(least)

    def _read(self, name: str) -> Value:
        if self._frames and name in self._frames[-1]:
            return self._frames[-1][name]
        if name in self.variables:
            return self.variables[name]
        return Unknown(f"{name} is not declared")

    def _store(self, name: str, value: Value) -> None:
        scope = self.variables
        if self._frames and name in self._frames[-1]:
            scope = self._frames[-1]
        else:
            self.written.add(name)
        scope[name] = self._where_masked(value, scope.get(name, np.float64(0)))

    def _where_masked(self, value: Value, old: Value) -> Value:
        if isinstance(value, Unknown) or self._mask is None:
            stored = value
        elif isinstance(old, Unknown):
            return old
        else:
            stored = np.where(self._mask, value, old)
        self._stored += np.size(stored) if not isinstance(stored, Unknown) else 1
        if self._stored > MAX_STORED:
            raise CannotEvaluateError("its blocks hold too many values")
        return stored

    # calls

    def _call(self, function: str, arguments: list[Value]) -> Value:
        block = self._blocks.get(function)
        if block is None:
            return apply_function(function, arguments)
        if block.kind == "FUNCTION_TABLE":
            return Unknown(f"FUNCTION_TABLE {function} has no data in the file")
        if len(self._frames) > MAX_CALLS:
            raise CannotEvaluateError(f"{function} calls itself too deeply")
        if len(arguments) < len(block.arguments):
            return Unknown(f"{function} is called with too few arguments")
        frame: dict[str, Value] = dict(zip(block.arguments, arguments, strict=False))
        if block.kind == "FUNCTION":
            frame[function] = np.float64(0)
        self._frames.append(frame)
        self._functions.append(function)
        self._body(block.body)
        self._functions.pop()
        return self._frames.pop().get(function, np.float64(0))

    # statements

    def _assign(self, statement: Assign) -> None:
        name = self._key(statement.target)
        value = self.value(statement.value)
        if statement.order:
            old = self.derivatives.get(name, np.float64(0))
            self.derivatives[name] = self._where_masked(value, old)
        else:
            self._store(name, value)

    def _call_statement(self, statement: CallStatement) -> None:
        if statement.call.function in self._blocks:
            self.value(statement.call)

    def _local(self, statement: Local) -> None:
        for name, size in statement.names:
            keys = [name] if size is None else elements(name, size)
            self._frames[-1].update(dict.fromkeys(keys, np.float64(0)))

    def _if(self, statement: If) -> None:
        outer = self._mask
        for condition, body in statement.branches:
            value = self.value(condition)
            if isinstance(value, Unknown):
                self._forget(names_set(statement, self._blocks), value)
                break
            holds = np.asarray(value != 0)
            self._masked(holds, body)
            self._narrow(~holds)
        else:
            self._masked(np.True_, statement.otherwise)
        self._mask = outer

    def _forget(self, names: set[str], value: Unknown) -> None:
        for key in [key for key in self.variables if key.partition("[")[0] in names]:
            self._store(key, value)
        for name in names:
            self._store(name, value)

    def _masked(self, holds: Any, body: Sequence[Statement]) -> None:
        outer = self._mask
        self._narrow(holds)
        if self._mask is None or np.any(self._mask):
            self._body(body)
        self._mask = outer

    def _narrow(self, holds: Any) -> None:
        if self._mask is not None:
            self._mask = np.logical_and(self._mask, holds)
        elif not np.all(holds):
            self._mask = np.asarray(holds)

    def _while(self, statement: While) -> None:
        outer = self._mask
        while True:
            value = self.value(statement.condition)
            if isinstance(value, Unknown):
                raise CannotEvaluateError(value.reason)
            self._narrow(value != 0)
            if self._mask is not None and not np.any(self._mask):
                break
            self._body(statement.body)
        self._mask = outer

    def _from_to(self, statement: FromTo) -> None:
        first = self._whole_number(statement.first, "a loop")
        last = self._whole_number(statement.last, "a loop")
        step = 1 if statement.step is None else self._whole_number(statement.step, "a loop")
        if step < 1:
            raise CannotEvaluateError("a loop has no end")
        for index in range(first, last + 1, step):
            self._count()
            self._frames[-1][statement.variable] = np.float64(index)
            self._body(statement.body)

    def _group(self, statement: Group) -> None:
        if not statement.heading:
            self._body(statement.body)

    def _verbatim(self, statement: Verbatim) -> None:
        names, returns = names_set_in_c(statement.code)
        self._forget({*names, *(self._functions[-1:] if returns else ())}, Unknown(_IN_C))

    def _raw(self, statement: Raw) -> None:
        raise CannotEvaluateError(f"a statement is not understood: {statement.text[:60]}")

    # differential equations

    def _solve(self, statement: Solve) -> None:
        block = self._blocks.get(statement.block)
        if not self.solving or block is None:
            return
        if block.kind in ("LINEAR", "NONLINEAR"):
            raise CannotEvaluateError(f"{block.kind} blocks are not evaluated")
        self._sizes = {}
        self.run(block.body)

    def _compartment(self, statement: Compartment) -> None:
        if statement.keyword != "COMPARTMENT":
            return
        if statement.index:
            raise CannotEvaluateError("its states have compartments of many sizes")
        self._sizes.update(dict.fromkeys(statement.states, self.value(statement.size)))

    def _reaction(self, statement: Reaction) -> None:
        forward = self.value(statement.forward)
        if statement.arrow == "<<":
            self._add(statement.left[0], forward)
            return
        flux = self._mass_action(forward, statement.left)
        if statement.backward is not None:
            back = self._mass_action(self.value(statement.backward), statement.right)
            flux = apply_operator("-", flux, back)
        for term in statement.left:
            self._add(term, apply_sign("-", flux))
        for term in statement.right:
            self._add(term, flux)

    def _mass_action(self, rate: Value, terms: Sequence[Term]) -> Value:
        for term in terms:
            for _ in range(min(term.count, 9)):
                rate = apply_operator("*", rate, self._read(self._key(term.variable)))
        return rate

    def _add(self, term: Term, flux: Value) -> None:
        name = self._key(term.variable)
        change = apply_operator("*", np.float64(term.count), flux)
        if name in self._sizes:
            change = apply_operator("/", change, self._sizes[name])
        old = self.derivatives.get(name, np.float64(0))
        self.derivatives[name] = apply_operator("+", old, change)

    def _conserve(self, statement: Conserve) -> None:
        terms = {self._key(term.variable): term.count for term in statement.terms}
        self.conserved.append((terms, self.value(statement.total)))


_ACTIONS: dict[type, Callable[[Machine, Any], None]] = {
    Assign: Machine._assign,
    CallStatement: Machine._call_statement,
    Local: Machine._local,
    If: Machine._if,
    While: Machine._while,
    FromTo: Machine._from_to,
    Group: Machine._group,
    Verbatim: Machine._verbatim,
    Raw: Machine._raw,
    Solve: Machine._solve,
    Compartment: Machine._compartment,
    Reaction: Machine._reaction,
    Conserve: Machine._conserve,
}


def elements(name: str, size: int) -> list[str]:
    """Names of an array's elements, as :class:`Machine` keeps them."""
    if size > 10_000:
        raise CannotEvaluateError(f"array {name} is too large")
    return [f"{name}[{index}]" for index in range(size)]
