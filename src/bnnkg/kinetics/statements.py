"""Statements of NMODL's blocks."""

from __future__ import annotations

from collections.abc import Callable

from bnnkg.kinetics.cursor import Cursor, UnexpectedToken, spelling
from bnnkg.kinetics.expressions import (
    read_call,
    read_expression,
    read_index,
    read_variable,
)
from bnnkg.kinetics.syntax import (
    Assign,
    CallStatement,
    Compartment,
    Conductance,
    Conserve,
    Equation,
    Expression,
    ForNetcons,
    FromTo,
    Group,
    If,
    Local,
    Raw,
    Reaction,
    Solve,
    Statement,
    Table,
    Term,
    Verbatim,
    Watch,
    While,
)
from bnnkg.kinetics.tokens import NAME, NUMBER, PRIME, VERBATIM

_NO_EFFECT = {"UNITSON", "UNITSOFF", "THREADSAFE", "MUTEXLOCK", "MUTEXUNLOCK", "PROTECT"}
_EQUATION_BLOCKS = {"LINEAR", "NONLINEAR"}


def read_body(cursor: Cursor, block_kind: str) -> tuple[Statement, ...]:
    """Pass statements in braces; the file's end closes them too."""
    cursor.expect("{")
    statements: list[Statement] = []
    with cursor.nested():
        while not cursor.at("}") and not cursor.at_end():
            if cursor.at(";") or (cursor.peek().text in _NO_EFFECT):
                cursor.next()
            else:
                statements.append(_statement(cursor, block_kind))
    cursor.accept("}")
    return tuple(statements)


def _statement(cursor: Cursor, block_kind: str) -> Statement:
    start = cursor.position
    try:
        return _known_statement(cursor, block_kind)
    except UnexpectedToken:
        text = cursor.raw(start)
        return Raw(text or spelling(cursor.next()))


def _known_statement(cursor: Cursor, block_kind: str) -> Statement:
    token = cursor.peek()
    if token.kind == VERBATIM:
        return Verbatim(cursor.next().text)
    if token.text == "{":
        return Group("", read_body(cursor, block_kind))
    if token.text in ("~", "~+"):
        return _equation(cursor) if block_kind in _EQUATION_BLOCKS else _reaction(cursor)
    if token.kind == NAME:
        reader = _KEYWORDS.get(token.text.upper())
        if reader and _is_keyword(cursor):
            cursor.next()
            return reader(cursor, block_kind)
    return _assignment_or_call(cursor)


def _is_keyword(cursor: Cursor) -> bool:
    """Whether the next word is a keyword rather than a variable spelled like one."""
    word, after = cursor.peek().text, cursor.peek(1).text
    if word.upper() in ("IF", "WHILE"):
        return after == "("
    return word.isupper() or after not in ("=", "(", "[")


def _assignment_or_call(cursor: Cursor) -> Statement:
    token = cursor.next()
    if token.kind == NAME and cursor.at("("):
        return CallStatement(read_call(cursor, token.text))
    if token.kind not in (NAME, PRIME):
        raise UnexpectedToken
    name = token.text.rstrip("'")
    target = read_index(cursor, name)
    cursor.expect("=")
    return Assign(target, len(token.text) - len(name), read_expression(cursor))


def _if(cursor: Cursor, block_kind: str) -> Statement:
    branches = [_branch(cursor, block_kind)]
    otherwise: tuple[Statement, ...] = ()
    while cursor.at_word("ELSE"):
        cursor.next()
        if not cursor.at_word("IF"):
            otherwise = read_body(cursor, block_kind)
            break
        cursor.next()
        branches.append(_branch(cursor, block_kind))
    return If(tuple(branches), otherwise)


def _branch(cursor: Cursor, block_kind: str) -> tuple[Expression, tuple[Statement, ...]]:
    return _condition(cursor), read_body(cursor, block_kind)


def _condition(cursor: Cursor) -> Expression:
    cursor.expect("(")
    with cursor.nested():
        condition = read_expression(cursor)
    cursor.expect(")")
    return condition


def _while(cursor: Cursor, block_kind: str) -> Statement:
    return While(_condition(cursor), read_body(cursor, block_kind))


def _from_to(cursor: Cursor, block_kind: str) -> Statement:
    variable = cursor.name()
    cursor.expect("=")
    first = read_expression(cursor)
    cursor.expect_word("TO")
    last = read_expression(cursor)
    step = None
    if cursor.at_word("BY"):
        cursor.next()
        step = read_expression(cursor)
    return FromTo(variable, first, last, step, read_body(cursor, block_kind))


def _for_netcons(cursor: Cursor, block_kind: str) -> Statement:
    return ForNetcons(cursor.arguments(), read_body(cursor, block_kind))


def _initial(cursor: Cursor, block_kind: str) -> Statement:
    return Group("INITIAL", read_body(cursor, block_kind))


def _solve(cursor: Cursor, _block_kind: str) -> Statement:
    block = cursor.name()
    for word in ("METHOD", "STEADYSTATE", "USING"):
        if cursor.at_word(word):
            cursor.next()
            return Solve(block, cursor.name(), word == "STEADYSTATE")
    return Solve(block, "", steady_state=False)


def _reaction(cursor: Cursor) -> Statement:
    cursor.next()
    left = _terms(cursor)
    if cursor.accept("<->"):
        right = _terms(cursor)
        cursor.expect("(")
        forward = read_expression(cursor)
        cursor.expect(",")
        backward = read_expression(cursor)
        cursor.expect(")")
        return Reaction("<->", left, right, forward, backward)
    arrow = cursor.next().text
    if arrow not in ("<<", "->"):
        raise UnexpectedToken
    return Reaction(arrow, left, (), _condition(cursor), None)


def _terms(cursor: Cursor) -> tuple[Term, ...]:
    terms = [_term(cursor)]
    while cursor.accept("+"):
        terms.append(_term(cursor))
    return tuple(terms)


def _term(cursor: Cursor) -> Term:
    count = cursor.whole_number() if cursor.peek().kind == NUMBER else 1
    return Term(count, read_variable(cursor))


def _conserve(cursor: Cursor, _block_kind: str) -> Statement:
    terms = _terms(cursor)
    cursor.expect("=")
    return Conserve(terms, read_expression(cursor))


def _compartment(keyword: str) -> Callable[[Cursor, str], Statement]:
    def read(cursor: Cursor, _block_kind: str) -> Statement:
        index = cursor.name() if cursor.peek(1).text == "," else ""
        if index:
            cursor.expect(",")
        size = read_expression(cursor)
        cursor.expect("{")
        states = []
        while not cursor.accept("}"):
            states.append(cursor.name())
            cursor.accept(",")
        return Compartment(keyword, index, size, tuple(states))

    return read


def _equation(cursor: Cursor) -> Statement:
    operator = cursor.next().text
    left = read_expression(cursor)
    cursor.expect("=")
    return Equation(operator, left, read_expression(cursor))


def _local(cursor: Cursor, _block_kind: str) -> Statement:
    return read_local(cursor)


def read_local(cursor: Cursor) -> Local:
    """Pass the names of ``LOCAL``."""
    names = [(cursor.name(), cursor.size())]
    while cursor.accept(","):
        names.append((cursor.name(), cursor.size()))
    return Local(tuple(names))


def _table(cursor: Cursor, _block_kind: str) -> Statement:
    names = () if cursor.at_word("FROM") or cursor.at_word("DEPEND") else cursor.names()
    depends: tuple[str, ...] = ()
    if cursor.at_word("DEPEND"):
        cursor.next()
        depends = cursor.names()
    cursor.expect_word("FROM")
    first = read_expression(cursor)
    cursor.expect_word("TO")
    last = read_expression(cursor)
    cursor.expect_word("WITH")
    return Table(names, depends, first, last, cursor.whole_number())


def _watch(cursor: Cursor, _block_kind: str) -> Statement:
    conditions = [(_condition(cursor), read_expression(cursor))]
    while cursor.accept(","):
        conditions.append((_condition(cursor), read_expression(cursor)))
    return Watch(tuple(conditions))


def _conductance(cursor: Cursor, _block_kind: str) -> Statement:
    name = cursor.name()
    if not cursor.at_word("USEION"):
        return Conductance(name, "")
    cursor.next()
    return Conductance(name, cursor.name())


_KEYWORDS: dict[str, Callable[[Cursor, str], Statement]] = {
    "IF": _if,
    "WHILE": _while,
    "FROM": _from_to,
    "FOR_NETCONS": _for_netcons,
    "INITIAL": _initial,
    "SOLVE": _solve,
    "CONSERVE": _conserve,
    "COMPARTMENT": _compartment("COMPARTMENT"),
    "LONGITUDINAL_DIFFUSION": _compartment("LONGITUDINAL_DIFFUSION"),
    "LOCAL": _local,
    "TABLE": _table,
    "WATCH": _watch,
    "CONDUCTANCE": _conductance,
}
