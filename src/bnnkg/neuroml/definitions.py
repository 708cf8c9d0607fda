"""What a model defines, as elements at the top of a document, and their ids there."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from bnnkg.neuroml.cells import Shape, groups_of, morphology, segment_ids, shapes_of
from bnnkg.neuroml.components import component
from bnnkg.neuroml.grammar import name_of
from bnnkg.neuroml.graph import Graph, Row
from bnnkg.neuroml.leftovers import formula_names, lost_lex_ids, restore, said
from bnnkg.neuroml.membrane import Membrane
from bnnkg.neuroml.values import Ids

NMODL = frozenset({"SUFFIX", "POINT_PROCESS", "ARTIFICIAL_CELL"})
"""Classes of NEURON's mechanisms, whose code NeuroML has no words for."""
_DETAILED = ("cell", "cell2CaPools")
_CLASS = {
    "Cell": "cell_class", "Mechanism": "mechanism_class", "SynapseType": "synapse_class",
    "Stimulus": "stimulus_class",
}  # fmt: skip
_NAMESPACE = {
    "Cell": "cell", "Stimulus": "cell", "Mechanism": "mechanism", "SynapseType": "synapse",
}  # fmt: skip
"""What must have other ids than which: a population may name a source of spikes as its cell."""


@dataclass(frozen=True)
class CellForm:
    """A cell as the document has it.

    Attributes:
        id: Its id.
        offset_um: Where its root is.
        segment_ids: Of its segments in the order of the sections; empty for a point.
        shape: Its morphology; absent for a point.
        files: Where it was defined, with this id and content.
    """

    id: str
    offset_um: tuple[float, float, float] | None
    segment_ids: list[int]
    shape: Shape | None
    files: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Defined:
    """An element that defines something, with the component types that give it its meaning."""

    element: etree._Element
    types: dict[str, etree._Element]


class Definitions:
    """Writes the definitions of a model.

    Args:
        graph: The model.

    Attributes:
        not_written: What NeuroML has no words for, or the graph does not hold.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.not_written: list[str] = []
        self._ids = {namespace: Ids() for namespace in ("cell", "mechanism", "synapse")}
        self._id_of: dict[str, str] = {}
        self._definitions: dict[tuple[str, str, str], Row] = {}
        self._cells: dict[str, list[CellForm]] = {}
        self._shapes = shapes_of(graph)
        self._aimed = {edge["src"] for edge in graph.edges("STIMULATES")}
        self._placements: dict[str, list[Row]] = {}
        for edge in graph.edges("HAS_MECHANISM"):
            self._placements.setdefault(edge["src"].partition("/")[0], []).append(edge)
        self._assign_ids()

    # ------------------------------------------------------------------ ids

    def _assign_ids(self) -> None:
        """Definitions first, by their paths; then what is referred to and defined nowhere."""
        unresolved = []
        for label in ("Cell", "Mechanism", "SynapseType", "Stimulus"):
            for edge in sorted(self._graph.edges("DEFINES", "Model", label), key=_by_path):
                if self._class(label, edge["dst"]) == "unresolved":
                    unresolved.append((label, edge))
                elif not self._is_inside_another(label, edge["dst"]):
                    self._assign(label, edge)
        for label, edge in unresolved:
            self._assign(label, edge)

    def _assign(self, label: str, edge: Row) -> None:
        key = (_NAMESPACE[label], self._content(label, edge["dst"]), edge.get("id", ""))
        if key not in self._definitions:
            wanted = edge.get("id") or self._class(label, edge["dst"])
            id_ = self._ids[_NAMESPACE[label]].unique(wanted)
            self._definitions[key] = edge | {"written_id": id_, "label": label, "files": set()}
        elif label == "Stimulus" and edge["dst"] not in self._aimed:
            self.not_written.append(f"a second definition of input {edge.get('id', '')}")
        self._definitions[key]["files"].add(edge["path"].rpartition("/")[0])
        self._id_of.setdefault(edge["dst"], self._definitions[key]["written_id"])

    def _class(self, label: str, uid: str) -> str:
        return str(self._graph.by_uid(label)[uid][_CLASS[label]])

    def _is_inside_another(self, label: str, uid: str) -> bool:
        """Whether a definition stands in another's element, as the dynamics of a point cell do."""
        return label == "Mechanism" and self._graph.by_uid(label)[uid]["kind"] == "point"

    def _content(self, label: str, uid: str) -> str:
        """What tells definitions of one id apart.

        Each input of a list is a Stimulus of its own, and one element may be a Cell and Stimuli.
        """
        node, class_ = self._graph.by_uid(label)[uid], self._class(label, uid)
        if label == "Cell" and node["is_point"]:
            node = self._dynamics(uid) or node
        elif label != "Stimulus":
            return uid
        names = ("parameter_names", "parameter_values", "expression_texts", "part_names")
        return repr([class_, *(node.get(name) for name in names)])

    def _dynamics(self, uid: str) -> Row | None:
        """The Mechanism that makes a point cell; absent where nothing does."""
        own = [edge for edge in self._carried(uid) if edge["uid"].endswith("/0")]
        return self._graph.by_uid("Mechanism").get(own[0]["dst"]) if own else None

    def id_of(self, uid: str) -> str:
        """Id of a shared node or Stimulus in the document."""
        return self._id_of.get(uid, uid)

    @property
    def renamed(self) -> dict[str, str]:
        """New ids, and what they were."""
        return {new: old for ids in self._ids.values() for new, old in ids.renamed.items()}

    def can_write(self, uid: str) -> bool:
        """Whether NeuroML can express a Mechanism, SynapseType or Stimulus."""
        for label in ("Mechanism", "SynapseType", "Stimulus"):
            if uid in self._graph.by_uid(label):
                return self._class(label, uid) not in NMODL
        return True

    def cell_forms(self, uid: str) -> list[CellForm]:
        """The elements that a Cell has in the document, one for each id that it came with."""
        return self._cells.get(uid, [])

    # ------------------------------------------------------------------ elements

    def elements(self) -> list[Defined]:
        """All definitions but networks."""
        found: list[Defined] = []
        for edge in self._definitions.values():
            one = self._element(edge["label"], edge)
            if one is not None:
                found.append(Defined(one, self._finish(one, edge)))
        return found

    def _element(self, label: str, edge: Row) -> etree._Element | None:
        node, class_ = self._graph.by_uid(label)[edge["dst"]], self._class(label, edge["dst"])
        id_ = edge["written_id"]
        if label == "Cell":
            return self._cell(node, edge)
        if class_ == "unresolved":
            return None
        if class_ in NMODL:
            self.not_written.append(f"{label} {id_}: NeuroML has no words for NMODL")
            return None
        return component(class_, id_, node, self.id_of, formula_names(edge.get("raw")))

    def _cell(self, node: Row, edge: Row) -> etree._Element | None:
        uid, id_ = node["uid"], edge["written_id"]
        shape, files = self._shapes.get(uid), frozenset(edge["files"])
        if shape is None:
            self._cells.setdefault(uid, []).append(CellForm(id_, None, [], None, files))
            return self._point(node, id_, formula_names(edge.get("raw")))
        offset = tuple(edge.get("offset_um", (0.0, 0.0, 0.0)))
        form = CellForm(id_, offset, segment_ids(edge, shape), shape, files)
        self._cells.setdefault(uid, []).append(form)
        return self._detailed(node, edge, shape)

    def _point(self, node: Row, id_: str, formulas: frozenset[str]) -> etree._Element | None:
        if node["cell_class"] == "unresolved":
            return None
        dynamics = self._dynamics(node["uid"])
        if dynamics is None or dynamics["mechanism_class"] in NMODL:
            self.not_written.append(f"Cell {id_}: its dynamics are not NeuroML's")
            return None
        return component(node["cell_class"], id_, dynamics, self.id_of, formulas)

    def _carried(self, uid: str) -> list[Row]:
        return self._placements.get(uid, [])

    def _detailed(self, node: Row, edge: Row, shape: Shape) -> etree._Element:
        tag = node["cell_class"] if node["cell_class"] in _DETAILED else "cell"
        top = component(tag, edge["written_id"], {}, self.id_of)
        groups = groups_of(edge, shape)
        drawn = morphology(edge, shape, groups)
        membrane = Membrane(
            node, shape, groups, self._carried(node["uid"]), self.id_of, self.can_write
        )
        written = membrane.write(drawn)
        top.append(drawn)
        if any(len(inner) for inner in written) or "biophysicalProperties" in edge.get("raw", ""):
            top.append(written)
        for uid, n in membrane.not_written.items():
            self.not_written.append(
                f"Cell {edge['written_id']}: {self.id_of(uid)} in {n} sections, for it is NMODL"
            )
        if "other" in shape.kinds:
            self.not_written.append(
                f"Cell {edge['written_id']}: sections that are neither soma, dendrite nor axon "
                "have no such kind in NeuroML"
            )
        return top

    def _finish(self, one: etree._Element, edge: Row) -> dict[str, etree._Element]:
        """Adds what is said of an element and left over; returns its component types by name."""
        types: dict[str, etree._Element] = {}
        for place, before in enumerate(said(edge)):
            one.insert(place, before)
        self.not_written += [
            f"{name_of(one)} {edge['written_id']}: the neuroLexId {id_}, for the graph does not "
            "say which of its parts has it"
            for id_ in lost_lex_ids(edge, one)
        ]
        for leftover in restore(edge.get("raw"), one):
            if name_of(leftover.element) == "ComponentType":
                types[leftover.element.get("name", "")] = leftover.element
            else:
                self.not_written.append(
                    f"{name_of(one)} {edge['written_id']}: a {name_of(leftover.element)} "
                    f"of {leftover.owner or 'the element'}, which is no longer there"
                )
        return types


def _by_path(edge: Row) -> tuple[str, str]:
    return edge["path"], edge["uid"]
