"""One text for each statement of a file, the same however the file is laid out.

What has no effect does not count: comments, the title, layout, redundant brackets, ``INDEPENDENT``,
``UNITSON`` and ``UNITSOFF``, names of units, units in statements, ``THREADSAFE``, ``PROTECT``, the
case of keywords, how a number is written (nine significant digits count), the mechanism's name,
the order of declarations and of blocks. Statements of a block keep their order and have the block's
heading before them, and those within ``if`` and loops the way to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bnnkg.kinetics.cursor import number_text
from bnnkg.kinetics.declarations import Declarations
from bnnkg.kinetics.expressions import POWER, PRECEDENCE, SIGN
from bnnkg.kinetics.syntax import (
    Assign,
    Binary,
    Block,
    Call,
    CallStatement,
    Compartment,
    Conductance,
    Conserve,
    Declared,
    Element,
    Equation,
    Expression,
    ForNetcons,
    FromTo,
    Group,
    If,
    Ion,
    Local,
    Name,
    Number,
    Raw,
    Reaction,
    Solve,
    Statement,
    Table,
    Term,
    Text,
    Unary,
    Verbatim,
    Watch,
    While,
)


def canonical_statements(
    kind: str, declared: Declarations, blocks: Iterable[Block], others: Iterable[str]
) -> tuple[str, ...]:
    """The statements of a file: declarations sorted, then blocks by their headings.

    Args:
        kind: Of the mechanism.
        declared: Its declarations.
        blocks: Its blocks in the order of the file, which blocks of one heading keep.
        others: What stands between the blocks: code, includes, unknown text.
    """
    declarations = {f"NEURON {kind}", *_declarations(declared), *others}
    headed = sorted(((_heading(block), block) for block in blocks), key=lambda pair: pair[0])
    lines = [line for heading, block in headed for line in _block_lines(heading, block)]
    return (*sorted(declarations), *lines)


def _declarations(declared: Declarations) -> Iterator[str]:
    for keyword, names in declared.lists.items():
        yield from (f"{keyword} {name}" for name in names)
    for ion in declared.ions:
        yield from _ion_lines(ion)
    yield from (_declared_line("PARAMETER", each) for each in declared.parameters)
    yield from (_declared_line("CONSTANT", each) for each in declared.constants)
    yield from (_variable_line("ASSIGNED", each) for each in declared.assigned)
    yield from (_variable_line("STATE", each) for each in declared.states)
    yield from declared.raw


def _ion_lines(ion: Ion) -> Iterator[str]:
    yield f"USEION {ion.name}"
    yield from (f"USEION {ion.name} READ {name}" for name in ion.reads)
    yield from (f"USEION {ion.name} WRITE {name}" for name in ion.writes)
    if ion.valence is not None:
        yield f"USEION {ion.name} VALENCE {number_text(ion.valence)}"


def _declared_line(keyword: str, declared: Declared) -> str:
    unit = f" ({declared.unit})" if declared.unit else ""
    low, high = declared.low, declared.high
    limits = "" if low is None or high is None else f" <{number_text(low)},{number_text(high)}>"
    return f"{_variable_line(keyword, declared)}{unit}{limits}"


def _variable_line(keyword: str, declared: Declared) -> str:
    size = "" if declared.size is None else f"[{declared.size}]"
    value = "" if declared.value is None else f" = {number_text(declared.value)}"
    return f"{keyword} {declared.name}{size}{value}"


def _heading(block: Block) -> str:
    arguments = f"({', '.join(block.arguments)})" if block.arguments else ""
    return f"{block.kind} {block.name}".rstrip() + arguments


def _block_lines(heading: str, block: Block) -> Iterator[str]:
    yield heading
    yield from _lines(heading, block.body)


def _lines(way: str, body: Iterable[Statement]) -> Iterator[str]:
    for statement in body:
        yield f"{way}: {_line(statement)}"
        for step, inner in _bodies(statement):
            if step != "if":
                yield f"{way}: {step}"
            yield from _lines(f"{way}/{step.partition(' ')[0]}", inner)


def _bodies(statement: Statement) -> Iterator[tuple[str, tuple[Statement, ...]]]:
    match statement:
        case If(branches, otherwise):
            for place, (condition, body) in enumerate(branches):
                yield (f"elseif ({expression_text(condition)})" if place else "if"), body
            if otherwise:
                yield "else", otherwise
        case While(_, body) | FromTo(_, _, _, _, body) | ForNetcons(_, body) | Group(_, body):
            yield "if", body


def _line(statement: Statement) -> str:
    match statement:
        case Assign(target, order, value):
            return f"{_target(target, order)} = {expression_text(value)}"
        case CallStatement(call):
            return expression_text(call)
        case If(branches, _):
            return f"if ({expression_text(branches[0][0])})"
        case While(condition, _):
            return f"while ({expression_text(condition)})"
        case FromTo(variable, first, last, step, _):
            by = "" if step is None else f" BY {expression_text(step)}"
            return f"FROM {variable} = {expression_text(first)} TO {expression_text(last)}{by}"
        case ForNetcons(arguments, _):
            return f"FOR_NETCONS ({', '.join(arguments)})"
        case Group(heading, _):
            return f"{heading} {{}}".lstrip()
        case Solve(block, method, steady_state):
            how = "STEADYSTATE" if steady_state else "METHOD"
            return f"SOLVE {block} {how} {method}" if method else f"SOLVE {block}"
        case Reaction():
            return _reaction_text(statement)
        case Conserve(terms, total):
            return f"CONSERVE {_terms_text(terms)} = {expression_text(total)}"
        case Compartment(keyword, index, size, states):
            of = f"{index}, " if index else ""
            return f"{keyword} {of}{expression_text(size)} {{{' '.join(states)}}}"
        case Equation(operator, left, right):
            return f"{operator} {expression_text(left)} = {expression_text(right)}"
        case Local(names):
            sizes = ((name, "" if size is None else f"[{size}]") for name, size in names)
            return "LOCAL " + ", ".join(sorted(name + size for name, size in sizes))
        case Table():
            return _table_text(statement)
        case Watch(conditions):
            texts = (f"({expression_text(c)}) {expression_text(f)}" for c, f in conditions)
            return f"WATCH {', '.join(texts)}"
        case Conductance(name, ion):
            return f"CONDUCTANCE {name}" + (f" USEION {ion}" if ion else "")
        case Verbatim(code):
            return verbatim_text(code)
        case Raw(text):
            return text


def verbatim_text(code: str) -> str:
    """C code without its layout."""
    return f"VERBATIM {' '.join(code.split())}".rstrip()


def _target(target: Expression, order: int) -> str:
    primes = "'" * order
    if isinstance(target, Element):
        return f"{target.name}{primes}[{expression_text(target.index)}]"
    return f"{expression_text(target)}{primes}"


def _reaction_text(reaction: Reaction) -> str:
    rates = expression_text(reaction.forward)
    if reaction.backward is not None:
        rates += f", {expression_text(reaction.backward)}"
    sides = f"{_terms_text(reaction.left)} {reaction.arrow} {_terms_text(reaction.right)}"
    return f"~ {sides.rstrip()} ({rates})"


def _terms_text(terms: Iterable[Term]) -> str:
    return " + ".join(
        (f"{term.count} " if term.count != 1 else "") + expression_text(term.variable)
        for term in terms
    )


def _table_text(table: Table) -> str:
    depends = f" DEPEND {', '.join(sorted(table.depends))}" if table.depends else ""
    names = f" {', '.join(sorted(table.names))}" if table.names else ""
    span = f"FROM {expression_text(table.first)} TO {expression_text(table.last)}"
    return f"TABLE{names}{depends} {span} WITH {table.n}"


def expression_text(expression: Expression) -> str:
    """An expression with no more brackets than it needs."""
    return _bound(expression)[0]


def _bound(expression: Expression) -> tuple[str, int]:
    """An expression's text and how tightly it binds."""
    match expression:
        case Number(value):
            return number_text(value), POWER + 1
        case Name(name):
            return name, POWER + 1
        case Element(name, index):
            return f"{name}[{expression_text(index)}]", POWER + 1
        case Call(function, arguments):
            inner = ", ".join(expression_text(each) for each in arguments)
            return f"{function}({inner})", POWER + 1
        case Text(text):
            return f'"{text}"', POWER + 1
        case Unary(operator, operand):
            return operator + _within(operand, SIGN), SIGN
        case Binary("^", left, right):
            return f"{_within(left, POWER + 1)}^{_within(right, SIGN)}", POWER
        case Binary():
            return _chain(expression)


def _chain(expression: Binary) -> tuple[str, int]:
    """A chain ``a + b + c`` of one rank, which leans to the left and may be long."""
    binding = PRECEDENCE[expression.operator]
    parts: list[str] = []
    left: Expression = expression
    while isinstance(left, Binary) and PRECEDENCE[left.operator] == binding:
        parts.append(f" {left.operator} {_within(left.right, binding + 1)}")
        left = left.left
    return _within(left, binding) + "".join(reversed(parts)), binding


def _within(expression: Expression, least: int) -> str:
    text, binding = _bound(expression)
    return text if binding >= least else f"({text})"
