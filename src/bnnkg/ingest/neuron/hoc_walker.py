"""Follows the statements of a hoc file as far as their outcome is written in it."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from bnnkg.ingest.morphology import LARGEST_UM, Point
from bnnkg.ingest.neuron.hoc_expressions import Number, after_reference, evaluate
from bnnkg.ingest.neuron.hoc_statements import (
    MAX_NESTED,
    PROPERTIES,
    Head,
    Statements,
    UnknownGeometryError,
    Work,
)
from bnnkg.ingest.neuron.hoc_tokens import Token

MAX_TURNS = 1_000_000
_PER_MOVED_POINT = 8
MAX_SECTIONS = 200_000
MAX_CALLS = 64
_PLAIN = {"nseg": "n_segments", "Ra": "ra", "cm": "cm"}
_BREAKERS = frozenset({"pt3dinsert", "pt3dremove", "pt3dchange", "delete_section", "disconnect"})
_LIBRARY = frozenset({
    "nrngui.hoc", "stdrun.hoc", "stdlib.hoc", "stdgui.hoc", "noload.hoc", "netparmpi.hoc",
    "import3d.hoc", "celbild.hoc", "family.hoc", "pointman.hoc", "shapebox.hoc", "varfit.hoc",
})  # fmt: skip
_WITH_BODY = frozenset({"block", "section", "for", "while", "if", "ifsec", "forall", "forsec"})


@dataclass
class HocSection:
    """One section as the file leaves it.

    Attributes:
        name: Its name, with its index.
        line: Where it is created.
        points: Its 3-D points.
        length: ``L``, where it is set.
        diameter: ``diam``, where it is set.
        n_segments: ``nseg``, where it is set to a number.
        ra: ``Ra``, likewise.
        cm: Likewise.
        parent: The section that it is connected to.
        parent_x: Where on that.
        child_end: Which of its own ends.
    """

    name: str
    line: int
    points: list[Point] = field(default_factory=list)
    length: Number = None
    diameter: Number = None
    n_segments: Number = None
    ra: Number = None
    cm: Number = None
    parent: HocSection | None = None
    parent_x: Decimal = Decimal(1)
    child_end: Decimal = Decimal(0)

    def set_length(self, length: Decimal) -> None:
        """Sets ``L``; 3-D points are stretched from the first, as NEURON does."""
        self.length = length
        arc = sum(math.dist(one[:3], other[:3]) for one, other in itertools.pairwise(self.points))
        if arc > 0:
            factor = length / Decimal(repr(arc))
            x0, y0, z0, _ = self.points[0]
            self.points = [
                (x0 + (x - x0) * factor, y0 + (y - y0) * factor, z0 + (z - z0) * factor, d)
                for x, y, z, d in self.points
            ]

    def set_diameter(self, diameter: Decimal) -> None:
        """Sets ``diam``; 3-D points take it, as in NEURON."""
        self.diameter = diameter
        self.points = [(x, y, z, diameter) for x, y, z, _ in self.points]


@dataclass
class _Frame:
    """Statements that are being followed, and what to do after the last one."""

    place: int
    start: int
    end: int
    section: HocSection | None = None
    arguments: tuple[Number, ...] | None = None
    turns: Iterator[HocSection | Decimal] | None = None
    variable: str = ""


class Walker:
    """Follows statements and keeps the sections that they make.

    Args:
        tokens: The words of the file.
        pairs: Closing mark of each opening one.
        path: Path of the file, for messages.
        start: Where the statements start.
        end: Where they end.
        work: What following them may take.

    Attributes:
        sections: The sections by name.
        left: First words of statements that are no geometry.
        loads: Files of the model that it loads, as sentences.
    """

    def __init__(
        self,
        tokens: list[Token],
        pairs: dict[int, int],
        path: str,
        start: int,
        end: int,
        work: Work,
    ) -> None:
        self.sections: dict[str, HocSection] = {}
        self.left: Counter[str] = Counter()
        self.loads: list[str] = []
        self._statements = Statements(tokens, pairs, path, start, end, work)
        self._work = work
        self._tokens = tokens
        self._pairs = pairs
        self._path = path
        self._range = start, end
        self._variables: dict[str, Number] = {}
        self._arrays: set[str] = set()
        self._lists: dict[str, dict[str, HocSection] | None] = {}
        self._accessed: HocSection | None = None
        self._frames: list[_Frame] = []

    # ------------------------------------------------------------------ going through

    def run(self) -> None:
        """Follows the statements.

        Raises:
            UnknownGeometryError: The geometry depends on what is not written there.
        """
        start, end = self._range
        self._frames.append(_Frame(start, start, end))
        self._go()

    def call(self, name: str) -> None:
        """Follows a procedure, if there is one of that name, without known arguments."""
        if name in self._statements.procedures:
            self._enter(name, ())
            self._go()

    def _go(self) -> None:
        while self._frames:
            frame = self._frames[-1]
            if frame.place >= frame.end:
                self._end(frame)
                continue
            if len(self._frames) > MAX_NESTED:
                raise self._unknown(frame.place, "its statements are nested too deep")
            self._step(frame)

    def _end(self, frame: _Frame) -> None:
        self._work.add(1)
        turn = next(frame.turns, None) if frame.turns is not None else None
        if turn is None:
            self._frames.pop()
            return
        if isinstance(turn, HocSection):
            frame.section = turn
        else:
            self._variables[frame.variable] = turn
        frame.place = frame.start

    def _step(self, frame: _Frame) -> None:
        head = self._statements.head(frame.place, frame.end)
        body_end = self._statements.after_body(head, frame.end)
        frame.place = body_end
        if head.kind in _WITH_BODY:
            getattr(self, f"_do_{head.kind}")(head, body_end)
        elif head.kind not in ("nothing", "else"):
            getattr(self, f"_do_{head.kind}")(head)

    # ------------------------------------------------------------------ what is known

    def _unknown(self, place: int, what: str) -> UnknownGeometryError:
        line = self._tokens[min(place, len(self._tokens) - 1)].line
        return UnknownGeometryError(f"{self._path}:{line}: {what}")

    def _value(self, place: int, end: int) -> tuple[Number, int]:
        return evaluate(self._tokens, place, end, self._pairs, self._variables, self._arguments())

    def _arguments(self) -> tuple[Number, ...]:
        for frame in reversed(self._frames):
            if frame.arguments is not None:
                return frame.arguments
        return ()

    def _current(self) -> HocSection | None:
        for frame in reversed(self._frames):
            if frame.section is not None:
                return frame.section
        return self._accessed

    def _names_section(self, place: int) -> bool:
        name = self._tokens[place].text
        return name in self.sections or name in self._arrays

    def _section_at(self, place: int, end: int) -> tuple[HocSection | None, int]:
        """The section that a reference means, and the place after its name and index."""
        if place >= end:
            return None, end
        name = self._tokens[place].text
        after = place + 1
        if after < end and self._tokens[after].text == "[" and after in self._pairs:
            index = self._value(after + 1, self._pairs[after])[0]
            after = self._pairs[after] + 1
            if index is None or not 0 <= index < MAX_SECTIONS:
                return None, after
            name = f"{name}[{int(index)}]"
        elif name in self._arrays:
            name = f"{name}[0]"
        return self.sections.get(name), after

    def _forget(self, start: int, end: int) -> None:
        """What statements that are not followed may change is known no more."""
        waiting, seen = [(start, end)], set(self._statements.called(start, end))
        waiting.extend(self._statements.procedures[name] for name in seen)
        for first, last in waiting:  # grows while it is read
            self._work.add(last - first)
            for place in range(first, last):
                if self._tokens[place].kind == "name" and self._statements.is_set(place, last):
                    self._forget_name(self._tokens[place].text)
            new = self._statements.called(first, last) - seen
            seen |= new
            waiting.extend(self._statements.procedures[name] for name in new)

    def _forget_name(self, name: str) -> None:
        self._variables[name] = None
        if name in self._lists:
            self._lists[name] = None
        if name in _PLAIN:
            self._work.add(len(self.sections))
            for section in self.sections.values():
                setattr(section, _PLAIN[name], None)

    def _pass_over(self, place: int, start: int, end: int, why: str) -> None:
        if self._statements.shapes(start, end):
            raise self._unknown(place, why)
        self.left[self._tokens[place].text] += 1
        self._forget(start, end)

    # ------------------------------------------------------------------ blocks, loops, calls

    def _body(self, start: int, end: int) -> tuple[int, int]:
        start = self._statements.skip_spaces(start, end)
        if start < end and self._tokens[start].text == "{" and start in self._pairs:
            return start + 1, self._pairs[start]
        return start, end

    def _do_block(self, head: Head, end: int) -> None:
        start = head.place + 1
        self._frames.append(_Frame(start, start, end - 1))

    def _do_section(self, head: Head, end: int) -> None:
        section, after = self._section_at(head.place, head.after)
        start, stop = self._body(head.after, end)
        if section is None or after != head.after:
            self._pass_over(head.place, start, stop, "it shapes a section that it does not create")
            return
        self._frames.append(_Frame(start, start, stop, section=section))

    def _do_forall(self, head: Head, end: int) -> None:
        start, stop = self._body(head.after, end)
        self._work.add(len(self.sections))
        turns = iter(list(self.sections.values()))
        self._frames.append(_Frame(stop, start, stop, turns=turns))

    def _do_forsec(self, head: Head, end: int) -> None:
        start, stop = self._body(head.after, end)
        sections = self._listed(head)
        if sections is None:
            self._pass_over(head.place, start, stop, "it shapes sections of a list")
            return
        self._frames.append(_Frame(stop, start, stop, turns=iter(sections)))

    def _listed(self, head: Head) -> list[HocSection] | None:
        """The sections of a list that the file itself fills, or whose names hold a word."""
        words = self._tokens[head.place + 1 : head.after]
        if len(words) != 1:
            return None
        if words[0].kind == "text" and words[0].text.isidentifier():
            self._work.add(len(self.sections))
            return [one for name, one in self.sections.items() if words[0].text in name]
        listed = self._lists.get(words[0].text)
        self._work.add(len(listed or ()))
        return list(listed.values()) if listed is not None else None

    def _do_if(self, head: Head, end: int) -> None:
        condition = self._value(head.place + 1, head.after)[0]
        if condition is None:
            self._pass_over(head.place, head.after, end, "its shape depends on a condition")
            return
        inner = self._statements.head(self._statements.skip_spaces(head.after, end), end)
        middle = self._statements.after_body(inner, end)
        otherwise = self._statements.skip_lines(middle, end)
        if condition:
            start, stop = self._body(head.after, middle)
        elif otherwise < end and self._tokens[otherwise].text == "else":
            start, stop = self._body(otherwise + 1, end)
        else:
            return
        self._frames.append(_Frame(start, start, stop))

    def _do_ifsec(self, head: Head, end: int) -> None:
        self._pass_over(head.place, head.after, end, "its shape depends on a condition")

    def _do_while(self, head: Head, end: int) -> None:
        self._pass_over(head.place, head.after, end, "its shape depends on a while loop")

    def _do_for(self, head: Head, end: int) -> None:
        start, stop = self._body(head.after, end)
        bounds = self._bounds(head) if self._statements.matters(start, stop) else None
        if bounds is None:
            self._pass_over(
                head.place, start, stop, "its shape depends on a loop whose bounds it does not tell"
            )
            return
        variable, first, last = bounds
        if last - first > MAX_TURNS:
            raise self._unknown(head.place, "its loops take too many turns")
        turns = (Decimal(n) for n in range(int(first), int(last) + 1))
        self._frames.append(_Frame(stop, start, stop, turns=turns, variable=variable))

    def _bounds(self, head: Head) -> tuple[str, Decimal, Decimal] | None:
        """Variable, first and last value of ``for i = a, b`` or ``for (i = a; i < b; i += 1)``."""
        words = self._tokens[head.place + 1 : head.after]
        if len(words) > 3 and words[0].text == "(":
            return self._bounds_in_parentheses(head)
        if len(words) < 5 or words[0].kind != "name" or words[1].text != "=":
            return None
        first, comma = self._value(head.place + 3, head.after)
        if comma >= head.after or self._tokens[comma].text != ",":
            return None
        last = self._value(comma + 1, head.after)[0]
        return self._whole(words[0].text, first, last)

    def _bounds_in_parentheses(self, head: Head) -> tuple[str, Decimal, Decimal] | None:
        place, close = head.place + 2, head.after - 1
        name = self._tokens[place].text
        if self._tokens[place + 1].text != "=":
            return None
        first, place = self._value(place + 2, close)
        ahead = [token.text for token in self._tokens[place : place + 3]]
        if len(ahead) < 3 or ahead[0] != ";" or ahead[1] != name or ahead[2] not in ("<", "<="):
            return None
        last, after = self._value(place + 3, close)
        step = [token.text for token in self._tokens[after:close]]
        plain = [";", name, "+=", "1"], [";", name, "=", name, "+", "1"]
        if step not in plain or last is None:
            return None
        return self._whole(name, first, last - 1 if ahead[2] == "<" else last)

    @staticmethod
    def _whole(name: str, first: Number, last: Number) -> tuple[str, Decimal, Decimal] | None:
        if first is None or last is None or first != int(first) or last != int(last):
            return None
        return name, first, last

    def _do_call(self, head: Head) -> None:
        name = self._tokens[head.place].text
        if name in ("pt3dclear", "pt3dadd"):
            self._do_point(head)
        elif name in _BREAKERS:
            raise self._unknown(head.place, f"{name} changes what was made before")
        elif name in ("load_file", "xopen"):
            self._load(head)
        elif name in self._statements.setters:
            self._enter(name, tuple(self._values_in(head.place + 1)))
        elif name in self._lists and head.after - head.place > 2:
            self._change_list(name, self._tokens[head.place + 2].text)
        else:
            self.left[name] += 1
            if name in self._statements.procedures:
                self._forget(*self._statements.procedures[name])

    def _load(self, head: Head) -> None:
        """A file of the model's own may change all that this one makes."""
        words = self._tokens[head.place : head.after]
        texts = [token.text for token in words if token.kind == "text"]
        if not texts or not (
            texts[0] in _LIBRARY or "NEURONHOME" in texts[0] or texts[0].endswith(".ses")
        ):
            what = texts[0] if texts else "a file whose name it does not tell"
            self.loads.append(f"{self._path}:{words[0].line}: it loads {what}, which may change it")

    def _change_list(self, name: str, method: str) -> None:
        listed, section = self._lists[name], self._current()
        if method == "append" and listed is not None and section is not None:
            listed[section.name] = section
        else:
            self._lists[name] = None

    def _values_in(self, place: int) -> list[Number]:
        """Values between the parentheses at a place."""
        values: list[Number] = []
        close = self._pairs.get(place, place)
        while place < close:
            value, after = self._value(place + 1, close)
            values.append(value)
            place = after
            if place < close and self._tokens[place].text != ",":
                return [None] * 4
        return values

    def _enter(self, name: str, arguments: tuple[Number, ...]) -> None:
        if sum(frame.arguments is not None for frame in self._frames) >= MAX_CALLS:
            raise UnknownGeometryError(f"{self._path}: {name} calls itself")
        start, end = self._statements.procedures[name]
        self._frames.append(_Frame(start, start, end, arguments=arguments))

    def _do_other(self, head: Head) -> None:
        word = self._tokens[head.place].text
        if word in ("return", "break", "continue", "stop"):
            self._leave(word)
        else:
            self.left[word] += 1

    def _leave(self, word: str) -> None:
        """Ends what a ``return``, ``break`` or ``stop`` ends."""
        while self._frames:
            frame = self._frames[-1]
            frame.place = frame.end
            if word == "continue" and frame.turns is not None:
                return
            self._frames.pop()
            ends_here = frame.turns if word == "break" else frame.arguments
            if word != "stop" and ends_here is not None:
                return

    # ------------------------------------------------------------------ geometry

    def _do_create(self, head: Head) -> None:
        place = head.place + 1
        while place < head.after:
            token = self._tokens[place]
            if token.kind == "name":
                place = self._create(token, place, head.after)
            else:
                place += 1

    def _create(self, token: Token, place: int, end: int) -> int:
        after = place + 1
        if after < end and self._tokens[after].text == "[" and after in self._pairs:
            size = self._value(after + 1, self._pairs[after])[0]
            if size is None or not 0 < size <= MAX_SECTIONS - len(self.sections):
                raise self._unknown(place, f"it does not tell how many {token.text} there are")
            self._work.add(int(size))
            self._arrays.add(token.text)
            for index in range(int(size)):
                name = f"{token.text}[{index}]"
                self.sections[name] = HocSection(name, token.line)
            return self._pairs[after] + 1
        if len(self.sections) >= MAX_SECTIONS:
            raise self._unknown(place, "it creates too many sections")
        self._arrays.discard(token.text)
        self.sections[token.text] = HocSection(token.text, token.line)
        return after

    def _do_access(self, head: Head) -> None:
        if head.place + 1 < head.after:
            self._accessed = self._section_at(head.place + 1, head.after)[0]

    def _do_connect(self, head: Head) -> None:
        child, place = self._section_at(head.place + 1, head.after)
        child_end, place = self._in_parentheses(place, head.after)
        if place >= head.after or self._tokens[place].text != ",":
            raise self._unknown(head.place, "a connect that is not understood")
        place = self._statements.skip_lines(place + 1, head.after)
        parent = self._current()
        if place < head.after and self._tokens[place].kind == "name" and self._is_section(place):
            parent, place = self._section_at(place, head.after)
            parent_x, _ = self._in_parentheses(place, head.after)
        else:
            parent_x, _ = self._value(place, head.after)
        if child is None or parent is None:
            raise self._unknown(head.place, "it connects a section that it does not create")
        if child_end not in (0, 1) or parent_x is None or not 0 <= parent_x <= 1:
            raise self._unknown(head.place, "it does not tell where it connects")
        child.parent, child.parent_x, child.child_end = parent, parent_x, child_end

    def _is_section(self, place: int) -> bool:
        name = self._tokens[place].text
        return self._names_section(place) or name not in self._variables

    def _in_parentheses(self, place: int, end: int) -> tuple[Number, int]:
        if place < end and self._tokens[place].text == "(" and place in self._pairs:
            return self._value(place + 1, self._pairs[place])[0], self._pairs[place] + 1
        return None, place

    def _do_point(self, head: Head) -> None:
        section = self._current()
        if section is None:
            raise self._unknown(head.place, "it adds points to a section that it does not create")
        token = self._tokens[head.place]
        if token.text == "pt3dclear":
            section.points = []
            return
        values = token.values or tuple(v for v in self._values_in(head.place + 1) if v is not None)
        if len(values) != 4 or not all(abs(value) < LARGEST_UM for value in values):
            raise self._unknown(head.place, "a 3-D point depends on what it does not tell")
        x, y, z, d = values
        section.points.append((x, y, z, d))

    def _do_assign(self, head: Head) -> None:
        """An assignment, or several in a chain (``L = diam = 20``)."""
        targets = [head.place]
        while True:
            mark = after_reference(self._tokens, targets[-1], head.after, self._pairs)
            value, stop = self._value(mark + 1, head.after)
            if stop >= head.after or self._tokens[stop].text != "=":
                break
            targets.append(mark + 1)
        if stop != head.after or self._tokens[mark].text != "=":
            value = None
        for place in targets:
            if self._tokens[place].kind == "name":
                self._assign(place, head.after, value)

    def _assign(self, place: int, end: int, value: Number) -> None:
        mark = after_reference(self._tokens, place, end, self._pairs)
        name = self._tokens[place].text
        if name in PROPERTIES:
            self._set(place, self._current(), name, value if mark == place + 1 else None)
        elif self._names_section(place):
            section, at = self._section_at(place, mark)
            member = self._tokens[at + 1].text if at + 1 < mark else ""
            if member in PROPERTIES:
                self._set(place, section, member, value if at + 2 == mark else None)
        elif mark == place + 1:
            self._variables[name] = value
            made = [token.text for token in self._tokens[mark + 1 : mark + 3]]
            if made == ["new", "SectionList"]:
                self._lists[name] = {}

    def _set(self, place: int, section: HocSection | None, name: str, value: Number) -> None:
        if section is None:
            if name in ("L", "diam"):
                raise self._unknown(place, "it shapes a section that it does not create")
            return
        if name not in ("L", "diam"):
            setattr(section, _PLAIN[name], value)
        elif value is None or not 0 < value < LARGEST_UM:
            raise self._unknown(place, f"{name} depends on what it does not tell")
        elif name == "L":
            self._work.add(_PER_MOVED_POINT * len(section.points))
            section.set_length(value)
        else:
            self._work.add(len(section.points))
            section.set_diameter(value)
