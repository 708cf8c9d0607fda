"""Mechanisms across models: each answer against loops over the rows that were loaded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import fmean, stdev
from typing import Any

import numpy as np
import pytest
from channel_graph import (
    CELLS,
    DEFINED,
    GATES,
    IONS,
    MISSING,
    NETWORKS,
    PARAMETERS,
    PLACED,
    SIMILAR,
    STATEMENTS,
    SYNAPSES,
    TEMPERATURES,
    TERMS,
    build_channel_graph,
    holders,
    label_of,
    names_of,
)
from hand_graph import Ask, Graph, Row

CURRENT = ["1001", "1002", "1003", "1004"]


@pytest.fixture(scope="session")
def graph() -> Graph:
    """In place of the graph of the other modules."""
    return build_channel_graph()


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _approx(value: float | None) -> Any:
    return None if value is None else pytest.approx(value)


def _of(mechanism: str) -> str:
    return f"M-{mechanism}"


def _all(rows: list[Row], *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in rows]


# ---------------------------------------------------------------------- variants


def test_the_graph_fits_the_declaration(graph: Graph) -> None:
    graph.tables()


def test_mechanisms_shared_under_several_names(ask: Ask) -> None:
    rows = ask("shared_mechanisms")
    expected = {_of(m): (holders(m), names_of(m)) for m in GATES | {"leak": {}}}
    assert {r["mechanism_uid"]: (r["models"], r["names"]) for r in rows} == {
        uid: shared for uid, shared in expected.items() if len(shared[0]) > 1
    }
    counts = [row["n_models"] for row in rows]
    assert counts == sorted(counts, reverse=True)
    assert [row["mechanism_uid"] for row in ask("shared_mechanisms", min_models=3)] == [
        "M-leak", "M-na",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["na", "NA", "M-na"])
def test_variants_of_a_name_with_near_copies_of_any_name(ask: Ask, name: str) -> None:
    like_na = {"na": 1.0, "nax": SIMILAR["na", "nax"], "cold": SIMILAR["cold", "na"], "other": None}
    if name == "M-na":
        del like_na["other"]  # is called so, but is not like it
    rows = {row["mechanism_uid"]: row for row in ask("mechanism_variants", mechanism=name)}
    assert list(rows) == [_of(m) for m in like_na]
    for mechanism, similarity in like_na.items():
        row = rows[_of(mechanism)]
        assert (row["similarity"], row["reference_uid"]) == (similarity, "M-na")
        assert row["is_reference"] is (mechanism == "na")
        assert row["models"] == holders(mechanism)
        assert row["n_models"] == len(holders(mechanism))
        assert row["names"] == names_of(mechanism)
        own, reference = set(STATEMENTS[mechanism]), set(STATEMENTS["na"])
        assert row["n_statements"] == len(own)
        assert row["n_statements_new"] == len(own - reference)
        assert row["n_statements_lost"] == len(reference - own)
        assert row["n_parameters_changed"] == len(_changes(mechanism))


def _changes(mechanism: str) -> dict[str, tuple[float | None, float | None]]:
    own, reference = PARAMETERS[mechanism], PARAMETERS["na"]
    pairs = {name: (own.get(name), reference.get(name)) for name in own | reference}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def test_variants_of_what_has_no_statements(ask: Ask) -> None:
    (row,) = ask("mechanism_variants", mechanism="KIR")
    assert (row["similarity"], row["n_statements"], row["n_statements_new"]) == (1.0, None, None)
    assert row["n_parameters_changed"] == 0
    assert ask("mechanism_variants", mechanism="nobody") == []


def test_parameters_that_a_variant_changed(ask: Ask) -> None:
    rows = ask("mechanism_changes", mechanism="na")
    expected = {
        (_of(m), name): pair for m in ("nax", "cold", "other") for name, pair in _changes(m).items()
    }
    found = {
        (row["mechanism_uid"], row["parameter"]): (row["value"], row["reference_value"])
        for row in rows
    }
    assert found == expected
    assert len(rows) == len(expected)
    na, cold = ask("mechanism_changes", mechanism="nax", parameter="SHIFT")
    assert (na["mechanism"], na["models"], na["unit"]) == ("Na", holders("na"), "mV")
    assert (na["value"], na["reference_value"]) == (0.0, -5.0)
    assert (cold["value"], cold["reference_value"], cold["unit"]) == (None, -5.0, "mV")
    assert [na["similarity"], cold["similarity"]] == [SIMILAR["na", "nax"], SIMILAR["cold", "nax"]]


def test_near_copies_with_their_models(ask: Ask) -> None:
    rows = ask("near_copies")
    expected = sorted(((s, pair) for pair, s in SIMILAR.items() if "old" not in pair), reverse=True)
    assert [(r["similarity"], {r["first_uid"], r["second_uid"]}) for r in rows] == [
        (similarity, {_of(one), _of(other)}) for similarity, (one, other) in expected
    ]
    for row in rows:
        for side in ("first", "second"):
            mechanism = row[f"{side}_uid"].removeprefix("M-")
            assert row[f"{side}_models"] == holders(mechanism)
            assert row[f"n_{side}"] == len(holders(mechanism))
            assert row[f"{side}_names"] == names_of(mechanism)
        assert row["n_first"] >= row["n_second"]
        assert row["n_both"] == len({*row["first_models"]} & {*row["second_models"]})
    assert [row["first_uid"] for row in rows[:2]] == ["M-na", "M-na"]
    assert len(ask("near_copies", min_similarity=0.8)) == 2
    assert {row["second_uid"] for row in ask("near_copies", model="1004", mechanism="NA")} == {
        "M-cold", "M-nax",
    }  # fmt: skip


# ---------------------------------------------------------------------- channels of a region


def _family(mechanism: str, id_: str, by: str) -> str:
    return id_.lower() if by == "name" else "+".join(IONS.get(mechanism, ["none"]))


def _density(model: str, family: str, by: str, kind: str) -> float | None:
    """Sum over the family in each section, mean over sections by area."""
    of_family = {
        m for m, ids in DEFINED[model].items() for id_ in ids if _family(m, id_, by) == family
    }
    sums: dict[tuple[str, int], float] = {}
    for cell, index, mechanism, gbar, _ in PLACED:
        if model in CELLS[cell][0] and mechanism in of_family and gbar and index is not None:
            sums[cell, index] = sums.get((cell, index), 0.0) + gbar
    places = [(gbar, *CELLS[cell][1][index]) for (cell, index), gbar in sums.items()]
    chosen = [(gbar, area) for gbar, k, area, _ in places if k == kind]
    return sum(g * a for g, a in chosen) / sum(a for _, a in chosen) if chosen else None


@pytest.mark.parametrize("by", ["ion", "name"])
@pytest.mark.parametrize(("kind", "about"), [("region", ""), ("species", ""), ("region", "rat")])
def test_channels_by_term(ask: Ask, by: str, kind: str, about: str) -> None:
    models: dict[tuple[str, str], dict[str, set[str]]] = {}
    for model in CURRENT:
        words = [name.lower() for _, name in TERMS[model]]
        for term in [
            name for k, name in TERMS[model] if k == kind and (about or words[0]) in words
        ]:
            for mechanism, ids in DEFINED[model].items():
                if mechanism == "vec" or label_of(mechanism) == "SynapseType":
                    continue
                for id_ in ids:
                    of_term = models.setdefault((term, _family(mechanism, id_, by)), {})
                    of_term.setdefault(model, set()).add(mechanism)
    rows = {
        (row["term"], row["family"]): row
        for row in ask("channels_by_term", kind=kind, about=about, family_by=by)
    }
    assert set(rows) == set(models)
    for (term, family), of_term in models.items():
        row = rows[term, family]
        assert row["n_models"] == len(of_term)
        assert row["n_mechanisms"] == len(set().union(*of_term.values()))
        dense = 0
        for place in ("soma", "dendrite", "axon"):
            found = [_density(model, family, by, place) for model in of_term]
            values = [value for value in found if value is not None]
            dense = max(dense, len(values))
            assert row[f"gbar_{place}_S_per_cm2"] == _approx(fmean(values) if values else None)
        assert row["n_models_with_density"] == dense


def test_channels_by_term_names_the_most_common_first(ask: Ask) -> None:
    (row,) = ask("channels_by_term", kind="region", term="HIPPO", mechanism="NA", about="rat")
    assert (row["family"], row["names"]) == ("na", ["na", "naf", "nax"])
    rows = ask("channels_by_term", kind="region", term="hippo", mechanism="leak")
    assert _all(rows, "term", "family", "names", "n_models") == [
        ("Hippocampus", "none", ["leak"], 2)
    ]
    (without_ion,) = [r for r in ask("channels_by_term", term="hippo") if r["family"] == "none"]
    assert without_ion["names"] == ["leak", "hcn4", "hd", "ih", "pas2"]
    assert [r["term"] for r in ask("channels_by_term", kind="receptor")] == []


# ---------------------------------------------------------------------- Ih

H_CHANNELS = {"hd": "function and name", "hcn": "name", "mixed": "function"}


def _h_rows() -> Iterator[tuple[str, str, str, str | None, str | None]]:
    for model in CURRENT:
        found = [m for m in DEFINED[model] if m in H_CHANNELS]
        if not found and ("current", "I h") in TERMS[model]:
            yield model, "term", "", None, None
        for mechanism in found:
            places: set[tuple[str | None, str | None]] = {
                (cell, CELLS[cell][1][index][0])
                for cell, index, m, *_ in PLACED
                if m == mechanism and index is not None and model in CELLS[cell][0]
            }
            for cell, kind in places or {(None, None)}:
                yield model, H_CHANNELS[mechanism], mechanism, cell, kind


def test_h_current_by_function_by_name_and_by_term(ask: Ask) -> None:
    rows = ask("h_current")
    found = {
        (r["model"], r["found_by"], (r["mechanism_uid"] or "M-").removeprefix("M-"), r["cell"],
         r["place"]) for r in rows
    }  # fmt: skip
    assert found == set(_h_rows())
    assert len(rows) == len(found)
    about = {row["model"] for row in rows if row["is_about"]}
    assert about == {"1001", "1003"}
    assert {(r["model"], r["mechanism"]) for r in rows} == {
        ("1001", "hd"), ("1001", "HCN4"), ("1002", "Ih"), ("1003", None), ("1004", "iqq"),
    }  # fmt: skip


def test_h_current_density_over_the_cell(ask: Ask) -> None:
    rows = [row for row in ask("h_current") if row["cell"] == "ca1"]
    assert len(rows) == 4
    for row in rows:
        sections = CELLS["ca1"][1]
        gbar: dict[int, float] = {}
        for cell, index, mechanism, value, _ in PLACED:
            if (cell, mechanism) == ("ca1", "hd") and index is not None and value is not None:
                gbar[index] = gbar.get(index, 0.0) + value
        here = {i: g for i, g in gbar.items() if sections[i][0] == row["place"]}
        areas, paths = ([sections[i][k] for i in here] for k in (1, 2))
        values = list(here.values())
        assert row["gbar_mean_S_per_cm2"] == pytest.approx(np.average(values, weights=areas))
        assert row["gbar_min_S_per_cm2"] == pytest.approx(min(values))
        assert row["gbar_max_S_per_cm2"] == pytest.approx(max(values))
        assert (row["path_min_um"], row["path_max_um"]) == (min(paths), max(paths))
        assert row["n_compartments"] == len(here)
        assert row["n_of_kind"] == sum(kind == row["place"] for kind, *_ in sections)
        slope = float(np.polyfit(paths, values, 1)[0]) if len(here) > 1 else None  # type: ignore[arg-type]
        expected = None if slope is None else 100 * slope
        assert row["gradient_S_per_cm2_per_100um"] == _approx(expected)


def test_h_current_that_is_not_known_stays_absent(ask: Ask) -> None:
    (of_int,) = [row for row in ask("h_current", model="1002") if row["cell"] == "int"]
    assert (of_int["place"], of_int["n_compartments"]) == ("dendrite", 1)
    assert of_int["gbar_mean_S_per_cm2"] is None
    assert of_int["gradient_S_per_cm2_per_100um"] is None
    (hcn,) = [row for row in ask("h_current") if row["mechanism"] == "HCN4"]
    assert (hcn["v_half_mV"], hcn["n_compartments"], hcn["n_of_kind"]) == ([None], 0, 0)


def test_h_current_by_other_measures(ask: Ask) -> None:
    by_function = {row["mechanism"] for row in ask("h_current", pattern="", current="")}
    assert by_function == {"hd", "Ih", "iqq"}
    lower = {row["mechanism"] for row in ask("h_current", pattern="", v_half_below_mV=-80.0)}
    assert lower == {"hd", "Ih", None}
    by_name = {row["mechanism"] for row in ask("h_current", pattern="k.*", v_half_below_mV=-999.0)}
    assert by_name == {"kir", None}


# ---------------------------------------------------------------------- kinetics


def _gates() -> Iterator[tuple[str, str, tuple[float, float, int, float, float]]]:
    for mechanism, gates in GATES.items():
        for gate, values in gates.items():
            if holders(mechanism):
                yield mechanism, gate, values


def test_gates_across_models(ask: Ask) -> None:
    rows = {(row["mechanism_uid"], row["gate"]): row for row in ask("gate_kinetics")}
    assert set(rows) == {(_of(mechanism), gate) for mechanism, gate, _ in _gates()}
    for mechanism, gate, (v_half, slope, exponent, tau, tau_at) in _gates():
        row = rows[_of(mechanism), gate]
        assert (row["v_half_mV"], row["slope_mV"]) == (_known(v_half), _known(slope))
        assert row["exponent"] == (exponent or None)
        assert (row["tau_max_ms"], row["tau_max_at_mV"]) == (_known(tau), _known(tau_at))
        opens = "hyperpolarisation" if slope < 0 else "depolarisation"
        assert row["opens_on"] == (None if math.isnan(slope) else opens)
        assert row["temperature_degC"] == TEMPERATURES.get(mechanism)
        assert row["ion"] == ("+".join(IONS[mechanism]) if mechanism in IONS else None)
        assert (row["models"], row["n_models"]) == (holders(mechanism), len(holders(mechanism)))
        for kind, column in (("species", "species"), ("region", "regions")):
            words = {name for m in holders(mechanism) for k, name in TERMS[m] if k == kind}
            assert row[column] == sorted(words)
    assert rows["M-hcn", "o"]["note"] == "no half way"


def test_gates_of_an_ion_a_name_or_a_model(ask: Ask) -> None:
    def found(**parameters: Any) -> list[tuple[Any, ...]]:
        return _all(ask("gate_kinetics", **parameters), "mechanism_uid", "gate")

    sodium = found(ion="na", gate="M")
    assert set(sodium) == {("M-na", "m"), ("M-nax", "m"), ("M-cold", "m")}
    assert found(ion="na", model="1004") == [
        ("M-mixed", "fast"), ("M-mixed", "slow"), ("M-cold", "h"), ("M-cold", "m"),
    ]  # fmt: skip
    assert found(mechanism="AF") == [("M-na", "h"), ("M-na", "m")]
    assert len(found(limit=3)) == 3


def test_spread_of_gates_over_distinct_mechanisms(ask: Ask) -> None:
    rows = {
        (row["family"], row["gate"], row["opens_on"]): row
        for row in ask("gate_spread", family_by="ion")
    }
    expected: dict[tuple[str, str, str], list[Any]] = {}
    for mechanism, gate, (v_half, slope, _, tau, _) in _gates():
        if not math.isnan(v_half):
            opens = "hyperpolarisation" if slope < 0 else "depolarisation"
            family = "+".join(IONS.get(mechanism, ["none"]))
            expected.setdefault((family, gate, opens), []).append((mechanism, v_half, slope, tau))
    assert set(rows) == set(expected)
    for key, gates in expected.items():
        row = rows[key]
        assert row["n_variants"] == len(gates)
        assert row["n_models"] == len({h for mechanism, *_ in gates for h in holders(mechanism)})
        taus = [tau for *_, tau in gates if not math.isnan(tau)]
        assert row["n_tau"] == len(taus)
        for column, unit, values in (
            ("v_half", "mV", [g[1] for g in gates]),
            ("slope", "mV", [g[2] for g in gates]),
            ("tau_max", "ms", taus),
        ):
            assert row[f"{column}_mean_{unit}"] == _approx(fmean(values) if values else None)
            assert row[f"{column}_sd_{unit}"] == _approx(stdev(values) if values[1:] else None)
        halves = [g[1] for g in gates]
        assert (row["v_half_min_mV"], row["v_half_max_mV"]) == (min(halves), max(halves))
        degrees = [TEMPERATURES[g[0]] for g in gates if g[0] in TEMPERATURES]
        assert row["temperature_min_degC"] == min(degrees, default=None)
        assert row["temperature_max_degC"] == max(degrees, default=None)


def test_spread_of_gates_by_name(ask: Ask) -> None:
    rows = ask("gate_spread", mechanism="na")
    assert _all(rows, "family", "gate", "n_variants", "v_half_mean_mV") == [
        ("na", "m", 2, -39.0),  # of na, whose smallest name is Na, and of cold
        ("na", "h", 1, -62.0),
        ("na", "n", 1, -20.0),
        ("nax", "h", 1, -67.0),
        ("nax", "m", 1, -45.0),
    ]
    assert len(ask("gate_spread", ion="na", min_variants=2)) == 1


# ---------------------------------------------------------------------- what a model has


def test_inventory_of_a_model(ask: Ask, graph: Graph) -> None:
    for model in CURRENT:
        rows = {row["mechanism_uid"]: row for row in ask("mechanism_inventory", model=model)}
        assert set(rows) == {_of(m) for m in DEFINED[model]}
        for mechanism, ids in DEFINED[model].items():
            row, node = rows[_of(mechanism)], graph.row(_of(mechanism))
            assert row["mechanism"] == min(ids)
            assert row["has_verbatim"] is (mechanism in ("vec", "cat", "stp"))
            assert row["ions_written"] == IONS.get(mechanism, [])
            assert row["states"] == (node.get("state_names") or [])
            assert row["pointers"] == (["donor"] if mechanism == "stp" else [])
            assert row["short_term_plasticity"] == ("depression" if mechanism == "stp" else None)
            places = {(c, i) for c, i, m, *_ in PLACED if m == mechanism and model in CELLS[c][0]}
            cells = {cell for cell, _ in places}
            assert row["n_cells"] == len(cells)
            assert row["n_compartments"] == sum(i is not None for _, i in places)
            populations = [p for _, ps in NETWORKS.get(model, {}).values() for p in ps]
            assert row["n_neurons"] == sum(n for cell, n in populations if cell in cells)
            assert row["n_synapses"] == sum(s[0] == model and s[2] == mechanism for s in SYNAPSES)


def test_inventory_of_what_contains_c(ask: Ask) -> None:
    rows = ask("mechanism_inventory", verbatim_only=True)
    assert _all(rows, "model", "mechanism", "kind", "mechanism_class") == [
        ("1001", "vecevent", "point", "ARTIFICIAL_CELL"),
        ("1002", "stp", "synapse", "POINT_PROCESS"),
        ("1003", "cat", "channel", "SUFFIX"),
    ]


def test_configurations_with_what_it_took(ask: Ask) -> None:
    rows = ask("configurations")
    assert _all(rows, "model", "entry") == [
        ("1001", "init.hoc"), ("1002", "a.hoc"), ("1002", "b.hoc"),
    ]  # fmt: skip
    for row in rows:
        properties, populations = NETWORKS[row["model"]][row["network"]]
        for name in ("commands", "fallbacks"):
            assert row[name] == properties.get(name, [])
        for name in ("stub_mechanisms", "temperature_degC", "v_init_mV"):
            assert row[name] == properties.get(name)
        assert row["n_populations"] == len(populations)
        assert row["n_neurons"] == sum(n for _, n in populations)
        assert row["n_compartments"] == sum(n * len(CELLS[cell][1]) for cell, n in populations)
        assert row["n_segments"] == 3 * row["n_compartments"]
        placed = (row["model"], row["network"])
        assert row["n_synapses"] == sum(s[:2] == placed for s in SYNAPSES)
        assert row["n_stimuli"] == (placed == ("1002", "a"))
        assert row["known_missing"] == MISSING.get(row["model"], [])
    assert {row["model"] for row in ask("configurations", missing_only=True)} == {"1002"}


# ---------------------------------------------------------------------- densities over models


def _cell_means(mechanisms: set[str], kind: str, column: int) -> list[float]:
    """Mean over the sections of a cell, by area: one value per cell and mechanism."""
    means = []
    for cell, (_, sections) in CELLS.items():
        for mechanism in sorted(mechanisms):
            values: dict[int, list[float]] = {}
            for row in PLACED:
                index, value = row[1], row[column]
                if row[0] != cell or row[2] != mechanism or index is None:
                    continue
                if sections[index][0] == kind and isinstance(value, float):
                    values.setdefault(index, []).append(value)
            if values:
                join = sum if column == 3 else fmean  # densities add up, potentials do not
                areas = [sections[i][1] for i in values]
                means.append(float(np.average([join(v) for v in values.values()], weights=areas)))
    return means


def test_spread_of_densities_and_reversal_potentials(ask: Ask) -> None:
    rows = {(row["mechanism"], row["place"]): row for row in ask("density_spread")}
    variants: dict[str, set[str]] = {}
    for _, _, mechanism, *_ in PLACED:
        variants.setdefault(names_of(mechanism, current=False)[0].lower(), set()).add(mechanism)
    assert {name for name, _ in rows} == set(variants)
    for (name, kind), row in rows.items():
        if kind == "point":
            continue
        for column, what, unit in ((3, "gbar", "S_per_cm2"), (4, "erev", "mV")):
            values = _cell_means(variants[name], kind, column)
            assert row[f"n_{what}"] == len(values)
            assert row[f"{what}_mean_{unit}"] == _approx(fmean(values) if values else None)
            assert row[f"{what}_sd_{unit}"] == _approx(stdev(values) if values[1:] else None)
            assert row[f"{what}_min_{unit}"] == _approx(min(values, default=None))
            assert row[f"{what}_max_{unit}"] == _approx(max(values, default=None))
    soma = rows["na", "soma"]
    assert (soma["n_cells"], soma["n_models"], soma["n_variants"], soma["n_gbar"]) == (2, 2, 2, 3)
    assert soma["gbar_mean_S_per_cm2"] == pytest.approx((0.1 + 0.2 + 0.3) / 3)
    vec = rows["vecevent", "point"]
    assert (vec["n_cells"], vec["n_gbar"], vec["gbar_mean_S_per_cm2"]) == (1, 0, None)


def test_spread_of_densities_of_an_ion_or_name(ask: Ask) -> None:
    assert {row["mechanism"] for row in ask("density_spread", ion="k")} == {"kir"}
    assert {row["mechanism"] for row in ask("density_spread", mechanism="H")} == {"ih"}
    shared = ask("density_spread", min_models=2)
    assert {row["mechanism"] for row in shared} == {"na", "ih", "leak"}
