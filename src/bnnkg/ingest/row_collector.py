"""Takes the rows of networks out of a document while it is being read.

A network of millions of connections is never there as elements: each row goes into columns when it
ends, and is removed once the next one of its list has ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from lxml import etree

from bnnkg.ingest.markup import UNCOUNTED_BELOW, counted, local_name
from bnnkg.ingest.rows import POST, PRE, TARGET, InstanceBuilder, RowBuilder, RowTexts

PROJECTIONS = ("projection", "electricalProjection", "continuousProjection")
CONNECTIONS = (
    "connection", "connectionWD", "electricalConnection", "electricalConnectionInstance",
    "electricalConnectionInstanceW", "continuousConnection", "continuousConnectionInstance",
    "continuousConnectionInstanceW",
)  # fmt: skip
INPUTS = ("input", "inputW")

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

    tags = tuple(f"{{*}}{name}" for name in (*CONNECTIONS, *INPUTS, "instance"))

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.texts = RowTexts()
        self._builders: dict[etree._Element, Builder] = {}
        self._list: etree._Element | None = None
        self._builder: Builder | None = None
        self._last: etree._Element | None = None
        self._network: etree._Element | None = None
        self._seen: etree._Element | None = None
        self._populations: set[str] = set()

    def hear(self, elements: Iterable[etree._Element]) -> None:
        """Takes rows; each is removed with the next, since the parser still writes behind it."""
        for element in elements:
            parent = element.getparent()
            if parent is not self._list:
                self._turn_to(parent)
            if self._builder is None or parent is None:
                continue
            if self._last is not None:
                parent.remove(self._last)
            self._last = element
            self._builder.add(element)
            if len(element):
                self.counts.update(local_name(inner) for inner in counted(element))

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
        self._list, self._last, self._builder = element, None, None
        if element is not None and self._is_in_network(element):
            self._builder = self._builders.get(element) or self._new_builder(element)

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
