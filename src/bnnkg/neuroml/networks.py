"""Networks, written row by row into an open document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from lxml import etree

from bnnkg.neuroml.components import component
from bnnkg.neuroml.definitions import Definitions
from bnnkg.neuroml.grammar import child, element, is_valid, name_of, put_in_order
from bnnkg.neuroml.graph import Graph, Row
from bnnkg.neuroml.leftovers import read_raw, said
from bnnkg.neuroml.places import Places, PopulationForm, Site
from bnnkg.neuroml.values import number, quantity, valid_id
from bnnkg.schema.xsd import NEUROML2

_PROJECTIONS = {
    "chemical": "projection", "electrical": "electricalProjection",
    "continuous": "continuousProjection",
}  # fmt: skip
_ORDER = ("projection", "electricalProjection", "continuousProjection")
_IN_NETWORK = '<network id="n">', '<population id="p" component="c" size="1"/></network>'


@dataclass(frozen=True)
class Connection:
    """A row of a projection.

    Attributes:
        node: The Synapse.
        pre: Where it leaves.
        post: Where it arrives.
        types: Ids of its synapse models: one, or that of each side of a continuous connection.
    """

    node: Row
    pre: Site
    post: Site
    types: tuple[str, ...]


class NetworkWriter:
    """Writes the networks of a model.

    Args:
        graph: The model.
        definitions: Ids of what networks refer to.
        places: Its populations.
    """

    def __init__(self, graph: Graph, definitions: Definitions, places: Places) -> None:
        self._graph, self._definitions, self._places = graph, definitions, places
        self.not_written: list[str] = []
        self._counts: dict[str, int] = {}
        self._projections = self._by_projection()
        self._inputs = self._by_list()

    def write(self, file: Any) -> None:
        """Writes all networks into an ``etree.xmlfile`` whose root is open."""
        defined = {edge["dst"]: edge for edge in self._graph.edges("DEFINES", "Model", "Network")}
        for network in sorted(self._graph.nodes("Network"), key=lambda node: str(node["uid"])):
            if not network["implicit"]:
                self._network(file, network, defined.get(network["uid"], {}))
        self.not_written += [f"{n} {what}" for what, n in self._counts.items()]

    def _network(self, file: Any, node: Row, edge: Row) -> None:
        attributes = {"id": valid_id(node.get("name") or "network")}
        if not self._places.by_network.get(node["uid"]):
            self.not_written.append(
                f"network {attributes['id']}, for NeuroML has none without a population"
            )
            return
        for simulation in node.get("simulation_names", ()):
            self.not_written.append(f"Simulation {simulation} of {attributes['id']}, which is LEMS")
        if "temperature_degC" in node:
            attributes["type"] = "networkWithTemperature"
            attributes["temperature"] = quantity(node["temperature_degC"], "degC")
        with file.element(f"{{{NEUROML2}}}network", attributes):
            before, inside = self._leftovers(edge)
            own = component("network", "", node, self._definitions.id_of)
            own[:] = [*said(edge), *before, *filter(self._fits, own)]
            put_in_order(own, "Network")
            for one in own:
                file.write(one)
            for form in self._places.by_network.get(node["uid"], []):
                _write_population(file, form, inside)
            self._write_connections(file, node["uid"])
            self._write_inputs(file, node["uid"])

    def _fits(self, one: etree._Element) -> bool:
        """Whether an element may stand in a network; told where it may not."""
        fits = is_valid(one, _IN_NETWORK)
        if not fits:
            self.not_written.append(f"{name_of(one)} {one.get('id')}: the schema has no such form")
        return fits

    def _leftovers(self, edge: Row) -> tuple[list[etree._Element], dict[str, list[etree._Element]]]:
        """What was kept as written: that of the network itself, and that of populations by id."""
        before: list[etree._Element] = []
        inside: dict[str, list[etree._Element]] = {}
        for one in read_raw(edge.get("raw")):
            name, owner = name_of(one.element), one.owner.split(" ")
            if owner[0] == "network" and is_valid(one.element, _IN_NETWORK):
                before.append(one.element)
            elif owner[0] == "population" and name in ("property", "annotation"):
                inside.setdefault(owner[-1], []).append(one.element)
            else:
                self.not_written.append(f"a {name} of {one.owner}, kept as it was written")
        return before, inside

    def _not(self, what: str) -> None:
        self._counts[what] = self._counts.get(what, 0) + 1

    # ------------------------------------------------------------------ connections

    def _by_projection(self) -> dict[str, dict[str, list[Row]]]:
        """The Synapses of each network by projection, in the order of their places."""
        pre = {edge["dst"]: edge["src"] for edge in self._graph.edges("SENDS")}
        found: dict[str, dict[str, list[Row]]] = {}
        for node in self._graph.nodes("Synapse"):
            network = self._places.network_of.get(pre[node["uid"]])
            if network is None:
                self._not("connections between populations that are not written")
                continue
            projection = node["uid"].rpartition("/")[0]
            found.setdefault(network, {}).setdefault(projection, []).append(node)
        for projections in found.values():
            for rows in projections.values():
                rows.sort(key=lambda node: node["index"])
        self._pre = pre
        self._post = {edge["src"]: edge["dst"] for edge in self._graph.edges("TARGETS")}
        self._leaves = {edge["src"]: edge for edge in self._graph.edges("LEAVES_FROM")}
        self._arrives = {edge["src"]: edge for edge in self._graph.edges("ARRIVES_AT")}
        self._types = self._graph.grouped("OF_TYPE", "src")
        return found

    def _connection(self, node: Row) -> Connection | None:
        uid = node["uid"]
        leaves, arrives = self._leaves.get(uid, {}), self._arrives.get(uid, {})
        pre = self._places.site(self._pre[uid], leaves.get("dst"), leaves)
        post = self._places.site(self._post[uid], arrives.get("dst"), arrives)
        if pre is None or post is None:
            self._not("connections between populations that are not written")
            return None
        types = self._types.get(uid, [])
        if not types or not all(self._definitions.can_write(edge["dst"]) for edge in types):
            self._not("connections whose synapse model is absent or not NeuroML's")
            return None
        if "threshold_mV" in node:
            self._not("thresholds of connections, which NeuroML gives to cells")
        by_side = {edge["side"]: self._definitions.id_of(edge["dst"]) for edge in types}
        if node["kind"] == "continuous":
            both = by_side.get("both", "")
            ends = by_side.get("pre", both), by_side.get("post", both)
            return Connection(node, pre, post, ends)
        return Connection(node, pre, post, (next(iter(by_side.values())),))

    def _write_connections(self, file: Any, network: str) -> None:
        projections = self._projections.get(network, {})
        loose = [rows for rows in projections.values() if "projection" not in rows[0]]
        named = [rows for rows in projections.values() if "projection" in rows[0]]
        for rows in loose:
            found = [c for c in map(self._connection, rows) if c is not None]
            if all(_says_nothing(one) for one in found):
                _write_loose(file, found)
            else:
                self.not_written.append("that weighted connections stood outside any projection")
                named.append([row | {"projection": "connections"} for row in rows])
        named.sort(key=lambda rows: _ORDER.index(_PROJECTIONS[rows[0]["kind"]]))
        for rows in named:
            self._projection(file, rows)

    def _projection(self, file: Any, rows: list[Row]) -> None:
        found = [c for c in map(self._connection, rows) if c is not None]
        kind = rows[0]["kind"]
        by_type: dict[tuple[str, ...], list[Connection]] = {}
        for one in found:
            by_type.setdefault(one.types if kind == "chemical" else (), []).append(one)
        for types, same in by_type.items():
            first = same[0]
            attributes = {
                "id": valid_id(rows[0]["projection"]),
                "presynapticPopulation": first.pre.population.id,
                "postsynapticPopulation": first.post.population.id,
            }
            if types:
                attributes["synapse"] = types[0]
            with file.element(f"{{{NEUROML2}}}{_PROJECTIONS[kind]}", attributes):
                for row in _CONNECTIONS[kind](same):
                    file.write(row)

    # ------------------------------------------------------------------ inputs

    def _by_list(self) -> dict[str, dict[str, list[tuple[Row, Row]]]]:
        """Stimuli with their targets, of each network by list, in the order of their places."""
        targets = {edge["src"]: edge for edge in self._graph.edges("STIMULATES")}
        found: dict[str, dict[str, list[tuple[Row, Row]]]] = {}
        for node in self._graph.nodes("Stimulus"):
            edge = targets.get(node["uid"])
            if edge is None:
                continue  # defined, and aimed at nothing
            network = self._places.network_of.get(edge["dst"])
            if network is None or not self._definitions.can_write(node["uid"]):
                self._not("inputs that are not NeuroML's, or to populations that are not written")
                continue
            path = node["path"].rpartition("/")[0]
            found.setdefault(network, {}).setdefault(path, []).append((node, edge))
        for lists in found.values():
            for rows in lists.values():
                rows.sort(key=lambda row: int(row[0]["path"].rpartition("/")[2]))
        return found

    def _input_site(self, edge: Row) -> Site:
        index = edge.get("compartment")
        site = self._places.site(edge["dst"], None if index is None else f"/{index}", edge)
        assert site is not None
        return site

    def _write_inputs(self, file: Any, network: str) -> None:
        lists = []
        for path, rows in self._inputs.get(network, {}).items():
            sites = [(node, self._input_site(edge)) for node, edge in rows]
            name = unquote(path.rpartition("/")[2])
            plain = all(s.is_default and n.get("weight", 1.0) == 1 for n, s in sites)
            if name == "explicitInput" and plain:
                for node, site in sites:
                    ends = {"target": site.path.removeprefix("../")}
                    ends["input"] = self._definitions.id_of(node["uid"])
                    file.write(element("explicitInput", ends))
            else:
                lists.append((name, sites))
        for name, sites in lists:
            self._input_list(file, name, sites)

    def _input_list(self, file: Any, name: str, sites: list[tuple[Row, Site]]) -> None:
        by_component: dict[str, list[tuple[Row, Site]]] = {}
        for node, site in sites:
            by_component.setdefault(self._definitions.id_of(node["uid"]), []).append((node, site))
        for component_id, rows in by_component.items():
            weighted = any(node.get("weight", 1.0) != 1 for node, _ in rows)
            attributes = {
                "id": valid_id(name.partition("~")[0]), "component": component_id,
                "population": rows[0][1].population.id,
            }  # fmt: skip
            with file.element(f"{{{NEUROML2}}}inputList", attributes):
                for place, (node, site) in enumerate(rows):
                    file.write(_input(place, node, site, weighted=weighted))


def _input(place: int, node: Row, site: Site, *, weighted: bool) -> etree._Element:
    one = element("inputW" if weighted else "input", {
        "id": str(place), "target": site.path, "destination": "synapses",
        "segmentId": str(site.segment), "fractionAlong": site.fraction,
    })  # fmt: skip
    if weighted:
        one.set("weight", number(node.get("weight", 1.0)))
    return one


def _write_population(
    file: Any, form: PopulationForm, inside: dict[str, list[etree._Element]]
) -> None:
    attributes = {"id": form.id, "component": form.cell.id}
    attributes |= {"size": str(len(form.neurons))}
    if not form.by_size:
        attributes["type"] = "populationList"
    tags = form.node.get("property_names", ()), form.node.get("property_values", ())
    with file.element(f"{{{NEUROML2}}}population", attributes):
        for tag, value in zip(*tags, strict=True):
            file.write(element("property", {"tag": tag, "value": value}))
        for one in inside.get(form.id, []):
            file.write(one)
        if form.by_size:
            if "layout" in form.node:
                file.write(_layout(form))
            return
        for id_, location in zip(form.ids, form.locations(), strict=True):
            one = element("instance", {"id": id_})
            child(one, "location", location)
            file.write(one)


def _layout(form: PopulationForm) -> etree._Element:
    """How a population without places is laid out."""
    node = form.node
    top = element("layout", {"space": node["space"]} if "space" in node else {})
    counts = {"number": str(len(form.neurons))}
    region = {"region": node["region"]} if "region" in node else {}
    child(top, node["layout"], counts | region if node["layout"] == "random" else counts)
    return top


def _says_nothing(one: Connection) -> bool:
    """Whether a connection has the weight, delay and places of one that does not give them."""
    plain = one.node.get("weight", 1.0) == 1 and one.node.get("delay_ms", 0.0) == 0
    return plain and one.pre.is_default and one.post.is_default


def _write_loose(file: Any, rows: list[Connection]) -> None:
    for one in rows:
        ends = {"from": one.pre.path, "to": one.post.path}
        ends = {name: path.removeprefix("../") for name, path in ends.items()}
        file.write(element("synapticConnection", {**ends, "synapse": one.types[0]}))


def _chemical(rows: list[Connection]) -> Iterator[etree._Element]:
    detailed = any(
        one.node.get("weight", 1.0) != 1 or one.node.get("delay_ms", 0.0) != 0 for one in rows
    )
    for place, one in enumerate(rows):
        made = element("connectionWD" if detailed else "connection", {
            "id": str(place), "preCellId": one.pre.path, "preSegmentId": str(one.pre.segment),
            "preFractionAlong": one.pre.fraction, "postCellId": one.post.path,
            "postSegmentId": str(one.post.segment), "postFractionAlong": one.post.fraction,
        })  # fmt: skip
        if detailed:
            made.set("weight", number(one.node.get("weight", 1.0)))
            made.set("delay", quantity(one.node.get("delay_ms", 0.0), "ms"))
        yield made


def _other(tag: str, rows: list[Connection], types: tuple[str, ...]) -> Iterator[etree._Element]:
    weighted = any(one.node.get("weight", 1.0) != 1 for one in rows)
    bare = not weighted and all(
        s.population.by_size and s.population.id == s0.population.id
        for one in rows
        for s, s0 in ((one.pre, rows[0].pre), (one.post, rows[0].post))
    )
    name = tag if bare else f"{tag}Instance{'W' if weighted else ''}"
    for place, one in enumerate(rows):
        pre, post = (str(s.neuron) if bare else s.path for s in (one.pre, one.post))
        made = element(name, {
            "id": str(place), "preCell": pre, "preSegment": str(one.pre.segment),
            "preFractionAlong": one.pre.fraction, "postCell": post,
            "postSegment": str(one.post.segment), "postFractionAlong": one.post.fraction,
            **dict(zip(types, one.types, strict=True)),
        })  # fmt: skip
        if weighted:
            made.set("weight", number(one.node.get("weight", 1.0)))
        yield made


_CONNECTIONS: dict[str, Callable[[list[Connection]], Iterator[etree._Element]]] = {
    "chemical": _chemical,
    "electrical": lambda rows: _other("electricalConnection", rows, ("synapse",)),
    "continuous": lambda rows: _other(
        "continuousConnection", rows, ("preComponent", "postComponent")
    ),
}
