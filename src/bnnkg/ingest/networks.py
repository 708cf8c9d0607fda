"""Networks on their way into the model, whatever form their file has."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bnnkg.ingest.cells import CellReading
from bnnkg.ingest.definitions import Definitions
from bnnkg.ingest.identity import PathNames, path_part
from bnnkg.ingest.parsed import InputTable, Layout, NetworkHead, Population, Projection
from bnnkg.ingest.sites import NamedPopulation, References, Sites, keep_rows, place_sites

MAX_SIZE = 10_000_000
"""More neurons than this in one population by size are taken for a mistake or an attack."""

PROJECTION_KINDS = {
    "projection": "chemical",
    "electricalProjection": "electrical",
    "continuousProjection": "continuous",
}
DELAYED = frozenset({"chemical"})


@dataclass
class Networks:
    """The networks of a source, and where they go in the model.

    Args:
        definitions: What populations, projections and inputs refer to.
    """

    definitions: Definitions
    heads: list[NetworkHead] = field(default_factory=list)
    populations: list[Population] = field(default_factory=list)
    projections: list[Projection] = field(default_factory=list)
    inputs: list[InputTable] = field(default_factory=list)
    _paths: dict[str, PathNames] = field(default_factory=dict)

    def unique_path(self, what: str, path: str) -> str:
        """A path that no other thing of that sort has."""
        return self._paths.setdefault(what, PathNames()).unique(path)


def population_size(text: str) -> int | None:
    """How many neurons a size says; absent where it is none, or more than are ever expanded."""
    digits = text.strip()
    if not digits.isdecimal() or len(digits) > len(str(MAX_SIZE)):
        return None
    return int(digits) if int(digits) <= MAX_SIZE else None


def synapse_types(
    definitions: Definitions, path: str, kind: str, ids: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """Uids of the synapse models of a connection, each with its side."""
    if kind == "continuous":
        pre, post = (definitions.reference(path, "synapse", id_) for id_ in ids)
        return ((pre, "both"),) if pre == post else ((pre, "pre"), (post, "post"))
    side = "both" if kind == "electrical" else "post"
    return ((definitions.reference(path, "synapse", ids[0]), side),) if ids[0] else ()


def add_population(
    networks: Networks,
    references: References,
    network: int,
    network_path: str,
    id_: str,
    reading: CellReading,
    ids: list[str],
    xyz: np.ndarray | None,
    tags: list[tuple[str, str]],
    *,
    by_size: bool,
    layout: Layout | None = None,
) -> None:
    """Adds a population to the model and to what references in its network can mean."""
    names = PathNames()
    place = len(networks.populations)
    row_of = None if by_size else {name: row for row, name in reversed(list(enumerate(ids)))}
    references.populations.setdefault(id_, NamedPopulation(place, len(ids), reading, row_of))
    networks.populations.append(
        Population(
            network=network,
            id=id_,
            path=networks.unique_path("population", f"{network_path}/{path_part(id_)}"),
            cell_uid=reading.cell.uid,
            offset_um=reading.offset_um,
            instance_ids=tuple(ids) if by_size else tuple(names.unique(name) for name in ids),
            xyz_um=xyz,
            property_names=tuple(tag for tag, _ in tags),
            property_values=tuple(value for _, value in tags),
            layout=layout,
        )
    )


def add_projection(
    networks: Networks,
    references: References,
    network: int,
    kind: str,
    id_: str | None,
    path: str,
    rows: tuple[np.ndarray, Sites, Sites, np.ndarray, np.ndarray, np.ndarray],
    types: tuple[tuple[tuple[str, str], ...], ...],
) -> np.ndarray:
    """Adds connections to the model.

    Returns:
        For each row whether it was added: its segments and fractions are on the cells.
    """
    places, pre_sites, post_sites, weight, delay, type_of = rows
    pre, pre_good = place_sites(pre_sites, references)
    post, post_good = place_sites(post_sites, references)
    good: np.ndarray = pre_good & post_good
    networks.projections.append(
        Projection(
            network, kind, id_, path, places[good], keep_rows(pre, good), keep_rows(post, good),
            weight[good], delay[good] if kind in DELAYED else np.full(int(good.sum()), np.nan),
            types, type_of[good],
        )
    )  # fmt: skip
    return good


def add_inputs(
    networks: Networks,
    references: References,
    model: int,
    path: str,
    places: np.ndarray,
    sites: Sites,
    weight: np.ndarray,
) -> np.ndarray:
    """Adds inputs to the model; returns for each row whether it was added."""
    target, good = place_sites(sites, references)
    networks.inputs.append(
        InputTable(path, model, places[good], keep_rows(target, good), weight[good])
    )
    return good
