"""What the events of a synapse do to the ones that follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from bnnkg.ingest.neuron.mod_currents import every_statement, names_in
from bnnkg.kinetics import ModFile
from bnnkg.kinetics.arithmetic import Value
from bnnkg.kinetics.interpreter import CannotEvaluateError, Machine
from bnnkg.kinetics.syntax import (
    Assign,
    Block,
    Call,
    CallStatement,
    Element,
    ForNetcons,
    Group,
    If,
    Name,
    Statement,
    Watch,
)

_SOME = 0.3
"""What a variable without a value is taken to be; also the time, so that no time has passed."""
_NOTICEABLE = 1e-9


def short_term_plasticity(mod: ModFile) -> str | None:
    """Whether an event makes the next one, at the same time, weaker or stronger.

    ``NET_RECEIVE`` is run on numbers. What changes in proportion to the weight is the response.
    Where something else that an event changes scales that response, the synapse is plastic: it
    depresses where the response is then smaller, and facilitates where it is larger. What recovers
    with time does not show, as none passes. Synapses that answer to the postsynaptic side as well
    change for longer and are not told.

    Returns:
        depression, facilitation, or "depression and facilitation"; absent where neither is seen.
    """
    block = next((one for one in mod.blocks if one.kind == "NET_RECEIVE"), None)
    if block is None or not block.arguments or _answers_to_the_cell(block):
        return None
    try:
        with np.errstate(all="ignore"):
            return _seen(_Receiver(mod, block))
    except CannotEvaluateError:
        return None


def names_at_events(mod: ModFile) -> frozenset[str]:
    """Variables that what happens at an event may depend on."""
    kinds = ("NET_RECEIVE", "FUNCTION", "PROCEDURE")
    found = (names_in(block.body) for block in mod.blocks if block.kind in kinds)
    return frozenset().union(*found)


def _answers_to_the_cell(block: Block) -> bool:
    return any(isinstance(one, Watch | ForNetcons) for one in every_statement(block.body))


class _Receiver:
    """A synapse that can be sent an event."""

    def __init__(self, mod: ModFile, block: Block) -> None:
        self.weight = block.arguments[0]
        self._blocks = [one for one in mod.blocks if one.kind in ("FUNCTION", "PROCEDURE")]
        self._body = _with_jumps(block.body)
        variables = (*mod.assigned, *mod.states, *mod.parameters, *mod.constants)
        named = {one.name: _SOME if one.value is None else one.value for one in variables}
        some = dict.fromkeys((*block.arguments, "t", "v", "celsius", "dt"), _SOME)
        self.before = named | dict.fromkeys((one.name for one in mod.states), _SOME) | some

    def event(self, changed: Mapping[str, float]) -> dict[str, float]:
        """The variables that an event sets, after it."""
        variables = {**self.before, **changed, "flag": 0.0}
        values: dict[str, Value] = {name: np.float64(value) for name, value in variables.items()}
        machine = Machine(self._blocks, values)
        machine.run(self._body)
        return dict(_known(machine, machine.written & self.before.keys()))


def _known(machine: Machine, names: Iterable[str]) -> Iterable[tuple[str, float]]:
    for name in names:
        value = machine.variables[name]
        if isinstance(value, np.ndarray | np.floating) and np.isfinite(value).all():
            yield name, float(value)


def _seen(synapse: _Receiver) -> str | None:
    before = synapse.before
    once = synapse.event({})
    twice = synapse.event({synapse.weight: 2 * _SOME})
    jumps = {name: once[name] - before[name] for name in once.keys() & twice.keys()}
    responses = {
        name: jump
        for name, jump in jumps.items()
        if abs(jump) > _NOTICEABLE and np.isclose(twice[name] - before[name], 2 * jump)
    }
    effects = set()
    for name, jump in jumps.items():
        if name in responses or abs(jump) <= _NOTICEABLE:
            continue
        after = synapse.event({name: once[name]})
        for response, first in responses.items():
            ratio = (after.get(response, np.nan) - before[response]) / first
            if abs(ratio - 1) > _NOTICEABLE:
                effects.add("depression" if ratio < 1 else "facilitation")
    return " and ".join(sorted(effects)) or None


def _with_jumps(body: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """The statements with ``state_discontinuity(x, value)`` as the assignment that it is."""
    return tuple(map(_with_jump, body))


def _with_jump(statement: Statement) -> Statement:
    match statement:
        case CallStatement(Call("state_discontinuity", (Name() | Element() as target, value))):
            return Assign(target, 0, value)
        case If(branches, otherwise):
            inner = tuple((condition, _with_jumps(part)) for condition, part in branches)
            return If(inner, _with_jumps(otherwise))
        case Group(heading, part):
            return Group(heading, _with_jumps(part))
    return statement
