"""Which variables statements may set, told without running them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bnnkg.kinetics.syntax import Assign, Block, CallStatement, If, walk

_SET_IN_C = re.compile(
    r"\b(?:_l)?([A-Za-z]\w{0,80})\s{0,9}(?:\[[^\]\n]{0,80}\]\s{0,9})?(?:=(?!=)|[-+*/]=|\+\+|--)"
    r"|&\s{0,9}(?:_l)?([A-Za-z]\w{0,80})"
)
_HARMLESS_RETURN = re.compile(r"\breturn\s{0,9}(?:0(?:\.0?)?)?\s{0,9};")


def names_set_in_c(code: str) -> tuple[set[str], bool]:
    """Names that C code assigns to, or takes the address of, and whether it returns a value.

    NMODL's local variables have ``_l`` before their names there.
    """
    names = {match[1] or match[2] for match in _SET_IN_C.finditer(code)}
    return names, "return" in _HARMLESS_RETURN.sub("", code)


def names_set(statement: If, blocks: Mapping[str, Block]) -> set[str]:
    """Variables that an ``if`` sets in any of its ways, within the procedures it calls too."""
    names: set[str] = set()
    called: set[str] = set()
    waiting = [*(body for _, body in statement.branches), statement.otherwise]
    while waiting:
        for inner in walk(waiting.pop()):
            if isinstance(inner, Assign):
                names.add(inner.target.name)
            elif isinstance(inner, CallStatement) and inner.call.function in blocks.keys() - called:
                called.add(inner.call.function)
                waiting.append(blocks[inner.call.function].body)
    return names
