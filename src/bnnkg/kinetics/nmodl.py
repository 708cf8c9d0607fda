"""NEURON's model description language: the text of a .mod file to a :class:`ModFile`.

The grammar is that of NEURON's own translator (``nocmodl``), read with tolerance: what is not
understood within a block is kept as a raw statement, so that two files are the same mechanism only
where all that they say is the same. The cost is linear in the text.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Literal, cast

from bnnkg.errors import SourceError
from bnnkg.kinetics.canonical import canonical_statements, verbatim_text
from bnnkg.kinetics.cursor import Cursor, UnexpectedToken
from bnnkg.kinetics.declarations import (
    MECHANISM_KINDS,
    Declarations,
    read_assigned,
    read_constants,
    read_neuron,
    read_parameters,
    read_states,
    read_units,
)
from bnnkg.kinetics.statements import read_body, read_local
from bnnkg.kinetics.syntax import (
    Block,
    ModFile,
    Verbatim,
    walk,
)
from bnnkg.kinetics.tokens import MAX_CHARACTERS, NUMBER, STRING, VERBATIM, tokenise

MAX_INCLUDES = 20
"""Files included by one file, one within another counted too."""

_DECLARATION_BLOCKS: dict[str, Callable[[Cursor, Declarations], None]] = {
    "NEURON": read_neuron,
    "PARAMETER": read_parameters,
    "CONSTANT": read_constants,
    "ASSIGNED": read_assigned,
    "DEPENDENT": read_assigned,
    "STATE": read_states,
    "UNITS": read_units,
}
_PLAIN_BLOCKS = {"INITIAL", "BREAKPOINT", "CONSTRUCTOR", "DESTRUCTOR", "TERMINAL", "EQUATION"}
_NAMED_BLOCKS = {"DERIVATIVE", "KINETIC", "LINEAR", "NONLINEAR", "DISCRETE", "PARTIAL"}
_FUNCTION_BLOCKS = {"FUNCTION", "PROCEDURE", "FUNCTION_TABLE", "NET_RECEIVE"}
_AROUND_BLOCKS = {"BEFORE", "AFTER"}
_BLOCKS = _PLAIN_BLOCKS | _NAMED_BLOCKS | _FUNCTION_BLOCKS | _AROUND_BLOCKS
_NO_EFFECT = {"UNITSON", "UNITSOFF"}
_OLD_NAMES = {"EQUATION": "BREAKPOINT"}


def parse_mod(
    text: str, *, where: str = "", include: Callable[[str], str | None] | None = None
) -> ModFile:
    """Read a .mod file.

    Args:
        text: What it holds.
        where: Its path in the source, for messages and for a mechanism without a name.
        include: Gives the text of a file that it includes; absent where that is not to be had.

    Raises:
        SourceError: It is no NMODL, too large, or nested too deeply.
    """
    reader = _Reader(where, include)
    reader.read(text)
    if not (reader.blocks or reader.declaration_blocks):
        raise SourceError(
            "this is no NMODL",
            where=f"{where or '<text>'}:1",
            expected="a block such as NEURON { ... } or PROCEDURE name() { ... }",
            found=repr(text.strip()[:60]),
            hint="leave the file out, or give it another ending than .mod",
        )
    return reader.mod_file()


class _Reader:
    def __init__(self, where: str, include: Callable[[str], str | None] | None) -> None:
        self.blocks: list[Block] = []
        self.declaration_blocks = 0
        self._where = where
        self._include = include
        self._declared = Declarations()
        self._defines: dict[str, float] = {}
        self._includes: list[str] = []
        self._others: list[str] = []
        self._verbatim: list[str] = []
        self._title = ""
        self._characters = 0

    def read(self, text: str) -> None:
        """Read the text of the file, or of one that it includes."""
        self._characters += len(text)
        tokens = tokenise(text, self._where)
        self._title = self._title or tokens.title
        cursor = Cursor(tokens, self._where, self._defines)
        while not cursor.at_end():
            start = cursor.position
            try:
                self._read_part(cursor)
            except UnexpectedToken:
                raw = cursor.raw(start)
                if raw or cursor.next():
                    self._others.append(f"RAW {raw}")

    def _read_part(self, cursor: Cursor) -> None:
        token = cursor.peek()
        word = token.text.upper()
        if token.kind == VERBATIM:
            self._others.append(verbatim_text(cursor.next().text))
            self._verbatim.append(token.text)
        elif word in _DECLARATION_BLOCKS:
            cursor.next()
            self.declaration_blocks += cursor.at("{")
            _DECLARATION_BLOCKS[word](cursor, self._declared)
        elif word in _BLOCKS:
            cursor.next()
            self._read_block(cursor, _OLD_NAMES.get(word, word))
        else:
            self._read_directive(cursor, word)

    def _read_block(self, cursor: Cursor, kind: str) -> None:
        name = ""
        arguments: tuple[str, ...] = ()
        if kind in _AROUND_BLOCKS:
            name = cursor.name().upper()
        elif kind not in _PLAIN_BLOCKS and kind != "NET_RECEIVE":
            name = cursor.name()
        if kind in _FUNCTION_BLOCKS:
            arguments = cursor.arguments()
            cursor.unit()
        if cursor.at_word("SOLVEFOR"):
            cursor.next()
            arguments = cursor.names()
        body = () if kind == "FUNCTION_TABLE" else read_body(cursor, kind)
        self.blocks.append(Block(kind, name, arguments, body))

    def _read_directive(self, cursor: Cursor, word: str) -> None:
        if word in _NO_EFFECT or word == ";":
            cursor.next()
        elif word == "DEFINE":
            cursor.next()
            name = cursor.name()
            self._defines[name] = cursor.number()
        elif word == "INCLUDE" and cursor.peek(1).kind == STRING:
            cursor.next()
            self._read_include(cursor)
        elif word == "INDEPENDENT" and cursor.peek(1).text == "{":
            cursor.next()
            cursor.skip_braces()
        elif word == "LOCAL":
            cursor.next()
            names = read_local(cursor).names
            self._others += [f"LOCAL {name}" + ("" if n is None else f"[{n}]") for name, n in names]
        elif word == "MODEL_LEVEL" and cursor.peek(1).kind == NUMBER:
            cursor.next()
            cursor.next()
        else:
            raise UnexpectedToken

    def _read_include(self, cursor: Cursor) -> None:
        name = cursor.next().text.strip('"')
        self._includes.append(name)
        if len(self._includes) > MAX_INCLUDES or self._characters > MAX_CHARACTERS:
            raise cursor.error(
                "this file includes too much",
                expected=f"at most {MAX_INCLUDES} files",
                found="more, perhaps files that include each other",
                hint="include each file once",
            )
        text = self._include(name) if self._include else None
        if text is None:
            self._others.append(f"INCLUDE {name}")
        else:
            self.read(text)

    def mod_file(self) -> ModFile:
        """What was read."""
        declared, lists = self._declared, self._declared.lists
        kind = cast(Literal["density", "point", "artificial"], MECHANISM_KINDS[declared.keyword])
        net_receive = [block.arguments for block in self.blocks if block.kind == "NET_RECEIVE"]
        inner = (each for block in self.blocks for each in walk(block.body))
        in_blocks = [each.code for each in inner if isinstance(each, Verbatim)]
        return ModFile(
            title=self._title,
            kind=kind,
            name=declared.name or PurePosixPath(self._where).stem,
            ions=tuple(declared.ions),
            nonspecific_currents=tuple(lists["NONSPECIFIC_CURRENT"]),
            electrode_currents=tuple(lists["ELECTRODE_CURRENT"]),
            range_names=tuple(lists["RANGE"]),
            global_names=tuple(lists["GLOBAL"]),
            pointers=(*lists["POINTER"], *lists["BBCOREPOINTER"]),
            externals=tuple(lists["EXTERNAL"]),
            parameters=tuple(declared.parameters),
            assigned=tuple(declared.assigned),
            states=tuple(declared.states),
            constants=tuple(declared.constants),
            blocks=tuple(self.blocks),
            net_receive=net_receive[0] if net_receive else None,
            verbatim=(*self._verbatim, *in_blocks),
            includes=tuple(self._includes),
            statements=canonical_statements(kind, declared, self.blocks, self._others),
        )
