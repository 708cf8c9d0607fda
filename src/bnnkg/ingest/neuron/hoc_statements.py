"""Statements of hoc: where each begins and ends, and what kind of statement it is."""

from __future__ import annotations

from typing import NamedTuple

from bnnkg.ingest.neuron.hoc_expressions import after_reference, evaluate
from bnnkg.ingest.neuron.hoc_tokens import Token

MAX_NESTED = 500
MAX_WORK = 1_000_000
_PER_WORD = 10
_PER_HEAD = 6
ASSIGNS = frozenset({"=", "+=", "-=", "*=", "/="})
PROPERTIES = frozenset({"L", "diam", "nseg", "Ra", "cm"})
SHAPERS = frozenset({
    "create", "connect", "pt3dclear", "pt3dadd", "pt3dinsert", "pt3dremove", "pt3dchange",
    "delete_section", "disconnect",
})  # fmt: skip
_MAKERS = frozenset({"SectionList", "append", "remove"})
_DEFINERS = frozenset({"proc", "func", "obfunc", "iterator"})
_LISTS = frozenset({
    "objref", "objectvar", "strdef", "double", "public", "external", "local", "localobj", "insert",
    "uninsert", "print", "return", "break", "continue", "stop", "help", "setpointer", "debug",
    "depvar", "eqn", "read", "delete", "em", "graph",
})  # fmt: skip
_PASSED_AT_ONCE = frozenset({"block", "nothing"})
_LOOPS = frozenset({"for", "while", "if", "ifsec", "forall", "forsec", "else"})


class UnknownGeometryError(Exception):
    """The geometry depends on what the file does not tell; the message says on what."""


class Work:
    """What following the statements of a file may take: more for a longer one.

    A unit is a word of a statement, or a section that is gone through: a microsecond or two.

    Args:
        n_words: Number of words of the file.
    """

    def __init__(self, n_words: int) -> None:
        self._left = MAX_WORK + _PER_WORD * n_words

    def add(self, amount: int) -> None:
        """Counts work that is done.

        Raises:
            UnknownGeometryError: It is more than any geometry takes.
        """
        self._left -= amount
        if self._left < 0:
            raise UnknownGeometryError("its loops take too many turns")


class Head(NamedTuple):
    """The head of a statement: its kind, where its parts are, and the place after it."""

    kind: str
    place: int
    after: int
    has_body: bool = False


def templates_of(tokens: list[Token]) -> dict[str, tuple[int, int]]:
    """Where the statements of each template are."""
    found: dict[str, tuple[int, int]] = {}
    name, start = "", 0
    for place, token in enumerate(tokens):
        if token.kind != "name":
            continue
        if token.text == "begintemplate" and place + 1 < len(tokens):
            name, start = tokens[place + 1].text, place + 2
        elif token.text == "endtemplate" and name:
            found[name] = (start, place)
            name = ""
    return found


class Statements:
    """The statements between two places of a file, without those of templates in between.

    Args:
        tokens: The words of the file.
        pairs: Closing mark of each opening one.
        path: Path of the file, for messages.
        start: Where the statements start.
        end: Where they end.
        work: Told of the work that finding a statement is.

    Attributes:
        procedures: Where the body of each procedure is.
        setters: Procedures that set what is kept of sections, by themselves or by calling.
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
        self.procedures: dict[str, tuple[int, int]] = {}
        self.setters: set[str] = set()
        self._tokens = tokens
        self._pairs = pairs
        self._path = path
        self._work = work
        self._shapers: set[str] = set()
        self._held: dict[tuple[int, int, bool], bool] = {}
        self._find_procedures(start, end)

    def _find_procedures(self, start: int, end: int) -> None:
        """Where procedures are, and which of them shape sections, by themselves or by calling."""
        place, inside = start, False
        while place < end:
            token = self._tokens[place]
            if token.kind == "name" and token.text == "begintemplate":
                inside = True
            elif token.kind == "name" and token.text == "endtemplate":
                inside = False
            elif token.kind == "name" and token.text in _DEFINERS and not inside:
                body = self._body_of(place, end)
                if body is not None:
                    self.procedures[self._tokens[place + 1].text] = body
                    place = body[1]
            place += 1
        callers: dict[str, list[str]] = {}
        for name, (first, last) in self.procedures.items():
            for called in self.called(first, last):
                callers.setdefault(called, []).append(name)
        self._shapers = self._with_callers(callers, SHAPERS, ("L", "diam"))
        self.setters = self._with_callers(callers, _MAKERS, tuple(PROPERTIES))
        self.setters |= self._shapers

    def called(self, start: int, end: int) -> set[str]:
        """Procedures of the file that are named between two places."""
        words = (self._tokens[place] for place in range(start, end))
        return {t.text for t in words if t.kind == "name" and t.text in self.procedures}

    def _with_callers(
        self, callers: dict[str, list[str]], words: frozenset[str], set_names: tuple[str, ...]
    ) -> set[str]:
        """Procedures that hold one of some words or set one of some names, or call such."""
        found = {
            name for name, body in self.procedures.items() if self._holds(*body, words, set_names)
        }
        waiting = list(found)
        while waiting:
            for caller in callers.get(waiting.pop(), ()):
                if caller not in found:
                    found.add(caller)
                    waiting.append(caller)
        return found

    def _body_of(self, place: int, end: int) -> tuple[int, int] | None:
        """The body of a procedure that is defined at a place."""
        place += 2
        while place < end and self._tokens[place].text != "{":
            if self._tokens[place].kind not in ("newline", "op"):
                return None
            place += 1
        close = self._pairs.get(place, -1)
        return (place + 1, close) if close >= 0 else None

    def shapes(self, start: int, end: int) -> bool:
        """Whether statements between two places shape sections."""
        return self._held_once(start, end, shapes=True)

    def matters(self, start: int, end: int) -> bool:
        """Whether they shape sections or set what is kept of them, or make lists of them."""
        return self._held_once(start, end, shapes=False)

    def _held_once(self, start: int, end: int, *, shapes: bool) -> bool:
        key = (start, end, shapes)
        if key not in self._held:
            words = SHAPERS | (self._shapers if shapes else _MAKERS | self.setters)
            names = ("L", "diam") if shapes else tuple(PROPERTIES)
            self._held[key] = self._holds(start, end, words, names)
        return self._held[key]

    def _holds(
        self, start: int, end: int, words: frozenset[str] | set[str], set_names: tuple[str, ...]
    ) -> bool:
        for place in range(start, end):
            token = self._tokens[place]
            if token.kind == "point" and words:
                return True
            if token.kind == "name" and (
                token.text in words or (token.text in set_names and self.is_set(place, end))
            ):
                return True
        return False

    def is_set(self, place: int, end: int) -> bool:
        """Whether the reference at a place is assigned to."""
        after = after_reference(self._tokens, place, end, self._pairs)
        return after < end and self._tokens[after].text in ASSIGNS

    # ------------------------------------------------------------------ heads of statements

    def after_body(self, head: Head, end: int) -> int:
        """The place after a statement, with its bodies."""
        open_ifs, nested = 0, 0
        while True:
            nested += 1
            if nested > MAX_NESTED:
                line = self._tokens[head.place].line
                raise UnknownGeometryError(
                    f"{self._path}:{line}: its statements are nested too deep"
                )
            open_ifs += head.kind == "if"
            place = head.after
            if not head.has_body:
                otherwise = self.skip_lines(place, end)
                if not (open_ifs and otherwise < end and self._tokens[otherwise].text == "else"):
                    return place
                open_ifs -= 1
                place = otherwise + 1
            head = self.head(self.skip_spaces(place, end), end)

    def skip_lines(self, place: int, end: int) -> int:
        """The place after ends of lines."""
        while place < end and self._tokens[place].kind == "newline":
            place += 1
        return place

    def skip_spaces(self, place: int, end: int) -> int:
        """A body may stand on the next line where it is a block."""
        after = self.skip_lines(place, end)
        return after if after < end and self._tokens[after].text == "{" else place

    def head(self, place: int, end: int) -> Head:
        """The head of the statement at a place."""
        head = self._head(place, end)
        words = 0 if head.kind in _PASSED_AT_ONCE else head.after - place
        self._work.add(_PER_HEAD + 2 * words)
        return head

    def _head(self, place: int, end: int) -> Head:
        if place >= end:
            return Head("nothing", place, place)
        token = self._tokens[place]
        if token.text == "{" and token.kind == "op":
            return Head("block", place, self._pairs.get(place, end - 1) + 1)
        if token.kind == "point":
            return Head("point", place, place + 1)
        if token.kind != "name":
            return Head("nothing", place, place + 1)
        word = token.text
        if word in _DEFINERS:
            body = self._body_of(place, end)
            return Head("nothing", place, body[1] + 1 if body else place + 1)
        if word == "begintemplate":
            return Head("nothing", place, self._after_template(place, end))
        if word in _LOOPS:
            return self._loop_head(word, place, end)
        if word in ("create", "connect", "access"):
            return Head(word, place, self._end_of_line(word, place, end))
        if word in _LISTS:
            return Head("other", place, self._end_of_line(word, place, end))
        return self._named_head(place, end)

    def _after_template(self, place: int, end: int) -> int:
        while place < end and self._tokens[place].text != "endtemplate":
            place += 1
        return min(place + 2, end)

    def _loop_head(self, word: str, place: int, end: int) -> Head:
        after = place + 1
        if word in ("if", "while", "ifsec", "forsec") and after < end:
            after = evaluate(self._tokens, after, end, self._pairs, {})[1]
        elif word == "for" and after < end:
            if self._tokens[after].text == "(" and after in self._pairs:
                after = self._pairs[after] + 1
            else:
                after = after_reference(self._tokens, after, end, self._pairs) + 1
                after = evaluate(self._tokens, after, end, self._pairs, {})[1]
                if after < end and self._tokens[after].text == ",":
                    after = evaluate(self._tokens, after + 1, end, self._pairs, {})[1]
        return Head(word, place, max(after, place + 1), has_body=True)

    def _end_of_line(self, word: str, place: int, end: int) -> int:
        """The place after a word and the list of names or values that follows it."""
        if word in ("insert", "uninsert"):
            return min(place + 2, end)
        place += 1
        while word not in ("break", "continue", "stop") and place < end:
            place = evaluate(self._tokens, place, end, self._pairs, {})[1]
            if place >= end or self._tokens[place].text != ",":
                break
            place = self.skip_lines(place + 1, end)
        return place

    def _named_head(self, place: int, end: int) -> Head:
        after = after_reference(self._tokens, place, end, self._pairs)
        if after >= end:
            return Head("call", place, after)
        token = self._tokens[after]
        if token.kind == "op" and token.text in ASSIGNS:
            stop = evaluate(self._tokens, after + 1, end, self._pairs, {})[1]
            while stop < end and self._tokens[stop].text in (":", "="):
                stop = evaluate(self._tokens, stop + 1, end, self._pairs, {})[1]
            return Head("assign", place, max(stop, after + 1))
        called = self._tokens[after - 1].text == ")"
        if not called and (token.text == "{" or token.kind in ("name", "point")):
            return Head("section", place, after, has_body=True)
        return Head("call", place, after)
