"""How often a state stands in the current of its channel: m is cubed in g m^3 h (v - e)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bnnkg.kinetics.arithmetic import Unknown, Value
from bnnkg.kinetics.probing import Clamp, Floats, state_names
from bnnkg.kinetics.surroundings import currents
from bnnkg.kinetics.syntax import ModFile

_PROBE_mV = -33.7
_LARGEST = 12


def exponents(clamp: Clamp) -> dict[str, int | None]:
    """The power of each state in the currents; absent where there is no single whole one.

    With the other states at 1, (I(1) - I(0)) / (I(1/2) - I(0)) = 2^p where I goes with x^p.
    Parameters that are zero (a conductance that is set where the channel is inserted) count as
    one where no current flows without them.
    """
    clamp = replace(clamp, v_mV=np.array([_PROBE_mV]))
    found = _powers(clamp)
    if any(power is None for power in found.values()):
        zero = dict.fromkeys(_zero_names(clamp.mod), 1.0)
        again = _powers(replace(clamp, parameters={**zero, **clamp.parameters}))
        found = {name: found[name] or again[name] for name in found}
    return found


def _zero_names(mod: ModFile) -> set[str]:
    around = {"v", "celsius", "dt", "t", "diam", "area"}
    around |= {state.name for state in mod.states}
    around |= {name for ion in mod.ions for name in (*ion.reads, *ion.writes)}
    ranges = (each for each in mod.assigned if each.name in mod.range_names)
    settable = (*mod.parameters, *ranges)
    return {each.name for each in settable if not each.value and each.size is None} - around


def _powers(clamp: Clamp) -> dict[str, int | None]:
    names = state_names(clamp.mod)
    machine = clamp.initialised()
    clamp.run(machine, "BREAKPOINT")  # for what the solved blocks compute on the way
    table = _probes(len(names))
    machine.variables |= {name: table[:, [place]] for place, name in enumerate(names)}
    machine.solving = False
    clamp.run(machine, "BREAKPOINT")
    flows = [machine.variables.get(name, Unknown("")) for name in currents(clamp.mod)]
    return {name: _power(flows, place, len(names)) for place, name in enumerate(names)}


def _probes(n: int) -> Floats:
    """Values of n states: all at 1, then each of them at 0, then each at 1/2."""
    return np.concatenate([np.ones((1, n)), 1 - np.eye(n), 1 - np.eye(n) / 2])


def _power(flows: Sequence[Value], place: int, n: int) -> int | None:
    powers = set()
    for flow in flows:
        if isinstance(flow, Unknown):
            continue
        answers = np.broadcast_to(flow, (2 * n + 1, 1))[:, 0]
        full, none, half = answers[0], answers[1 + place], answers[1 + n + place]
        if full != none:
            power = np.log2((full - none) / (half - none))
            whole = abs(power - np.round(power)) < 1e-6 and 0.5 < power < _LARGEST
            powers.add(int(np.round(power)) if whole else None)
    return powers.pop() if len(powers) == 1 else None
