"""Values of the variables of a component at many voltages at once, computed when asked for.

A name means what the component itself says, else what the component around it says, and so on, as
requirements of LEMS types do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bnnkg.kinetics.arithmetic import (
    Numeric,
    Unknown,
    Value,
    apply_function,
    apply_operator,
    apply_sign,
)
from bnnkg.kinetics.lems_expressions import read_expression
from bnnkg.kinetics.lems_types import STANDARD_TYPES, Component, Derived, DynamicsType
from bnnkg.kinetics.syntax import Binary, Call, Expression, Name, Number, Unary

MAX_DEPTH = 60
"""Variables that need each other in a row; real types go to about six."""
_OTHER_NAMES = {"ln": "log"}
_NO_UNIT = np.float64(1.0)


@dataclass
class Surroundings:
    """What is around a channel.

    Attributes:
        values: The potential in V, the temperature in K, concentrations in mM, by name.
        types: Component types of the source; NeuroML's own go before them.
        asked: Which of the values anything has read.
    """

    values: Mapping[str, Value]
    types: Mapping[str, DynamicsType]
    asked: set[str] = field(default_factory=set)

    def chain(self, name: str) -> list[DynamicsType]:
        """A type and those that it extends, nearest first."""
        found: list[DynamicsType] = []
        at: str | None = name
        while at is not None:
            one = STANDARD_TYPES.get(at) or self.types.get(at)
            if one is None or one in found:
                break
            found.append(one)
            at = one.extends
        return found

    def read(self, name: str) -> Value:
        """One of the values."""
        if name not in self.values:
            return Unknown(f"nothing gives {name} a value")
        self.asked.add(name)
        return self.values[name]


class Scope:
    """The variables of one component.

    Args:
        component: The component.
        around: The scope that it stands in, or what is around the whole.
        states: Values of state variables by name.
    """

    def __init__(
        self,
        component: Component,
        around: Scope | Surroundings,
        states: Mapping[str, Value] | None = None,
    ) -> None:
        self.component = component
        self._around = around
        self._top: Surroundings = around._top if isinstance(around, Scope) else around
        self._chain = self._top.chain(component.type)
        self._known: dict[str, Value] = dict(states or {})
        self._in_progress: set[str] = set()
        self._parts: dict[int, Scope] = {}

    @property
    def is_known(self) -> bool:
        """Whether its type is one of NeuroML's or of the source."""
        return bool(self._chain)

    def part(self, part: Component) -> Scope:
        """The scope of a component in this one."""
        return self._parts.setdefault(id(part), Scope(part, self))

    def has(self, name: str) -> bool:
        """Whether the component itself gives the variable."""
        return self._derived(name) is not None or name in self.component.values

    def state(self) -> str | None:
        """Its only state variable; absent where it has none, or several."""
        names = {name for one in self._chain for name in one.derivatives}
        return names.pop() if len(names) == 1 else None

    def with_state(self, state: str, value: float) -> Scope:
        """The same with a value for a state variable."""
        return Scope(self.component, self._around, {state: np.float64(value)})

    def derivative(self, state: str) -> Value:
        """The time derivative of a state variable."""
        texts = [one.derivatives[state] for one in self._chain if state in one.derivatives]
        return self._expression(texts[0]) if texts else Unknown(f"no equation changes {state}")

    def value(self, name: str) -> Value:
        """The value of a variable; unknown, with the reason, where it has none."""
        if name not in self._known:
            if name in self._in_progress or len(self._in_progress) > MAX_DEPTH:
                return Unknown(f"{name} depends on itself, or on too many others")
            self._in_progress.add(name)
            self._known[name] = self._find(name)
            self._in_progress.discard(name)
        return self._known[name]

    def _find(self, name: str) -> Value:
        if name in self.component.values:
            return np.float64(self.component.values[name])
        derived = self._derived(name)
        if derived is not None:
            return self._select(derived) if derived.select else self._cases(derived)
        for one in self._chain:
            if name in one.constants:
                return np.float64(one.constants[name])
        around = self._around
        return around.value(name) if isinstance(around, Scope) else around.read(name)

    def _derived(self, name: str) -> Derived | None:
        return next((one.variables[name] for one in self._chain if name in one.variables), None)

    # ------------------------------------------------------------------ what derives a variable

    def _select(self, derived: Derived) -> Value:
        role, _, name = (derived.select or "").partition("/")
        parts = [part for part in self.component.parts if part.role == role.partition("[")[0]]
        values = [self._of_part(part, name) for part in parts]
        if derived.reduce is None:
            return values[0] if values else Unknown(f"there is no {role} in it")
        operator, start = ("*", 1.0) if derived.reduce == "multiply" else ("+", 0.0)
        total: Value = np.float64(start)
        for value in values:
            total = apply_operator(operator, total, value)
        return total

    def _of_part(self, part: Component, name: str) -> Value:
        scope = self.part(part)
        if not scope.is_known:
            return Unknown(f"its {part.role} is of the type {part.type}, which nothing defines")
        return scope.value(name)

    def _cases(self, derived: Derived) -> Value:
        """The value of the first case that holds, voltage by voltage; zero where none does."""
        result: Value = np.float64(0)
        for condition, text in reversed(derived.cases):
            value = self._expression(text)
            holds = _NO_UNIT if condition is None else self._expression(condition)
            result = _where(holds, value, result)
        return result

    def _expression(self, text: str) -> Value:
        tree = read_expression(text)
        return tree if isinstance(tree, Unknown) else self._evaluate(tree)

    def _evaluate(self, tree: Expression) -> Value:
        match tree:
            case Number(number):
                return np.float64(number)
            case Name(name):
                return self.value(name)
            case Unary(operator, operand):
                return apply_sign(operator, self._evaluate(operand))
            case Binary(operator, left, right):
                return apply_operator(operator, self._evaluate(left), self._evaluate(right))
            case Call(function, arguments):
                return _call(function, [self._evaluate(each) for each in arguments])
        return Unknown("this is no expression of LEMS")


def evaluate_expression(text: str, values: Mapping[str, Value]) -> Numeric | str:
    """The value of an expression of LEMS.

    Args:
        text: The expression.
        values: What its names mean.

    Returns:
        The value, or why it has none.
    """
    scope = Scope(
        Component("", ""),
        Surroundings(values, {"": DynamicsType("", variables={"": Derived(((None, text),))})}),
    )
    try:
        with np.errstate(all="ignore"):
            found = scope.value("")
    except RecursionError:
        return "it is nested too deeply"
    if isinstance(found, Unknown):
        return found.reason
    return found if np.isfinite(found).all() else "it is not finite everywhere"


def _where(holds: Value, value: Value, other: Value) -> Value:
    if isinstance(holds, Unknown):
        return holds
    if not np.any(holds):
        return other
    if np.all(holds) or isinstance(value, Unknown):
        return value
    return other if isinstance(other, Unknown) else np.where(holds, value, other)


def _step(x: Any) -> Any:
    """Heaviside's function, one at zero."""
    return np.heaviside(x, 1.0)


_OWN_FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {"H": _step}


def _call(function: str, arguments: Sequence[Value]) -> Value:
    own = _OWN_FUNCTIONS.get(function)
    if own is not None and len(arguments) == 1 and not isinstance(arguments[0], Unknown):
        result: Value = own(arguments[0])
        return result
    if function == "random":
        return Unknown("it is random")
    found = apply_function(_OTHER_NAMES.get(function, function), arguments)
    if isinstance(found, Unknown) and found.reason.startswith(f"function {function} "):
        return Unknown(f"LEMS has no function {function} of {len(arguments)}")
    return found
