"""A ParsedModel as records of the graph: every node and edge that the model brings."""

from __future__ import annotations

from collections.abc import Iterator

from bnnkg.ingest.annotations import said, term_of
from bnnkg.ingest.connections import connection_records
from bnnkg.ingest.identity import model_uid
from bnnkg.ingest.morphometrics import (
    asymmetries,
    branch_orders,
    euclidean_distances,
    measures_by_kind,
    neurite_parents,
    section_columns,
    tortuosities,
)
from bnnkg.ingest.parsed import (
    Cell,
    Definition,
    Floats,
    GateKinetics,
    Layout,
    NetworkHead,
    Nmodl,
    ParsedModel,
    Placement,
    Population,
)
from bnnkg.ingest.sources import TermRef
from bnnkg.ingest.stimuli import stimulus_records
from bnnkg.ingest.tables import Tables, arrays
from bnnkg.schema import GraphTables


def records_of(parsed: ParsedModel) -> GraphTables:
    """All nodes and edges that a model brings, its Model node with status ``loading`` included.

    Shared nodes are named by the smallest id that the model gives them. A model that holds nothing
    brings nothing.
    """
    tables = Tables()
    if not parsed.has_content:
        return tables.collected()
    uid = model_uid(parsed.source.key, parsed.version)
    _add_model(tables, parsed, uid)
    names = _names(parsed)
    _add_mechanisms(tables, parsed, names)
    _add_synapse_types(tables, parsed, names)
    _add_cells(tables, parsed, names)
    _add_definitions(tables, parsed, uid)
    neurons = _add_networks(tables, parsed, uid)
    connection_records(tables, parsed, uid, neurons)
    stimulus_records(tables, parsed, uid, neurons)
    return tables.collected()


def _add_model(tables: Tables, parsed: ParsedModel, uid: str) -> None:
    source = parsed.source
    tables.node(
        "Model", uid=uid, key=source.key, version=parsed.version, status="loading",
        tier=parsed.report.tier, format=parsed.format, source=source.given or str(source.path),
        accession=source.accession, licence=source.licence, doi=source.doi, n_files=parsed.n_files,
        title=source.title, citation=source.citation, release=source.release,
        archive_sha256=source.archive_sha256, kept_elements=list(parsed.kept_elements) or None,
        known_missing=list(parsed.known_missing) or None, readme=parsed.readme,
        run_hints=list(parsed.run_hints) or None, **said(parsed.annotations),
    )  # fmt: skip
    terms: dict[str, TermRef] = {}
    for term in (*source.terms, *_annotated_terms(parsed)):
        terms.setdefault(f"{term.kind}/{term.name}", term)
    for term_uid, term in terms.items():
        tables.node(
            "Term", uid=term_uid, kind=term.kind, name=term.name, modeldb_id=term.id,
            ontology_id=term.ontology_id,
        )  # fmt: skip
        tables.edge("ABOUT", "Model", "Term", uid, term_uid)


def _annotated_terms(parsed: ParsedModel) -> Iterator[TermRef]:
    """Terms that the elements of a model name, each as often as it is named."""
    said_of = [parsed.annotations, *(one.annotations for one in parsed.definitions)]
    said_of += [one.annotations for one in parsed.networks]
    said_of += [one.annotations for one in parsed.inputs]
    for one in said_of:
        for qualifier, value in zip(one.qualifiers, one.values, strict=True):
            term = term_of(qualifier, value)
            if term is not None:
                yield term


def _names(parsed: ParsedModel) -> dict[str, str]:
    """The smallest id of each shared node."""
    names: dict[str, str] = {}
    for definition in parsed.definitions:
        if definition.id:
            names[definition.uid] = min(definition.id, names.get(definition.uid, definition.id))
    return names


def _kinetics(kinetics: GateKinetics | None) -> dict[str, object]:
    if kinetics is None:
        return {}
    return {
        "gate_v_half_mV": list(kinetics.v_half_mV) or None,
        "gate_slope_mV": list(kinetics.slope_mV) or None,
        "gate_tau_max_ms": list(kinetics.tau_max_ms) or None,
        "gate_tau_max_at_mV": list(kinetics.tau_max_at_mV) or None,
        "gate_steady_states": list(kinetics.steady_states) or None,
        "gate_taus_ms": list(kinetics.taus_ms) or None,
        "kinetics_temperature_degC": kinetics.temperature_degC if kinetics.v_half_mV else None,
        "kinetics_note": kinetics.note or None,
    }


def _nmodl(nmodl: Nmodl | None) -> dict[str, object]:
    if nmodl is None:
        return {}
    arrays = {
        name: list(value) or None for name, value in vars(nmodl).items() if isinstance(value, tuple)
    }
    return arrays | {
        "is_conductance_based": nmodl.is_conductance_based,
        "has_verbatim": nmodl.has_verbatim,
    }


def _add_mechanisms(tables: Tables, parsed: ParsedModel, names: dict[str, str]) -> None:
    for one in parsed.mechanisms:
        tables.node(
            "Mechanism", uid=one.uid, name=names.get(one.uid), mechanism_class=one.mechanism_class,
            kind=one.kind, base_class=one.base_class, ion=one.ion, is_passive=one.is_passive,
            conductance_pS=one.conductance_pS, gate_names=list(one.gate_names) or None,
            gate_instances=list(one.gate_instances) or None, **_kinetics(one.kinetics),
            **arrays(one.parameters) | _nmodl(one.nmodl),
        )  # fmt: skip


def _add_synapse_types(tables: Tables, parsed: ParsedModel, names: dict[str, str]) -> None:
    for one in parsed.synapses:
        tables.node(
            "SynapseType", uid=one.uid, name=names.get(one.uid), synapse_class=one.synapse_class,
            base_class=one.base_class, gbase_nS=one.gbase_nS, erev_mV=one.erev_mV,
            tau_rise_ms=one.tau_rise_ms, tau_decay_ms=one.tau_decay_ms,
            time_to_peak_ms=one.time_to_peak_ms, sign=one.sign,
            short_term_plasticity=one.short_term_plasticity, block=one.block,
            **arrays(one.parameters) | _nmodl(one.nmodl),
        )  # fmt: skip


def _add_cells(tables: Tables, parsed: ParsedModel, names: dict[str, str]) -> None:
    for cell in parsed.cells:
        tables.node("Cell", name=names.get(cell.uid), **_cell_properties(cell))
        _add_sections(tables, cell)
        for placement in cell.placements:
            _add_placement(tables, cell, placement)


def _cell_properties(cell: Cell) -> dict[str, object]:
    own: dict[str, object] = {
        "uid": cell.uid,
        "cell_class": cell.cell_class,
        "is_point": cell.is_point,
        "v_init_mV": cell.v_init_mV,
        "v_threshold_mV": cell.v_threshold_mV,
    }
    sections = cell.sections
    if not sections:
        return own
    n_children = [0] * len(sections)
    for section in sections:
        if section.parent >= 0:
            n_children[section.parent] += 1
    return own | {
        "n_segments": sum(s.n_segments for s in sections),
        "n_compartments": len(sections),
        "n_branch_points": sum(n > 1 for n in n_children),
        "n_tips": sum(n == 0 for n in n_children),
        "length_um": sum(s.length_um for s in sections),
        "area_um2": sum(s.area_um2 for s in sections),
        "volume_um3": sum(s.volume_um3 for s in sections),
        "max_path_distance_um": max(s.path_distance_um + s.length_um / 2 for s in sections),
        **measures_by_kind(section_columns(sections)),
    }


def compartment_uid(cell_uid: str, index: int) -> str:
    """Uid of a section of a Cell."""
    return f"{cell_uid}/{index}"


def _add_sections(tables: Tables, cell: Cell) -> None:
    if not cell.sections:
        return
    columns = section_columns(cell.sections)
    orders = branch_orders(columns).tolist()
    distances = euclidean_distances(columns).tolist()
    bends = _absent_where_nan(tortuosities(columns))
    forks = _absent_where_nan(asymmetries(neurite_parents(columns)))
    for index, section in enumerate(cell.sections):
        uid = compartment_uid(cell.uid, index)
        tables.node(
            "Compartment", uid=uid, kind=section.kind, index=index, n_segments=section.n_segments,
            length_um=section.length_um, diameter_um=section.diameter_um,
            area_um2=section.area_um2, volume_um3=section.volume_um3,
            path_distance_um=section.path_distance_um, branch_order=orders[index],
            euclidean_distance_um=distances[index], tortuosity=bends[index],
            asymmetry=forks[index],
            cm_uF_per_cm2=section.cm_uF_per_cm2, ra_ohm_cm=section.ra_ohm_cm,
            segment_points_um=list(section.segment_points_um),
            segment_parents=list(section.segment_parents),
            segment_fractions=list(section.segment_fractions),
            segment_cm_uF_per_cm2=_list(section.segment_cm_uF_per_cm2),
            segment_ra_ohm_cm=_list(section.segment_ra_ohm_cm),
            points_um=_list(section.points_um),
        )  # fmt: skip
        tables.edge("HAS_COMPARTMENT", "Cell", "Compartment", cell.uid, uid)
        if section.parent >= 0:
            tables.edge(
                "CHILD_OF", "Compartment", "Compartment", uid,
                compartment_uid(cell.uid, section.parent),
                fraction_along=section.fraction_on_parent,
            )  # fmt: skip


def _absent_where_nan(values: Floats) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]


def _list(values: tuple[float, ...] | None) -> list[float] | None:
    return None if values is None else list(values)


def _add_placement(tables: Tables, cell: Cell, one: Placement) -> None:
    on_cell = one.section < 0
    src = cell.uid if on_cell else compartment_uid(cell.uid, one.section)
    tables.edge(
        "HAS_MECHANISM", "Cell" if on_cell else "Compartment", "Mechanism", src, one.mechanism_uid,
        uid=f"{src}/{one.place}", density_class=one.density_class,
        segments=None if one.segments is None else list(one.segments),
        gbar_S_per_cm2=one.gbar_S_per_cm2, erev_mV=one.erev_mV,
        permeability_cm_per_s=one.permeability_cm_per_s, n_channels=one.n_channels,
        v_shift_mV=one.v_shift_mV, ion=one.ion, c_init_mM=one.c_init_mM, c_ext_mM=one.c_ext_mM,
        variable_parameter=one.variable_parameter,
        segment_gbar_S_per_cm2=_list(one.segment_gbar_S_per_cm2),
        parameter_names=list(one.parameter_names) or None,
        parameter_values=list(one.parameter_values) or None,
        varying_names=list(one.varying_names) or None,
        segment_values=list(one.segment_values) or None,
    )  # fmt: skip


def _add_definitions(tables: Tables, parsed: ParsedModel, model: str) -> None:
    for one in parsed.definitions:
        tables.edge(
            "DEFINES", "Model", one.label, model, one.uid,
            uid=f"{model}/{one.label}/{one.path}", id=one.id or None, path=one.path, raw=one.raw,
            **said(one.annotations), **_cell_definition(one), **_kinetics(one.kinetics),
        )  # fmt: skip


def _cell_definition(one: Definition) -> dict[str, object]:
    if one.segment_ids is None:
        return {}
    return {
        "segment_ids": list(one.segment_ids),
        "segment_names": list(one.segment_names or ()),
        "offset_um": list(one.offset_um or ()),
        "group_names": list(one.group_names or ()) or None,
        "group_segments": list(one.group_segments or ()) or None,
        "group_sections": list(one.group_sections or ()) or None,
        "kinds_from": one.kinds_from,
        "inhomogeneous_parameters": list(one.measures) or None,
    }


def _add_networks(tables: Tables, parsed: ParsedModel, model: str) -> list[list[str]]:
    """Adds networks, populations and neurons; returns the neurons' uids by population."""
    for head in parsed.networks:
        uid = f"{model}/{head.path}"
        tables.node(
            "Network", uid=uid, model_uid=model, name=head.id or None, path=head.path,
            temperature_degC=head.temperature_degC, implicit=head.implicit, entry=head.entry,
            commands=list(head.commands) or None, fallbacks=list(head.fallbacks) or None,
            stub_mechanisms=head.stub_mechanisms, v_init_mV=head.v_init_mV,
            **arrays(head.parameters), **_simulations(head),
        )  # fmt: skip
        tables.edge(
            "DEFINES", "Model", "Network", model, uid, uid=f"{model}/Network/{head.path}",
            id=head.id or None, path=head.path, raw=head.raw,
            **said(head.annotations),
        )  # fmt: skip
    return [
        _add_population(tables, parsed, model, place) for place in range(len(parsed.populations))
    ]


def _simulations(head: NetworkHead) -> dict[str, object]:
    return {
        "simulation_names": [one.id for one in head.simulations] or None,
        "simulation_lengths_ms": [one.length_ms for one in head.simulations] or None,
        "simulation_steps_ms": [one.step_ms for one in head.simulations] or None,
    }


def _add_population(tables: Tables, parsed: ParsedModel, model: str, place: int) -> list[str]:
    population = parsed.populations[place]
    uid = f"{model}/{population.path}"
    n = len(population.instance_ids)
    network = f"{model}/{parsed.networks[population.network].path}"
    tables.node(
        "Population", uid=uid, model_uid=model, name=population.id or None, path=population.path,
        size=n, property_names=list(population.property_names) or None,
        property_values=list(population.property_values) or None, **_layout(population.layout),
    )  # fmt: skip
    tables.edge("HAS_POPULATION", "Network", "Population", network, uid)
    # The path of a population is unique, so are the instance ids within it.
    uids = [f"{uid}/{id_.replace('/', '%2F')}" for id_ in population.instance_ids]
    x, y, z = _positions(parsed, place)
    tables.nodes(
        "Neuron", uid=uids, model_uid=[model] * n,
        name=_neuron_names(population),
        index=list(range(n)), instance_id=list(population.instance_ids), x_um=x, y_um=y, z_um=z,
        implicit=[population.implicit] * n,
    )  # fmt: skip
    tables.edges("HAS_NEURON", "Population", "Neuron", [uid] * n, uids)
    tables.edges("INSTANCE_OF", "Neuron", "Cell", uids, [population.cell_uid] * n)
    return uids


def _layout(layout: Layout | None) -> dict[str, object]:
    if layout is None:
        return {}
    return {"layout": layout.kind, "space": layout.space, "region": layout.region}


def _neuron_names(population: Population) -> list[str | None]:
    """The population's id, with the instance's where there are several and it does not say both."""
    if len(population.instance_ids) == 1:
        return [population.id or None]
    whole = f"{population.id}["
    return [i if i.startswith(whole) else f"{whole}{i}]" for i in population.instance_ids]


def _positions(parsed: ParsedModel, place: int) -> tuple[list[float | None], ...]:
    """Where the roots of the neurons' morphologies are: location plus the cell's own offset."""
    population = parsed.populations[place]
    n = len(population.instance_ids)
    offset = population.offset_um
    if population.xyz_um is None:
        return tuple([value] * n for value in (offset or (None, None, None)))
    moved = population.xyz_um + (offset or (0.0, 0.0, 0.0))
    return tuple(moved[:, axis].tolist() for axis in range(3))
