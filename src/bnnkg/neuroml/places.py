"""Neurons and sections as a network's rows name them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bnnkg.neuroml.cells import Shape
from bnnkg.neuroml.definitions import CellForm, Definitions
from bnnkg.neuroml.graph import Graph, Row
from bnnkg.neuroml.values import Ids, exact, number, plain

Offset = tuple[float, float, float]


@dataclass(frozen=True)
class PopulationForm:
    """A population as the document has it.

    Attributes:
        id: Its id.
        node: The Population.
        cell: The element of its cell.
        neurons: Its Neurons by index.
        by_size: Whether it is written by its size alone.
        ids: What each neuron is named by in the document.
    """

    id: str
    node: Row
    cell: CellForm
    neurons: list[Row]
    by_size: bool
    ids: list[str]

    def locations(self) -> list[dict[str, str]]:
        """Attributes of each neuron's location: its place without the cell's own offset."""
        offset = self.cell.offset_um or (0.0, 0.0, 0.0)
        return [
            {a: _moved(neuron.get(f"{a}_um", 0.0), o) for a, o in zip("xyz", offset, strict=True)}
            for neuron in self.neurons
        ]


def _moved(place: float, offset: float) -> str:
    """The number whose sum with the offset is the place, as the reader adds them."""
    near = float(exact(place) - exact(offset))
    beside = math.nextafter(near, -math.inf), math.nextafter(near, math.inf)
    candidates = (near, place - offset, *beside)
    found = next((value for value in candidates if value + offset == place), near)
    return plain(exact(found))


@dataclass(frozen=True)
class Site:
    """Where a row points: population, the neuron in its two forms, segment, place along it."""

    population: PopulationForm
    neuron: int
    segment: int
    fraction: str

    @property
    def path(self) -> str:
        """The neuron by its path."""
        form = self.population
        if form.by_size:
            return f"../{form.id}[{self.neuron}]"
        return f"../{form.id}/{form.ids[self.neuron]}/{form.cell.id}"

    @property
    def is_default(self) -> bool:
        """Whether it is where NeuroML puts rows that do not say."""
        return self.segment == 0 and self.fraction == "0.5"


class Places:
    """The populations of a model, and the way from its neurons and sections to rows.

    Args:
        graph: The model.
        definitions: Its cells.
    """

    def __init__(self, graph: Graph, definitions: Definitions) -> None:
        self._graph, self._definitions = graph, definitions
        self.not_written: list[str] = []
        self._of_neuron: dict[str, tuple[PopulationForm, int]] = {}
        self.by_network: dict[str, list[PopulationForm]] = {}
        self.network_of: dict[str, str] = {}
        self._named: set[str] = set()
        self.renamed: dict[str, str] = {}
        self._shares: dict[int, tuple[list[float], list[float]]] = {}
        self._read()

    def _read(self) -> None:
        neurons = self._graph.by_uid("Neuron")
        members = self._graph.grouped("HAS_NEURON", "src")
        cell_of = {edge["src"]: edge["dst"] for edge in self._graph.edges("INSTANCE_OF")}
        populations = self._graph.by_uid("Population")
        networks = {e["dst"]: e["src"] for e in self._graph.edges("HAS_POPULATION")}
        ids = {network: Ids() for network in set(networks.values())}
        for uid in sorted(populations):
            network = networks[uid]
            rows = [neurons[e["dst"]] for e in members.get(uid, [])]
            rows.sort(key=lambda neuron: neuron["index"])
            form = self._form(populations[uid], rows, cell_of, ids[network])
            if form is None:
                continue
            self.by_network.setdefault(network, []).append(form)
            for place, neuron in enumerate(rows):
                self._of_neuron[neuron["uid"]] = (form, place)
                self.network_of[neuron["uid"]] = network
        for given in ids.values():
            self.renamed |= given.renamed

    def _form(
        self, node: Row, neurons: list[Row], cell_of: dict[str, str], ids: Ids
    ) -> PopulationForm | None:
        wanted = node.get("name") or "population"
        if not neurons:
            self.not_written.append(
                f"population {wanted} without neurons: the graph does not hold what its cell is"
            )
            return None
        forms = self._definitions.cell_forms(cell_of[neurons[0]["uid"]])
        places = {tuple(n.get(f"{a}_um") for a in "xyz") for n in neurons}
        counted = [n["instance_id"] for n in neurons] == [str(i) for i in range(len(neurons))]
        fitting = [form for form in forms if places == {form.offset_um or (None, None, None)}]
        by_size = counted and bool(fitting)
        if node.get("layout") == "grid" or (node.get("layout") and not by_size):
            self.not_written.append(f"the layout of population {wanted}, whose places are written")
        cell = self._named_by(node, fitting or forms)
        named = [n["instance_id"] for n in neurons]
        if not all(name.isdecimal() for name in named):
            self.not_written.append(
                f"population {wanted}: ids of instances, which are whole numbers in NeuroML"
            )
            named = [str(i) for i in range(len(neurons))]
        return PopulationForm(ids.unique(wanted), node, cell, neurons, by_size, named)

    def _named_by(self, node: Row, forms: list[CellForm]) -> CellForm:
        """The element that a population names, where several are the same Cell.

        Those of its own file come first, then those that no population has named so far: a source
        of spikes that none names would be read as an input.
        """
        file = node["path"].rpartition("/")[0].rpartition("/")[0]
        form = min(forms, key=lambda form: (file not in form.files, form.id in self._named))
        self._named.add(form.id)
        return form

    def site(self, neuron: str, compartment: str | None, edge: Row) -> Site | None:
        """Where a row points; absent where its population is not in the document."""
        found = self._of_neuron.get(neuron)
        if found is None:
            return None
        form, place = found
        shape = form.cell.shape
        if compartment is None or shape is None:
            return Site(form, place, 0, "0.5")
        index = int(compartment.rpartition("/")[2])
        segment = int(edge.get("segment", 0))
        fraction = self._along(shape, index, segment, float(edge.get("fraction_along", 0.5)))
        return Site(form, place, form.cell.segment_ids[shape.first[index] + segment], fraction)

    def _along(self, shape: Shape, index: int, segment: int, along: float) -> str:
        """Place along a segment from that along its section: the shortest number that gives it."""
        first = shape.first[index]
        n = shape.sections[index]["n_segments"]
        if n == 1:
            return number(along)
        starts, shares = self._section(shape, first, n)
        start, share = starts[segment], shares[segment]
        if share == 0:
            return "0.5"
        inside = (along - start) / share
        short = round(inside, 9)
        exactly = min(1.0, start + short * share) == along
        return number(min(1.0, max(0.0, short if exactly else inside)))

    def _section(self, shape: Shape, first: int, n: int) -> tuple[list[float], list[float]]:
        key = id(shape) * 1_000_003 + first
        if key not in self._shares:
            points = np.array([[float(v) for v in p] for p in shape.points[first : first + n]])
            lengths = np.sqrt(((points[:, 4:7] - points[:, 0:3]) ** 2).sum(axis=1))
            total = lengths.sum()
            shares = lengths / total if total > 0 else np.full(n, 1 / n)
            self._shares[key] = ((np.cumsum(shares) - shares).tolist(), shares.tolist())
        return self._shares[key]
