"""Library files: a comment that says what is asked, then the Cypher that answers it.

The comment is the file's first block of ``//`` lines::

    // The question?
    //
    // Any notes.
    //
    // Parameters:
    //   name (type = default): meaning         types: string, integer, float, boolean
    //   name (type): meaning                   without a default it must be given
    // Columns:
    //   name [unit]: meaning                   the unit where there is one
    // Statistics:
    //   y ~ x | within: family | groups: kind | shuffled in: receiver_uid | inputs: synapse.weight

An entry goes on in the lines below it that are indented further.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NoReturn, TypeVar, cast, get_args

from bnnkg.errors import QueryError

ParameterType = Literal["string", "integer", "float", "boolean"]
Value = str | int | float | bool

PYTHON_TYPES: dict[ParameterType, type] = {
    "string": str,
    "integer": int,
    "float": float,
    "boolean": bool,
}

_SECTIONS = ("Parameters", "Columns", "Statistics")
_PARAMETER = re.compile(r"(\w+) \((\w+)(?: = (.+?))?\): (.+)\Z")
_COLUMN = re.compile(r"(\w+)(?: \[(.+?)\])?: (.+)\Z")
_CORRELATION = re.compile(r"(\w+) ~ (\w+)\Z")
_USED = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class Parameter:
    """What a query can be told.

    Attributes:
        name: As in the Cypher text, without ``$``.
        type: string, integer, float or boolean.
        default: What holds where it is not given; absent where it must be given.
        meaning: In one line.
    """

    name: str
    type: ParameterType
    default: Value | None
    meaning: str


@dataclass(frozen=True)
class Column:
    """What a query returns.

    Attributes:
        name: As aliased in the Cypher text.
        unit: Empty where it has none.
        meaning: In one line.
    """

    name: str
    unit: str
    meaning: str


@dataclass(frozen=True)
class Correlation:
    """A rank correlation between two columns of a query.

    Attributes:
        y: One column.
        x: The other.
        family: Column that says which rows come from one family of models, and vote once.
        across: True where each family is one point (the mean of its rows) and the correlation is
            taken across families; False where it is taken within each, and they vote.
        groups: Columns whose every combination is a correlation of its own.
        shuffled_in: Column within whose values a permutation stays; empty for the whole family.
        inputs: Entries of ``AttentionRun.saw`` that make the correlation circular: one of its
            sides, or what gives it away, was put in.
    """

    y: str
    x: str
    family: str
    across: bool = False
    groups: tuple[str, ...] = ()
    shuffled_in: str = ""
    inputs: tuple[str, ...] = ()

    def columns(self) -> tuple[str, ...]:
        """All columns that it reads."""
        names = (self.y, self.x, self.family, *self.groups, self.shuffled_in)
        return tuple(name for name in names if name)


@dataclass(frozen=True)
class LibraryQuery:
    """One file of the library.

    Attributes:
        name: The file's name.
        group: The folder's name.
        question: What it answers, for a biologist.
        notes: What one should know to read the answer; may be empty.
        parameters: In the order of the header.
        columns: In the order in which they are returned.
        statistics: Correlations over the rows; absent where there are none.
        text: The whole file, comment included: valid Cypher as it stands.
    """

    name: str
    group: str
    question: str
    notes: str
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]
    statistics: tuple[Correlation, ...] | None
    text: str


@dataclass(frozen=True)
class _Entry:
    line: int
    text: str


def parse_query(text: str, *, name: str, group: str, where: str) -> LibraryQuery:
    """Reads a library file.

    Args:
        text: The whole file.
        name: Name of the query.
        group: Its group.
        where: The file, for messages.

    Raises:
        QueryError: The header is malformed, or does not fit the Cypher; names file and line.
    """
    lines = _comment_lines(text)
    prose, sections = _split_sections(lines, where)
    if not prose:
        _fail(where, 1, "the header asks no question")
    parameters = _parse_all(sections["Parameters"], _parse_parameter, where)
    columns = _parse_all(sections["Columns"], _parse_column, where)
    statistics = _parse_all(sections["Statistics"], _parse_correlation, where)
    body = "\n".join(text.splitlines()[len(lines) :])
    _check_parameters(parameters, body, where)
    _check_columns(columns, statistics, where)
    return LibraryQuery(
        name, group, prose[0], " ".join(prose[1:]), parameters, columns, statistics or None, text
    )


def _comment_lines(text: str) -> list[str]:
    lines = []
    for line in text.splitlines():
        if not line.startswith("//"):
            break
        lines.append(line[2:].rstrip())
    return lines


def _split_sections(lines: list[str], where: str) -> tuple[list[str], dict[str, list[_Entry]]]:
    """The paragraphs before the first section, and the entries of each."""
    prose: list[list[str]] = [[]]
    sections: dict[str, list[_Entry]] = {name: [] for name in _SECTIONS}
    section = ""
    for number, line in enumerate(lines, start=1):
        content = line.strip()
        if content.rstrip(":") in sections and content.endswith(":"):
            section = content[:-1]
        elif section:
            _add_entry(sections[section], line, number, where)
        elif content:
            prose[-1].append(content)
        else:
            prose.append([])
    return [" ".join(paragraph) for paragraph in prose if paragraph], sections


def _add_entry(entries: list[_Entry], line: str, number: int, where: str) -> None:
    content = line.strip()
    indent = len(line) - len(line.lstrip())
    if indent == 3:
        entries.append(_Entry(number, content))
    elif indent > 3 and entries:
        last = entries.pop()
        entries.append(_Entry(last.line, f"{last.text} {content}"))
    elif content:
        _fail(where, number, "an entry is indented by three spaces after //", found=content)


_T = TypeVar("_T")


def _parse_all(
    entries: list[_Entry], parse: Callable[[_Entry, str], _T], where: str
) -> tuple[_T, ...]:
    return tuple(parse(entry, where) for entry in entries)


def _parse_parameter(entry: _Entry, where: str) -> Parameter:
    match = _PARAMETER.match(entry.text)
    if match is None:
        _fail(
            where, entry.line, "this is no parameter", "name (type = default): meaning", entry.text
        )
    name, type_, default, meaning = match.groups()
    if type_ not in get_args(ParameterType):
        _fail(where, entry.line, "no such type", ", ".join(get_args(ParameterType)), type_)
    kind = cast(ParameterType, type_)
    return Parameter(name, kind, _parse_default(default, kind, entry, where), meaning)


def _parse_default(
    text: str | None, kind: ParameterType, entry: _Entry, where: str
) -> Value | None:
    if text is None:
        return None
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = None
    if type(value) is not PYTHON_TYPES[kind]:
        _fail(where, entry.line, "the default has another type", f"a JSON {kind}", text)
    return cast(Value, value)


def _parse_column(entry: _Entry, where: str) -> Column:
    match = _COLUMN.match(entry.text)
    if match is None:
        _fail(where, entry.line, "this is no column", "name [unit]: meaning", entry.text)
    name, unit, meaning = match.groups()
    return Column(name, unit or "", meaning)


def _parse_correlation(entry: _Entry, where: str) -> Correlation:
    head, *clauses = (part.strip() for part in entry.text.split("|"))
    match = _CORRELATION.match(head)
    if match is None:
        _fail(where, entry.line, "this is no correlation", "y ~ x | clause: names", entry.text)
    given = dict(_clauses(clauses, entry, where))
    if ("within" in given) == ("across" in given):
        _fail(where, entry.line, "a correlation is within or across one column of families")
    family = (given.get("within") or given["across"])[0]
    return Correlation(
        match[1],
        match[2],
        family,
        across="across" in given,
        groups=given.get("groups", ()),
        shuffled_in=given.get("shuffled in", ("",))[0],
        inputs=given.get("inputs", ()),
    )


def _clauses(
    clauses: list[str], entry: _Entry, where: str
) -> Iterator[tuple[str, tuple[str, ...]]]:
    known = ("within", "across", "groups", "shuffled in", "inputs")
    for clause in clauses:
        key, _, names = clause.partition(":")
        values = tuple(name.strip() for name in names.split(",") if name.strip())
        if key not in known or not values:
            _fail(where, entry.line, "no such clause", ", ".join(known), clause)
        yield key, values


def _check_parameters(parameters: tuple[Parameter, ...], body: str, where: str) -> None:
    declared = [parameter.name for parameter in parameters]
    if set(declared) != set(_USED.findall(body)) or len(set(declared)) != len(declared):
        _fail(
            where,
            1,
            "the header's parameters are not those of the text",
            ", ".join(sorted(set(_USED.findall(body)))),
            ", ".join(declared),
        )


def _check_columns(
    columns: tuple[Column, ...], statistics: tuple[Correlation, ...], where: str
) -> None:
    declared = [column.name for column in columns]
    if not declared or len(set(declared)) != len(declared):
        _fail(where, 1, "the header names no columns, or one twice", found=", ".join(declared))
    for correlation in statistics:
        for name in correlation.columns():
            if name not in declared:
                _fail(where, 1, "a correlation reads no such column", ", ".join(declared), name)


def _fail(
    where: str, line: int, what: str, expected: str | None = None, found: str | None = None
) -> NoReturn:
    raise QueryError(what, where=f"{where}:{line}", expected=expected, found=found)
