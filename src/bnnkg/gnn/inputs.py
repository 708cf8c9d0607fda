"""The values of the feature columns, kind by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from bnnkg.gnn.edges import somata_apart
from bnnkg.gnn.features import (
    ACTIVITY,
    COLUMNS,
    IONS,
    MECHANISM_KINDS,
    PARAMETERS,
    POINT_CELLS,
    SYNAPSE_KINDS,
)
from bnnkg.gnn.layout import Layout
from bnnkg.gnn.read import Edges, Floats, Ints, Nodes, read_edges, read_nodes, sums
from bnnkg.schema.computation import COMPARTMENT_KINDS, Kind
from bnnkg.schema.records import GraphTables

Values = dict[str, Floats]
"""A column's values by its name; not a number where unknown."""

_PARAMETER_PLACE = {name: place for place, name in enumerate(PARAMETERS)}
_ACTIVITY_PLACE = {name: place for place, name in enumerate(ACTIVITY)}


@dataclass(frozen=True)
class Sources:
    """What one kind's columns are read from: nodes by label, and the row of each among them."""

    nodes: Mapping[str, tuple[Nodes, Ints]]

    def read(self, source: str) -> Floats:
        """A column whose source is ``Label.property``."""
        label, name = source.split(".")
        nodes, rows = self.nodes[label]
        return np.append(nodes.number(name), np.nan)[rows]


def values_by_kind(tables: GraphTables, layout: Layout) -> dict[Kind, Floats]:
    """Unscaled features of every kind, [n, F_kind], but for degrees and sums.

    Not a number where unknown; columns of degrees and sums are left so.
    """
    measured = _activity(tables, layout)
    neuron = _neuron_values(tables, layout) | dict(zip(ACTIVITY, measured.T, strict=True))
    neuron_sources = {
        "Neuron": (layout.neurons, np.arange(len(layout.neurons))),
        "Cell": (layout.definitions.cells, layout.cell_of),
    }
    found: dict[Kind, Floats] = {"neuron": _fill("neuron", Sources(neuron_sources), neuron)}
    found |= _section_values(layout, measured)
    found["synapse"] = _synapse_values(layout, measured)
    found["mechanism"] = _mechanism_values(layout, measured)
    return found


def _fill(kind: Kind, sources: Sources, computed: Values) -> Floats:
    n = len(next(iter(sources.nodes.values()))[1])
    table = np.full((n, len(COLUMNS[kind])), np.nan)
    for place, column in enumerate(COLUMNS[kind]):
        if column.name in computed:
            table[:, place] = computed[column.name]
        elif "." in column.source and " " not in column.source:
            table[:, place] = sources.read(column.source)
    return table


def _neuron_values(tables: GraphTables, layout: Layout) -> Values:
    cells, neurons, cell_of = layout.definitions.cells, layout.neurons, layout.cell_of
    class_ = cells.text("cell_class")
    is_point = np.array([bool(p) for p in cells.text("is_point")], dtype=np.float64)
    found = {"is_point": is_point[cell_of]}
    for family, starts in POINT_CELLS.items():
        found[family] = np.array([float(c.startswith(starts)) for c in class_])[cell_of]
    stimuli = read_nodes(tables, "Stimulus")
    reaches = read_edges(tables, "STIMULATES", stimuli, neurons)
    amplitude = stimuli.number("amplitude_pA") * stimuli.number("weight")
    found["n_stimuli"] = np.bincount(reaches.dst, minlength=len(neurons)).astype(np.float64)
    found["stimulus_pA"] = sums(reaches.dst, amplitude[reaches.src], len(neurons))
    found["relative_index"] = _place_in_population(tables, neurons)
    return found


def _place_in_population(tables: GraphTables, neurons: Nodes) -> Floats:
    populations = read_nodes(tables, "Population")
    has = read_edges(tables, "HAS_NEURON", populations, neurons)
    last = np.maximum(populations.number("size") - 1, 1)
    found = np.full(len(neurons), np.nan)
    found[has.dst] = neurons.number("index")[has.dst] / last[has.src]
    return found


def _activity(tables: GraphTables, layout: Layout) -> Floats:
    """[N, len(ACTIVITY)] mean over what was measured of the neuron, its cell or its network."""
    activity = read_nodes(tables, "Activity")
    features = means_by_name(
        activity.text("feature_names"), activity.text("feature_values"), _ACTIVITY_PLACE, str
    )
    cells, neurons = layout.definitions.cells, layout.neurons
    own = _mean_at(read_edges(tables, "MEASURED_AS", neurons, activity), features, len(neurons))
    of_cell = _mean_at(read_edges(tables, "MEASURED_AS", cells, activity), features, len(cells))
    networks, populations = read_nodes(tables, "Network"), read_nodes(tables, "Population")
    of_network = _mean_at(
        read_edges(tables, "MEASURED_AS", networks, activity), features, len(networks)
    )
    network_of = np.full(len(neurons), -1, dtype=np.int64)
    has_population = read_edges(tables, "HAS_POPULATION", networks, populations)
    has_neuron = read_edges(tables, "HAS_NEURON", populations, neurons)
    network_of_population = np.full(len(populations), -1, dtype=np.int64)
    network_of_population[has_population.dst] = has_population.src
    network_of[has_neuron.dst] = network_of_population[has_neuron.src]
    of_network = np.vstack([of_network, np.full(len(ACTIVITY), np.nan)])[network_of]
    of_cell = of_cell[layout.cell_of]
    return np.where(np.isnan(own), np.where(np.isnan(of_cell), of_network, of_cell), own)


def _mean_at(measured: Edges, features: Floats, n: int) -> Floats:
    """Mean of the features over the activities of each subject."""
    return mean_over(measured.src, features[measured.dst], n)


def mean_over(at: Ints, values: Floats, n: int) -> Floats:
    """Mean of the known values at each place, [n, ...]; not a number where none is known."""
    flat = values[:, None] if values.ndim == 1 else values
    known = ~np.isnan(flat)
    total, count = np.zeros((n, flat.shape[1])), np.zeros((n, flat.shape[1]))
    for column in range(flat.shape[1]):
        chosen = known[:, column]
        total[:, column] = np.bincount(at[chosen], weights=flat[chosen, column], minlength=n)
        count[:, column] = np.bincount(at[chosen], minlength=n)
    mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return mean.reshape((n, *values.shape[1:]))


def means_by_name(
    names: Sequence[Any],
    values: Sequence[Any],
    place: Mapping[str, int],
    word: Callable[[str], str],
) -> Floats:
    """Means of named values, [n, len(place)]: lists of names and values become columns."""
    rows, columns, numbers = [], [], []
    for row, (row_names, row_values) in enumerate(zip(names, values, strict=True)):
        for name, value in zip(row_names or (), row_values or (), strict=True):
            if word(name) in place:
                rows.append(row)
                columns.append(place[word(name)])
                numbers.append(value)
    at = np.array(rows, dtype=np.int64) * len(place) + np.array(columns, dtype=np.int64)
    found = mean_over(at, np.array(numbers, dtype=np.float64), len(names) * len(place))
    return found.reshape(len(names), len(place))


def _rates(measured: Floats) -> Floats:
    return measured[:, [_ACTIVITY_PLACE["mean_frequency_Hz"], _ACTIVITY_PLACE["v_rest_mV"]]]


def _inherited(measured: Floats, neuron: Ints, side: str) -> Values:
    names = (f"{side}_mean_frequency_Hz", f"{side}_v_rest_mV")
    return dict(zip(names, _rates(measured)[neuron].T, strict=True))


def _relative_index(layout: Layout) -> Floats:
    """Place of each section in its cell, 0 for the first and 1 for the last."""
    definitions = layout.definitions
    index = definitions.sections.number("index")
    last = np.ones(len(definitions.cells))
    np.maximum.at(last, definitions.cell_of_section, index)
    return np.asarray(index / last[definitions.cell_of_section], dtype=np.float64)


def _radial_distances(sections: Nodes) -> Floats:
    """From the root of the cell to the mean of each section's points, um."""
    points = [own or () for own in sections.text("segment_points_um")]
    n_points = np.array([len(own) // 4 for own in points], dtype=np.int64)
    flat = np.fromiter(chain.from_iterable(points), dtype=np.float64).reshape(-1, 4)
    mean = mean_over(np.repeat(np.arange(len(sections)), n_points), flat[:, :3], len(sections))
    return np.asarray(np.sqrt((mean**2).sum(axis=1)), dtype=np.float64)


def _section_values(layout: Layout, measured: Floats) -> dict[Kind, Floats]:
    definitions = layout.definitions
    sections = definitions.sections
    n = len(sections)
    densities = definitions.densities
    gbar = densities.number("gbar_S_per_cm2")
    known = ~np.isnan(gbar)
    total = sums(densities.src[known], gbar[known], n)
    total[np.bincount(densities.src[known], minlength=n) == 0] = np.nan
    by_definition = {
        "is_other": np.array([float(k == "other") for k in sections.text("kind")]),
        "relative_index": _relative_index(layout),
        "n_children": np.bincount(definitions.child_of.dst, minlength=n).astype(np.float64),
        "radial_distance_um": _radial_distances(sections),
        "gbar_S_per_cm2": total,
    }
    found: dict[Kind, Floats] = {}
    for place, kind in enumerate(COMPARTMENT_KINDS):
        chosen = layout.kind == place
        rows = layout.sections.definition[chosen]
        computed = {name: values[rows] for name, values in by_definition.items()}
        computed |= _inherited(measured, layout.sections.neuron[chosen], "neuron")
        found[kind] = _fill(kind, Sources({"Compartment": (sections, rows)}), computed)
    return found


def _synapse_values(layout: Layout, measured: Floats) -> Floats:
    synapses, types = layout.synapses, layout.synapses.types
    computed = {
        f"is_{name}": (synapses.kind == place).astype(np.float64)
        for place, name in enumerate(SYNAPSE_KINDS)
    }
    for name, source in (
        ("has_short_term_plasticity", "short_term_plasticity"),
        ("has_block", "block"),
    ):
        flags = [float(value is not None) for value in types.text(source)]
        computed[name] = np.array([*flags, np.nan])[synapses.type]
    for side, section in (("pre", synapses.pre_section), ("post", synapses.post_section)):
        definition = np.append(layout.sections.definition, -1)[section]
        along = layout.definitions.sections.number("path_distance_um")
        computed[f"{side}_relative_index"] = np.append(_relative_index(layout), np.nan)[definition]
        computed[f"{side}_path_distance_um"] = np.append(along, np.nan)[definition]
    computed |= _inherited(measured, synapses.pre, "pre")
    computed |= _inherited(measured, synapses.post, "post")
    computed |= {
        "pre_fraction_along": synapses.pre_fraction,
        "post_fraction_along": synapses.post_fraction,
        "distance_um": somata_apart(layout),
        "n_parallel": _parallel(synapses.kind, synapses.pre, synapses.post, len(layout.neurons)),
        "weight": synapses.number("weight"),
    }
    sources = {"Synapse": (synapses.nodes, synapses.node), "SynapseType": (types, synapses.type)}
    return _fill("synapse", Sources(sources), computed)


def _parallel(kind: Ints, pre: Ints, post: Ints, n: int) -> Floats:
    """How many synapses of each one's kind join its presynaptic to its postsynaptic neuron."""
    code = (kind * n + pre) * n + post
    _, at, count = np.unique(code, return_inverse=True, return_counts=True)
    return np.asarray(count[at], dtype=np.float64)


def _mechanism_values(layout: Layout, measured: Floats) -> Floats:
    mechanisms, rows = layout.definitions.mechanisms, layout.mechanisms.definition
    ions, kinds = mechanisms.text("ion"), mechanisms.text("kind")
    parameters = means_by_name(
        mechanisms.text("parameter_names"), mechanisms.text("parameter_values"),
        _PARAMETER_PLACE, lambda name: name.rpartition(".")[2],
    )  # fmt: skip
    instances = mechanisms.text("gate_instances")
    by_definition = {
        **{f"is_{k}": np.array([float(kind == k) for kind in kinds]) for k in MECHANISM_KINDS},
        **{f"ion_{i}": np.array([float(ion == i) for ion in ions]) for i in IONS},
        "is_passive": np.array([float(bool(p)) for p in mechanisms.text("is_passive")]),
        "n_gates": np.array([float(len(gates or ())) for gates in mechanisms.text("gate_names")]),
        "gate_order": np.array([float(sum(counts or ())) for counts in instances]),
        **{f"parameter_{name}": parameters[:, p] for name, p in _PARAMETER_PLACE.items()},
    }
    computed = {name: values[rows] for name, values in by_definition.items()}
    computed |= _inherited(measured, layout.mechanisms.neuron, "neuron")
    computed |= _density_values(layout)
    return _fill("mechanism", Sources({"Mechanism": (mechanisms, rows)}), computed)


def _density_values(layout: Layout) -> Values:
    """What a cell's densities of a mechanism say, for each (neuron, mechanism)."""
    definitions = layout.definitions
    n = layout.mechanisms.n_definitions
    own = layout.cell_of[layout.mechanisms.neuron] * n + layout.mechanisms.definition
    cells = definitions.cell_of_section[definitions.densities.src]
    at = cells * n + definitions.densities.dst
    point_at = definitions.point_mechanisms.src * n + definitions.point_mechanisms.dst
    places, at_place = np.unique(np.concatenate([at, point_at]), return_inverse=True)
    where = np.searchsorted(places, own)
    found = {
        name: mean_over(
            at_place,
            np.concatenate(
                [definitions.densities.number(name), definitions.point_mechanisms.number(name)]
            ),
            len(places),
        )[where]
        for name in ("gbar_S_per_cm2", "erev_mV", "permeability_cm_per_s", "n_channels",
                     "v_shift_mV", "c_init_mM", "c_ext_mM")
    }  # fmt: skip
    sections = np.unique(definitions.densities.src * n + definitions.densities.dst)
    of_place = definitions.cell_of_section[sections // n] * n + sections % n
    count = np.bincount(np.searchsorted(places, of_place), minlength=len(places))
    n_sections = np.bincount(definitions.cell_of_section, minlength=len(definitions.cells))
    first = np.full(len(places), np.inf)
    np.minimum.at(first, np.searchsorted(places, of_place), _relative_index(layout)[sections // n])
    found["n_sections"] = count[where].astype(np.float64)
    found["share_of_sections"] = count[where] / np.maximum(n_sections, 1)[own // n]
    found["first_relative_index"] = np.where(np.isfinite(first), first, 0.0)[where]
    return found
