"""NEURON's part of a model beside its NeuroML: nothing defined twice."""

from __future__ import annotations

from bnnkg.ingest.definitions import Definitions
from bnnkg.ingest.networks import Networks
from bnnkg.ingest.neuron.reading import NeuronReading


def add_neuron(neuron: NeuronReading, definitions: Definitions, networks: Networks) -> None:
    """Adds what NEURON code gave to what the documents of the same source gave."""
    parts = neuron.parts
    for mechanism in (*neuron.mods.mechanisms, *(parts.mechanisms if parts else ())):
        definitions.mechanisms.setdefault(mechanism.uid, mechanism)
    for synapse in (*neuron.mods.synapses, *(parts.synapses if parts else ())):
        definitions.synapses.setdefault(synapse.uid, synapse)
    definitions.cells.update(neuron.morphologies.cells)
    definitions.definitions += neuron.mods.definitions
    definitions.definitions += neuron.morphologies.definitions
    if parts is not None:
        definitions.cells.update((cell.uid, cell) for cell in parts.cells)
        definitions.definitions += parts.definitions
        definitions.inputs += parts.inputs
        networks.heads += parts.networks
        networks.populations += parts.populations
        networks.projections += parts.projections
        networks.inputs += parts.input_tables
