"""What is there: each answer against loops over the rows that were loaded."""

from __future__ import annotations

from typing import Any

import pytest
from hand_graph import CORTEX, DENSITIES, SECTIONS, Ask, Graph


def _owned(graph: Graph, label: str, model: str) -> int:
    return sum(node["model_uid"] == model for node in graph.nodes[label].values())


def _defined(graph: Graph, label: str, model: str) -> int:
    return sum(e.src == model and e.dst_label == label for e in graph.of("DEFINES"))


def test_models_are_counted_without_what_is_loading(ask: Ask, graph: Graph) -> None:
    rows = {row["model"]: row for row in ask("models")}
    assert list(rows) == ["copy", "cortex"]
    for model, row in rows.items():
        for label, column in (
            ("Neuron", "n_neurons"),
            ("Synapse", "n_synapses"),
            ("Population", "n_populations"),
        ):
            assert row[column] == _owned(graph, label, model)
        for label, column in (
            ("Cell", "n_cells"),
            ("Mechanism", "n_mechanisms"),
            ("SynapseType", "n_synapse_types"),
        ):
            assert row[column] == _defined(graph, label, model)
        assert row["runs"] == ["", "other"]
    assert rows["cortex"]["terms"] == ["neocortex"]
    assert rows["copy"]["terms"] == []


def test_models_about_a_term(ask: Ask) -> None:
    assert [row["model"] for row in ask("models", term="neocortex")] == ["cortex"]
    assert ask("models", term="retina") == []


def test_a_shared_cell_stands_once(ask: Ask, graph: Graph) -> None:
    pyramidal, lif = ask("cells")
    assert (pyramidal["cell"], pyramidal["models"]) == ("pyramidal", ["copy", "cortex"])
    instances = [e for e in graph.of("INSTANCE_OF") if not e.src.startswith("half")]
    assert pyramidal["n_neurons"] == sum(e.dst == "C-pyr" for e in instances)
    assert lif["n_neurons"] == sum(e.dst == "C-lif" for e in instances)
    assert (pyramidal["n_compartments"], lif["n_compartments"]) == (len(SECTIONS), 0)
    assert pyramidal["area_um2"] == graph.row("C-pyr")["area_um2"]
    assert [row["cell"] for row in ask("cells", min_compartments="1")] == ["pyramidal"]


def test_a_cell_of_one_model_counts_its_neurons_there(ask: Ask) -> None:
    pyramidal, lif = ask("cells", model="cortex")
    assert pyramidal["models"] == ["cortex"]
    assert (pyramidal["n_neurons"], lif["n_neurons"]) == (3, 2)


def test_mechanisms_with_the_cells_that_carry_them(ask: Ask, graph: Graph) -> None:
    rows = {row["mechanism"]: row for row in ask("mechanisms")}
    assert set(rows) == {m["name"] for m in graph.nodes["Mechanism"].values()}
    assert {name: row["n_cells"] for name, row in rows.items()} == dict.fromkeys(rows, 1)
    assert rows["ih"]["gates"] == ["m", "h"]
    assert [row["mechanism"] for row in ask("mechanisms", kind="point")] == ["lif"]


def test_shared_mechanisms_name_their_models_and_ids(ask: Ask) -> None:
    rows = {row["mechanism"]: row for row in ask("shared_mechanisms")}
    assert set(rows) == {"na", "ih", "leak", "lif"}
    assert rows["ih"]["models"] == ["copy", "cortex"]
    assert rows["ih"]["names"] == ["ih_copy", "ih_cortex"]
    assert ask("shared_mechanisms", min_models=3) == []


@pytest.mark.parametrize("name", list(DENSITIES))
def test_density_by_kind_of_section(ask: Ask, name: str) -> None:
    rows = {row["place"]: row for row in ask("mechanism_density", mechanism=name.upper())}
    by_kind: dict[str, list[tuple[float, float]]] = {}
    for index, gbar in DENSITIES[name].items():
        kind, _, length, diameter, *_ = SECTIONS[index]
        by_kind.setdefault(kind, []).append((gbar, 3.0 * length * diameter))
    assert set(rows) == set(by_kind)
    for kind, values in by_kind.items():
        row = rows[kind]
        mean = sum(g * a for g, a in values) / sum(a for _, a in values)
        assert row["n_compartments"] == len(values)
        assert row["n_of_kind"] == sum(s[0] == kind for s in SECTIONS.values())
        assert row["gbar_min_S_per_cm2"] == min(g for g, _ in values)
        assert row["gbar_max_S_per_cm2"] == max(g for g, _ in values)
        assert row["gbar_mean_S_per_cm2"] == pytest.approx(mean)


def test_density_by_ion_and_of_point_cells(ask: Ask) -> None:
    assert {row["mechanism"] for row in ask("mechanism_density", ion="h")} == {"ih"}
    (point,) = ask("mechanism_density", mechanism="lif")
    assert (point["place"], point["n_compartments"], point["n_of_kind"]) == ("point", 1, 1)
    assert point["gbar_mean_S_per_cm2"] is None


def test_synapse_types_by_sign_with_their_use(ask: Ask, graph: Graph) -> None:
    rows = {row["synapse_type"]: row for row in ask("synapse_types")}
    used = [e for e in graph.of("OF_TYPE") if not e.src.startswith("half")]
    for name in ("ampa", "gaba", "gap", "custom"):
        assert rows[name]["n_synapses"] == sum(e.dst == f"S-{name}" for e in used)
    assert (rows["ampa"]["sign"], rows["gaba"]["sign"], rows["gap"]["sign"]) == (1, -1, None)
    in_cortex = {
        row["synapse_type"]: row["n_synapses"] for row in ask("synapse_types", model="cortex")
    }
    assert in_cortex["ampa"] == sum(type_ == "ampa" for _, _, type_, *_ in CORTEX)


def test_neurons_with_their_place(ask: Ask, graph: Graph) -> None:
    rows = {row["neuron_uid"]: row for row in ask("neurons")}
    assert set(rows) == {neuron["uid"] for neuron in graph.neurons()}
    for uid, row in rows.items():
        assert (row["x_um"], row["y_um"], row["z_um"]) == tuple(
            graph.row(uid)[f"{a}_um"] for a in "xyz"
        )
    assert {row["neuron"] for row in ask("neurons", model="copy", population="point")} == {
        "c0",
        "c1",
        "c2",
    }


def test_synapses_with_their_ends(ask: Ask, graph: Graph) -> None:
    rows = ask("synapses", model="cortex", kind="chemical")
    assert len(rows) == len(CORTEX)
    for row, given in zip(rows, CORTEX, strict=True):
        pre, post, type_, weight, section, fraction = given
        assert (row["sender"], row["receiver"]) == (pre, post)
        assert (row["synapse_types"], row["weight"], row["delay_ms"]) == ([type_], weight, 1.5)
        assert row["leaves_from"] == ("axon" if pre.startswith("p") else None)
        assert row["arrives_at_um"] == _path_um(section, fraction)
    gaps = ask("synapses", kind="electrical")
    assert [row["mirrored"] for row in gaps] == [False, True, False]


def _path_um(section: int | None, fraction: Any) -> Any:
    if section is None:
        return None
    _, _, length, _, path, _ = SECTIONS[section]
    return pytest.approx(path + (fraction - 0.5) * length)
