"""Models of instances of a point process: what their file tells is read once, for all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from mod_texts import read_one

from bnnkg.ingest.neuron.mod_models import synapse, with_values

RELEASE = """
NEURON { POINT_PROCESS Release NONSPECIFIC_CURRENT i RANGE gmax, tau, e, use, grow }
PARAMETER { gmax = 0.001 (uS) tau = 4 (ms) e = 0 (mV) use = 0 grow = 1 n = 1 }
ASSIGNED { v (mV) i (nA) left }
STATE { g (uS) }
BREAKPOINT { SOLVE states METHOD cnexp  i = g*(v - e) }
INITIAL { left = 1 }
DERIVATIVE states { g' = -g/tau }
NET_RECEIVE(weight) {
    g = g + weight*left
    FROM k = 1 TO n { left = left*(1 - use)*grow }
}
"""


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, None),
        ({"use": 0.5}, "depression"),  # each event leaves half for the next
        ({"grow": 2.0}, "facilitation"),
        ({"use": 0.5, "grow": 2.0}, None),  # half of twice as much
        ({"use": 0.5, "n": 0.0}, None),  # the loop is never run
    ],
)
def test_an_instance_is_as_plastic_as_its_own_values_make_it(
    tmp_path: Path, values: dict[str, float], told: str | None
) -> None:
    read = read_one(tmp_path, RELEASE)
    read.synapse({"use": 0.25})  # another one before, of the same file
    assert read.synapse(values).short_term_plasticity == told


def test_an_instance_has_its_own_numbers(tmp_path: Path) -> None:
    read = read_one(tmp_path, RELEASE)
    one, other = read.synapse({"tau": 8.0, "e": -80.0}), read.synapse({"gmax": 0.003})
    assert (one.tau_decay_ms, one.erev_mV, one.sign) == (8, -80, -1)
    assert (other.gbase_nS, other.tau_decay_ms, other.sign) == (pytest.approx(3), 4, 1)
    assert len({one.uid, other.uid, read.synapse().uid}) == 3


def test_it_is_the_model_of_a_file_that_is_written_with_these_values(tmp_path: Path) -> None:
    read = read_one(tmp_path, RELEASE)
    values = {"use": 0.5, "tau": 8.0}
    alone = synapse(*with_values(read.mod, "SynapseType", read.uid, values))
    assert read.synapse(values) == alone
