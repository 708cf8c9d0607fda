"""What an author says of a population is known of each of its neurons."""

from __future__ import annotations

import pytest

from bnnkg.errors import UsageError
from bnnkg.schema.records import GraphTables, NodeTable
from bnnkg.settings import Settings
from bnnkg.workflows.planted import benchmark_planted
from bnnkg.workflows.training import _properties


def test_neurons_have_the_properties_of_their_population() -> None:
    populations = NodeTable("Population", {
        "uid": ["m@1/net/AVAL", "m@1/net/other"],
        "property_names": [["type", "color"], None],
        "property_values": [["interneuron", "1 0 .4"], None],
    })  # fmt: skip
    neurons = NodeTable("Neuron", {"uid": ["m@1/net/AVAL/0", "m@1/net/AVAL/1", "m@1/net/other/0"]})
    told = {"type": "interneuron", "color": "1 0 .4"}
    assert _properties(GraphTables.of([populations, neurons], [])) == {
        "m@1/net/AVAL/0": told, "m@1/net/AVAL/1": told, "m@1/net/other/0": {},
    }  # fmt: skip


def test_an_unknown_planted_task_is_told() -> None:
    with pytest.raises(UsageError, match="ba-2motifs"):
        benchmark_planted(1, tasks=("colour",), settings=Settings())
