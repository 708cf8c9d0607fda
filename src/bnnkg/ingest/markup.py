"""XML read safely, and the account of what became of every element of a file.

Model files are hostile: no entities, no DTD, no network, no text beyond libxml2's own limits.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Protocol

from lxml import etree

from bnnkg.errors import SourceError

NEUROML2 = "http://www.neuroml.org/schema/neuroml2"
NEUROML1 = "http://morphml.org/"
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
FED_BYTES = 2**14
"""What the parser gets at a time: elements are heard of while they are in the processor's cache."""
OFFERED_BYTES = 2**17
"""What a listener may take at a time instead."""
MAX_PROBLEMS = 1000
"""Problems of one file that are told; more of them say nothing new."""
UNCOUNTED_BELOW = frozenset({"notes", "annotation", "ComponentType", "Simulation"})


def local_name(element: etree._Element) -> str:
    """Name of an element without its namespace."""
    return _local(element.tag)


@lru_cache(4096)  # a source has a few dozen tags, each of which is asked for at every turn
def _local(tag: object) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


class Listener(Protocol):
    """What hears of elements as they end, while the document is still being read.

    Attributes:
        tags: Names of the elements that it hears of, as lxml writes them.
    """

    @property
    def tags(self) -> Sequence[str]:  # noqa: D102
        ...

    def hear(self, elements: Iterable[etree._Element], part: bytes) -> None:
        """Is told of elements that have ended in a part of the file; may remove all but the last.

        All parts but the last end where a tag does, wherever one of them holds the end of a tag.
        """

    def take(self, text: bytes) -> tuple[int, int]:
        """Is offered what comes next; says how many bytes and lines of it need no parser."""


def parse_xml(
    pieces: Iterable[bytes], where: str, listener: Listener | None = None
) -> etree._Element:
    """Parses one document.

    Args:
        pieces: The file's bytes, in as many pieces as there are.
        where: Its path, for messages.
        listener: Told of elements as they end.

    Returns:
        The root element, without comments and processing instructions.

    Raises:
        SourceError: Empty, broken, or with a document type that declares anything.
    """
    parser = etree.XMLPullParser(
        ("end",) if listener else (), tag=listener.tags if listener else None,
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    empty = True
    buffer, start = b"", 0
    try:
        for piece in pieces:
            empty = empty and not piece.strip()
            buffer, start = buffer[start:] + piece, 0
            while len(buffer) - start >= FED_BYTES:
                start = _advance(parser, buffer, start, listener)
        while start < len(buffer):
            start = _advance(parser, buffer, start, listener)
        root: etree._Element = parser.close()
    except (etree.XMLSyntaxError, ValueError) as error:
        if empty:
            raise SourceError(
                "the file is empty", where=where, expected="an XML document"
            ) from None
        line = getattr(error, "lineno", None)
        raise SourceError(
            "this is no well-formed XML",
            where=f"{where}:{line}" if line else where,
            found=getattr(error, "msg", str(error)),
            hint="mend the file, or take it out of the source",
        ) from None
    refuse_declarations(root, where)
    return root


def _advance(
    parser: etree.XMLPullParser, buffer: bytes, start: int, listener: Listener | None
) -> int:
    """Gives the next part of a buffer to whoever takes it; returns where the one after starts."""
    if listener is not None:
        n_taken, n_lines = listener.take(buffer[start : start + OFFERED_BYTES])
        if n_taken:
            parser.feed(b"\n" * n_lines)  # so that the lines that follow have their numbers
            return start + n_taken
    end_of_tag = buffer.rfind(b"/>", start, start + FED_BYTES)
    stop = start + FED_BYTES if end_of_tag < 0 else end_of_tag + 2
    part = buffer[start:stop]
    parser.feed(part)
    if listener is not None:
        listener.hear((element for _, element in parser.read_events()), part)  # type: ignore[misc]
    return stop


def refuse_declarations(root: etree._Element, where: str) -> None:
    """Raises SourceError where the document declares entities or elements of its own."""
    dtd = root.getroottree().docinfo.internalDTD
    entities = [] if dtd is None else list(dtd.iterentities())  # type: ignore[attr-defined]
    if entities:
        raise SourceError(
            "the document declares entities, which are never expanded",
            where=where,
            expected="XML without a document type of its own",
            hint="write the values out and remove the DOCTYPE",
        )


def counted(root: etree._Element) -> Iterator[etree._Element]:
    """Every element that an account covers: without the root and what stands below free text."""
    stack = list(reversed(root))
    while stack:
        element = stack.pop()
        yield element
        if local_name(element) not in UNCOUNTED_BELOW:
            stack.extend(reversed(element))


def count_by_name(root: etree._Element) -> Counter[str]:
    """How many elements of each name an account covers."""
    tags = Counter(element.tag for element in root.iter("*"))
    tags[root.tag] -= 1
    for free in root.iter(*(f"{{*}}{name}" for name in UNCOUNTED_BELOW)):
        if free is not root and not _is_uncounted(free, root):
            tags.subtract(element.tag for element in free.iterdescendants("*"))
    names: Counter[str] = Counter()
    for tag, n in tags.items():
        if n:
            names[_local(tag)] += n
    return names


def _is_uncounted(element: etree._Element, root: etree._Element) -> bool:
    above = (one for one in element.iterancestors() if one is not root)
    return any(local_name(one) in UNCOUNTED_BELOW for one in above)


def as_written(element: etree._Element) -> str:
    """An element as text, without the namespaces that it inherits."""
    text: str = etree.tostring(element, encoding="unicode", with_tail=False)
    for prefix, uri in element.nsmap.items():  # those of its ancestors among them
        name = f"xmlns:{prefix}" if prefix else "xmlns"
        text = text.replace(f' {name}="{uri}"', "", 1)
    return text


def without_addresses(text: str) -> str:
    """A text without e-mail addresses, which are nobody's business but their owners'."""
    return _ADDRESS.sub("(address removed)", text)


class Account:
    """What became of the elements of one file.

    An element counts as loaded once a mapping took it; rows of tables, of which there may be
    hundreds of thousands, are counted by name. What nobody took is kept as written.
    """

    def __init__(self, root: etree._Element | None = None) -> None:
        self.totals: Counter[str] = Counter()
        if root is not None:
            self.totals.update(count_by_name(root))
        self._taken: set[etree._Element] = set()
        self._skipped: set[etree._Element] = set()
        self._rows: Counter[str] = Counter()
        self.notes: list[str] = []
        self.problems: list[str] = []

    def take(self, element: etree._Element) -> None:
        """Counts an element as loaded, once."""
        self._taken.add(element)

    def took(self, element: etree._Element) -> bool:
        """Whether a mapping took the element."""
        return element in self._taken

    def skip(self, element: etree._Element) -> None:
        """Counts an element as left out on purpose."""
        self._skipped.add(element)

    def skipped(self, element: etree._Element) -> bool:
        """Whether the element was left out on purpose."""
        return element in self._skipped

    def take_rows(self, name: str, n_rows: int = 1) -> None:
        """Counts rows of a table as loaded."""
        self._rows[name] += n_rows

    def add_rows(self, name: str, n_rows: int = 1) -> None:
        """Adds rows to what there is: those of HDF5 tables, which no XML element holds."""
        self.totals[name] += n_rows

    def problem(self, text: str) -> None:
        """Notes something that should have been loaded and could not be."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(text)

    def by_class(self) -> dict[str, tuple[int, int, int]]:
        """Loaded, kept and skipped elements by name."""
        loaded = self._rows + Counter(local_name(element) for element in self._taken)
        skipped = Counter(local_name(element) for element in self._skipped)
        return {
            name: (loaded[name], total - loaded[name] - skipped[name], skipped[name])
            for name, total in sorted(self.totals.items())
        }


class quiet_warnings:  # noqa: N801  (a context manager reads as a verb)
    """Collects warnings instead of showing them, and leaves the filters as they were."""

    def __enter__(self) -> list[warnings.WarningMessage]:
        self._catcher = warnings.catch_warnings(record=True)
        caught = self._catcher.__enter__()
        warnings.simplefilter("always")
        return caught or []

    def __exit__(self, *details: object) -> None:
        self._catcher.__exit__(*details)  # type: ignore[arg-type]
