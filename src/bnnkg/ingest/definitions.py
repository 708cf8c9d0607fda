"""The shared nodes of a source: every definition read once, references followed by content."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from lxml import etree

from bnnkg.errors import SourceError
from bnnkg.ingest import mechanisms as make
from bnnkg.ingest.annotations import annotations_of, joined
from bnnkg.ingest.biophysics import Biophysics, BiophysicsReader
from bnnkg.ingest.cells import CellReading, detailed_cell, point_cell
from bnnkg.ingest.components import Part, read_component
from bnnkg.ingest.dynamics import TypeOf, channel_of, gate_kinetics
from bnnkg.ingest.identity import PathNames, path_part, unresolved_uid
from bnnkg.ingest.kinds import DETAILED_CELLS
from bnnkg.ingest.library import Entry, Library
from bnnkg.ingest.markup import (
    UNCOUNTED_BELOW,
    Account,
    as_written,
    local_name,
    without_addresses,
)
from bnnkg.ingest.morphology import Segments, drop_segments, read_morphology
from bnnkg.ingest.parameters import REFERENCES, Collector, Resolve
from bnnkg.ingest.parsed import (
    Cell,
    DefinedLabel,
    Definition,
    InputModel,
    Mechanism,
    Parameters,
    SynapseModel,
)
from bnnkg.kinetics import Channel

_MECHANISM_KINDS = ("channel", "concentration")
_REFERABLE = ("channel", "concentration", "synapse")


@dataclass
class Definitions:
    """What the definitions of a source become.

    Args:
        library: All definitions and their scopes.
        model_key: Key of the Model, within which unresolved references are themselves.
    """

    library: Library
    model_key: str
    mechanisms: dict[str, Mechanism] = field(default_factory=dict)
    synapses: dict[str, SynapseModel] = field(default_factory=dict)
    cells: dict[str, Cell] = field(default_factory=dict)
    definitions: list[Definition] = field(default_factory=list)
    inputs: list[InputModel] = field(default_factory=list)
    channels: dict[str, Channel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._uids: dict[Entry, str] = {}
        self._readings: dict[Entry, CellReading | None] = {}
        self._sources: dict[Entry, CellReading] = {}
        self._inputs: dict[Entry, int] = {}
        self._unresolved: dict[tuple[str, str], str] = {}
        self._in_progress: set[Entry] = set()
        self._paths: dict[str, PathNames] = {}

    def read_all(self) -> None:
        """Reads every definition of the source."""
        for entry in self.library.entries():
            if entry.kind in _REFERABLE:
                self.uid_of(entry)
            elif entry.kind == "cell":
                self.cell_of(entry)

    # ------------------------------------------------------------------ references

    def reference(self, path: str, kind: str, id_: str) -> str:
        """Uid of what a reference in a file means; of an unresolved node where it means nothing."""
        label: DefinedLabel = "SynapseType" if kind == "synapse" else "Mechanism"
        entry = self.library.find(path, kind, id_)
        uid = self.uid_of(entry) if entry is not None else None
        return uid or self._unresolved_node(label, id_, path)

    def _unresolved_node(self, label: DefinedLabel, id_: str, path: str) -> str:
        self.library.note(path, f"refers to the {label} {id_!r}, which nothing defines")
        key = (label, id_)
        if key not in self._unresolved:
            uid = unresolved_uid(label, self.model_key, id_)
            self._unresolved[key] = uid
            if label == "Mechanism":
                self.mechanisms[uid] = Mechanism(uid, "unresolved", "unresolved")
            elif label == "SynapseType":
                self.synapses[uid] = SynapseModel(uid, "unresolved")
            else:
                self.cells[uid] = Cell(uid, "unresolved", is_point=True)
            named = self._path(label, f"unresolved/{path_part(id_)}")
            self.definitions.append(Definition(label, uid, id_, named))
        return self._unresolved[key]

    def uid_of(self, entry: Entry) -> str | None:
        """Uid of a channel, concentration model or synapse model; absent within itself."""
        if entry in self._uids:
            return self._uids[entry]
        if entry in self._in_progress:
            return None
        self._in_progress.add(entry)
        part, collected = self._collect(entry)
        label: DefinedLabel = "Mechanism"
        if entry.kind == "synapse":
            label = "SynapseType"
            model = make.synapse(part, collected, entry.base_class)
            self.synapses.setdefault(model.uid, model)
            uid = model.uid
        else:
            uid = self._mechanism(entry, part, collected)
        self._in_progress.discard(entry)
        self._uids[entry] = uid
        self._define(label, uid, entry, part)
        return uid

    def _mechanism(self, entry: Entry, part: Part, collected: Collector) -> str:
        """Uid of a channel or concentration model; the gates of each are measured once."""
        is_channel = entry.kind == "channel"
        factory = make.channel if is_channel else make.concentration
        mechanism = factory(part, collected, entry.base_class)
        uid = mechanism.uid
        if uid not in self.mechanisms and is_channel:
            channel = channel_of(part, make.gates_of(part), self._types(entry))
            self.channels[uid] = channel
            mechanism = replace(mechanism, kinetics=gate_kinetics(channel))
        self.mechanisms.setdefault(uid, mechanism)
        return uid

    def _types(self, entry: Entry) -> TypeOf:
        return lambda name: self.library.type_of(entry.document.path, name)

    def _collect(self, entry: Entry) -> tuple[Part, Collector]:
        account, path = entry.document.account, entry.document.path
        types = self._types(entry)
        part = read_component(
            entry.element, account, path, entry.tag, lambda name: types(name) is not None
        )

        collected = Collector(
            account, self._resolve(entry), lambda name: self.library.own_type(path, name)
        ).add(part)
        return part, collected

    def _resolve(self, entry: Entry) -> Resolve:
        path = entry.document.path

        def resolve(attribute: str, id_: str) -> str | None:
            if attribute in REFERENCES:
                return self.reference(path, REFERENCES[attribute][0], id_)
            found = self.library.find_any(path, _REFERABLE, id_)
            return self.uid_of(found) if found is not None else None

        return resolve

    def parameters_of(self, entry: Entry, elements: list[etree._Element]) -> Parameters:
        """Parameters of elements in a definition, named by their tags and ids."""
        account, path = entry.document.account, entry.document.path
        collected = Collector(account, self._resolve(entry), lambda _: None)
        for element in elements:
            part = read_component(element, account, path)
            collected.add(part, f"{part.tag}.{part.id}." if part.id else f"{part.tag}.")
        return collected.parameters()

    # ------------------------------------------------------------------ cells and inputs

    def cell_named(self, path: str, id_: str) -> CellReading:
        """The cell that a population of a file names; a source of spikes is one too."""
        entry = self.library.find_any(path, ("cell", "input"), id_)
        reading = self.cell_of(entry) if entry is not None else None
        if reading is None:
            uid = self._unresolved_node("Cell", id_, path)
            reading = CellReading(self.cells[uid])
        return reading

    def cell_of(self, entry: Entry) -> CellReading | None:
        """The Cell of an element; absent where its morphology cannot be read."""
        if entry not in self._readings:
            if entry.tag in DETAILED_CELLS:
                self._readings[entry] = self._detailed(entry)
            else:
                self._readings[entry] = self._point(entry)
        return self._readings[entry]

    def _point(self, entry: Entry) -> CellReading:
        part, collected = self._collect(entry)
        path = entry.document.path
        dynamics = make.point_dynamics(part, collected, entry.base_class)
        cell = point_cell(
            part,
            dynamics,
            lambda kind, id_: self.reference(path, kind, id_),
            entry.document.account,
        )
        self.mechanisms.setdefault(dynamics.uid, dynamics)
        self.cells.setdefault(cell.uid, cell)
        self._define("Cell", cell.uid, entry, part)
        self._define("Mechanism", dynamics.uid, entry, part)
        return CellReading(cell)

    def _detailed(self, entry: Entry) -> CellReading | None:
        account, path = entry.document.account, entry.document.path
        try:
            segments = self._morphology(entry)
            biophysics = self._biophysics(entry, segments)
        except SourceError as error:
            account.problem(f"cell {entry.id!r}: {error.line()}")
            return None
        account.take(entry.element)
        reading = detailed_cell(entry.tag, segments, biophysics)
        self.cells.setdefault(reading.cell.uid, reading.cell)
        self._define_cell(entry, reading, path)
        return reading

    def _morphology(self, entry: Entry) -> Segments:
        element, owner = self._inner(entry, "morphology", "morphology")
        if element is None or owner is None:
            raise SourceError(
                "the cell has no morphology",
                where=f"{entry.document.path}:{entry.element.sourceline}",
                found=entry.element.get("morphology") or "none",
            )
        segments = read_morphology(element, owner.account, owner.path)
        if element.getparent() is entry.element:  # no other cell can ask for it
            drop_segments(element)
        return segments

    def _biophysics(self, entry: Entry, segments: Segments) -> Biophysics:
        element, owner = self._inner(entry, "biophysicalProperties", "biophysics")
        n = len(segments.ids)
        if element is None or owner is None:
            return Biophysics([None] * n, [None] * n)
        path = owner.path
        reader = BiophysicsReader(
            segments, owner.account, path, lambda kind, id_: self.reference(path, kind, id_)
        )
        return reader.read(read_component(element, owner.account, path))

    def _inner(self, entry: Entry, name: str, kind: str) -> Any:
        """An element of a cell, in it or named by its attribute, with its document."""
        for child in entry.element:
            if local_name(child).startswith(name):
                return child, entry.document
        named = (entry.element.get(name) or "").strip()
        if not named:
            return None, None
        found = self.library.find(entry.document.path, kind, named)
        if found is None:
            entry.document.account.problem(
                f"cell {entry.id!r}: its {name} {named!r} is defined nowhere"
            )
            return None, None
        return found.element, found.document

    def input_named(self, path: str, id_: str) -> int:
        """Place in ``inputs`` of the component that an input list of a file names."""
        entry = self.library.find_any(path, ("input", "synapse"), id_)
        return self.input_of(entry) if entry is not None else self._unresolved_input(id_, path)

    def _unresolved_input(self, id_: str, file: str) -> int:
        self.library.note(file, f"refers to the input {id_!r}, which nothing defines")
        key = ("Stimulus", id_)
        if key not in self._unresolved:
            self._unresolved[key] = str(len(self.inputs))
            path = self._path("Stimulus", f"unresolved/{path_part(id_)}")
            self.inputs.append(InputModel(id_, "unresolved", path, Parameters()))
        return int(self._unresolved[key])

    def input_of(self, entry: Entry) -> int:
        """Place in ``inputs`` of an element."""
        if entry not in self._inputs:
            part, collected = self._collect(entry)
            said = annotations_of(entry.element, entry.document.account)  # before what is left
            self._inputs[entry] = len(self.inputs)
            self.inputs.append(
                InputModel(
                    entry.id,
                    part.tag,
                    self._path("Stimulus", self._element_path(entry)),
                    collected.parameters(),
                    self._raw(entry, part),
                    said,
                )
            )
        return self._inputs[entry]

    def unused_inputs(self) -> list[Entry]:
        """Input components that nothing has named, neither as input nor as a cell."""
        return [
            entry
            for entry in self.library.entries()
            if entry.kind == "input" and entry not in self._inputs and entry not in self._readings
        ]

    # ------------------------------------------------------------------ definitions

    def _define(self, label: DefinedLabel, uid: str, entry: Entry, part: Part) -> None:
        said = annotations_of(entry.element, entry.document.account)  # before what is left
        self.definitions.append(
            Definition(
                label,
                uid,
                entry.id,
                self._path(label, self._element_path(entry)),
                self._raw(entry, part),
                said,
            )
        )

    def _define_cell(self, entry: Entry, reading: CellReading, path: str) -> None:
        documents = {entry.element: entry.document}
        for name, kind in (("morphology", "morphology"), ("biophysicalProperties", "biophysics")):
            found = self.library.find(path, kind, (entry.element.get(name) or "").strip())
            if found is not None:
                documents[found.element] = found.document
        said = [annotations_of(one, document.account) for one, document in documents.items()]
        raw = [leftover(one, document.account) for one, document in documents.items()]
        self.definitions.append(
            Definition(
                "Cell",
                reading.cell.uid,
                entry.id,
                self._path("Cell", self._element_path(entry)),
                "\n".join(filter(None, raw)) or None,
                joined(said),
                reading.segment_ids,
                reading.segment_names,
                reading.offset_um,
                reading.group_names,
                reading.group_segments,
                reading.group_sections,
                reading.kinds_from,
                measures=reading.measures,
            )
        )

    def _raw(self, entry: Entry, part: Part) -> str | None:
        account, path = entry.document.account, entry.document.path
        names = dict.fromkeys(_type_names(part))
        types = dict.fromkeys(t for name in names for t in self.library.type_chain(path, name))
        written = [as_written(element) for element in types]
        return "\n".join(filter(None, [leftover(entry.element, account), *written])) or None

    @staticmethod
    def _element_path(entry: Entry) -> str:
        return f"{entry.document.path}/{path_part(entry.id or entry.tag)}"

    def _path(self, label: str, path: str) -> str:
        return self._paths.setdefault(label, PathNames()).unique(path)


def _type_names(part: Part) -> list[str]:
    own = [part.tag, *([part.texts["type"]] if "type" in part.texts else [])]
    strange = [local_name(element) for element in part.strange]
    return [*own, *strange, *(name for inner in part.parts for name in _type_names(inner))]


def leftover(element: etree._Element, account: Account) -> str | None:
    """What of an element no mapping took, as written, each part after a comment of its parent."""
    lines: list[str] = []
    _gather(element, account, lines)
    return without_addresses("\n".join(lines)) or None


_ROWS = frozenset({
    "segment", "member", "proximal", "distal", "parent", "instance", "location", "input", "inputW",
    "connection", "connectionWD", "electricalConnection", "electricalConnectionInstance",
    "electricalConnectionInstanceW", "continuousConnection", "continuousConnectionInstance",
    "continuousConnectionInstanceW", "synapticConnection", "synapticConnectionWD", "explicitInput",
})  # fmt: skip


def _gather(element: etree._Element, account: Account, lines: list[str]) -> None:
    for child in element:
        name = local_name(child)
        if not name or account.skipped(child):
            continue
        if account.took(child):
            if name not in UNCOUNTED_BELOW:
                _gather(child, account, lines)
        elif name not in _ROWS:
            owner = f"{local_name(element)} {element.get('id') or ''}".strip()
            text = " ".join(as_written(child).split())
            lines.append(f"<!-- in {owner.replace('--', '- -')} --> {text}")
