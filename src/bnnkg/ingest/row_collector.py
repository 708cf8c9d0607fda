"""Takes the rows of networks out of a document while it is being read.

A network of millions of connections is never there as elements: each row goes into columns when it
ends, and is removed once the next one of its list has ended. Most are not even elements: where a
row is followed by text of the same form, that is read as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from lxml import etree

from bnnkg.ingest.markup import UNCOUNTED_BELOW, counted, local_name
from bnnkg.ingest.row_templates import RowTemplate, template_of
from bnnkg.ingest.rows import POST, PRE, TARGET, InstanceBuilder, RowBuilder, RowTexts

PROJECTIONS = ("projection", "electricalProjection", "continuousProjection")
CONNECTIONS = (
    "connection", "connectionWD", "electricalConnection", "electricalConnectionInstance",
    "electricalConnectionInstanceW", "continuousConnection", "continuousConnectionInstance",
    "continuousConnectionInstanceW",
)  # fmt: skip
INPUTS = ("input", "inputW")
INSTANCES = ("instance",)

_ROWS_OF = {"population": INSTANCES, "inputList": INPUTS}

Builder = RowBuilder | InstanceBuilder


def new_builder(element: etree._Element, texts: RowTexts) -> RowBuilder:
    """A builder for the rows of a projection or an input list."""
    if local_name(element) == "inputList":
        return RowBuilder(texts, (TARGET,), (element.get("component") or "").strip())
    return RowBuilder(texts, (PRE, POST), (element.get("synapse") or "").strip())


class RowCollector:
    """Listens to the rows of one document.

    Rows stay in the document where their list names a population that the network has not declared
    above it: nothing may come of such a list, and it is then kept as it is written.

    Attributes:
        tags: Names of rows.
        counts: Elements that were taken out, by XML name.
        texts: What their texts mean.
    """

    tags = tuple(f"{{*}}{name}" for name in (*CONNECTIONS, *INPUTS, *INSTANCES))

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.texts = RowTexts()
        self._builders: dict[etree._Element, Builder] = {}
        self._list: etree._Element | None = None
        self._builder: Builder | None = None
        self._last: etree._Element | None = None
        self._rows: tuple[str, ...] = ()
        self._tag: object = None
        self._is_row = False
        self._network: etree._Element | None = None
        self._seen: etree._Element | None = None
        self._populations: set[str] = set()
        self._texts_follow: RowTemplate | None = None
        self._n_lines = 0

    def hear(self, elements: Iterable[etree._Element], part: bytes) -> None:
        """Takes rows; each is removed with the next, since the parser still writes behind it."""
        n_heard = 0
        for n_heard, element in enumerate(elements, 1):  # noqa: B007
            parent = element.getparent()
            if parent is not self._list:
                self._turn_to(parent)
            if self._builder is None or parent is None or not self._fits(element.tag):
                continue
            if self._last is not None:
                parent.remove(self._last)
            self._last = element
            self._builder.add(element)
            if len(element):
                self.counts.update(local_name(inner) for inner in counted(element))
        self._n_lines += part.count(b"\n")
        # Every tag of the part was the whole of a row, so that what follows is in the same list.
        only_rows = n_heard > 0 and part.count(b"<") == n_heard
        self._texts_follow = self._template(part) if only_rows else None

    def _fits(self, tag: object) -> bool:
        """Whether an element is a row of the list that it stands in."""
        if tag != self._tag:
            self._tag = tag
            self._is_row = str(tag).rpartition("}")[2] in self._rows
        return self._is_row

    def _template(self, part: bytes) -> RowTemplate | None:
        """What the text of rows like the last one is, where the part ends with that row."""
        if self._last is None or not isinstance(self._builder, RowBuilder):
            return None
        return template_of(self._last, part[part.rfind(b"<") :])

    def take(self, text: bytes) -> tuple[int, int]:
        """Takes rows from text that looks like the row before it; says how many bytes and lines."""
        if self._texts_follow is None or not isinstance(self._builder, RowBuilder):
            return 0, 0
        found = self._texts_follow.read(text)
        if found is None:
            self._texts_follow = None
            return 0, 0
        n_bytes, columns, n_lines = found
        self._builder.add_texts(columns, self._n_lines + 1 + n_lines)
        self._n_lines += int(n_lines[-1])
        return n_bytes, int(n_lines[-1])

    def finish(self) -> None:
        """Ends with the document: what is left of the rows is removed, and all are counted."""
        self._turn_to(None)
        for builder in self._builders.values():
            self.counts.update(builder.counts())

    def rows_of(self, element: etree._Element) -> Builder | None:
        """What was taken from a list, once; absent where its rows are still in it."""
        return self._builders.pop(element, None)

    def _turn_to(self, element: etree._Element | None) -> None:
        if self._last is not None and self._list is not None:
            self._list.remove(self._last)
        self._list, self._last, self._builder, self._tag = element, None, None, None
        if element is not None and self._is_in_network(element):
            self._builder = self._builders.get(element) or self._new_builder(element)
            name = local_name(element)
            self._rows = _ROWS_OF.get(name, CONNECTIONS)

    def _new_builder(self, element: etree._Element) -> Builder | None:
        name = local_name(element)
        if name == "population":
            return self._builders.setdefault(element, InstanceBuilder())
        ends = ("population",) if name == "inputList" else _ENDS if name in PROJECTIONS else ()
        if not ends or not all(self._is_declared(element, element.get(end)) for end in ends):
            return None
        return self._builders.setdefault(element, new_builder(element, self.texts))

    def _is_declared(self, element: etree._Element, population: str | None) -> bool:
        """Whether the network has a population of that id above an element."""
        network = element.getparent()
        if network is not self._network:
            self._network, self._populations, self._seen = network, set(), None
        if population not in self._populations and network is not None:
            # The first of them is included, the others follow what was seen before.
            first = network[0] if self._seen is None else self._seen
            for child in (first, *first.itersiblings()):
                if local_name(child) == "population":
                    self._populations.add(child.get("id", ""))
                self._seen = child
        return population in self._populations

    @staticmethod
    def _is_in_network(element: etree._Element) -> bool:
        """Whether a list is one of a network at the top, or in a custom element there."""
        above = [local_name(ancestor) for ancestor in element.iterancestors()]
        if above[:1] != ["network"] or len(above) > 3:
            return False
        return len(above) == 2 or (len(above) == 3 and above[1] not in UNCOUNTED_BELOW)


_ENDS = ("presynapticPopulation", "postsynapticPopulation")
