"""Families of models: what must not be split between training and test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from bnnkg.gnn.components import components, linked_by
from bnnkg.schema.records import GraphTables


def assign_families(models: Sequence[GraphTables]) -> list[int]:
    """Groups models that are versions or relatives of each other.

    Two models are of one family if they have the same accession, a Cell in common, or half of the
    non-passive mechanisms (of the one that has fewer) in common; so are the relatives of
    relatives.

    Args:
        models: The records of one model each.

    Returns:
        Number of each model's family, counted in the order of their first models.
    """
    links = linked_by([{*_accessions(model), *_cells(model)} for model in models])
    return components(len(models), [*links, *_share_mechanisms(models)])


def _column(model: GraphTables, label: str, name: str) -> list[str]:
    table = model.nodes.get(label)
    return [] if table is None else list(table.columns.get(name, [None] * len(table)))


def _accessions(model: GraphTables) -> Iterator[tuple[str, str]]:
    return (("accession", name) for name in _column(model, "Model", "accession") if name)


def _cells(model: GraphTables) -> Iterator[tuple[str, str]]:
    return (("cell", uid) for uid in _column(model, "Cell", "uid"))


def _share_mechanisms(models: Sequence[GraphTables]) -> Iterator[tuple[int, int]]:
    own = [
        {
            uid
            for uid, passive in zip(
                _column(model, "Mechanism", "uid"),
                _column(model, "Mechanism", "is_passive"),
                strict=True,
            )
            if not passive
        }
        for model in models
    ]
    for one, other in combinations(range(len(models)), 2):
        shared = len(own[one] & own[other])
        if shared and 2 * shared >= min(len(own[one]), len(own[other])):
            yield one, other
