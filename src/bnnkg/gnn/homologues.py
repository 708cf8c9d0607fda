"""Which neurons are each other's counterparts, from their names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bnnkg.gnn.components import components, linked_by

_NUMBER = re.compile(r"[\s_.\-/\[(]*\d+[\])]*\Z")
_SIDE_WORD = re.compile(r"(?i)(?<![a-z])(left|right)(?![a-z])")
_SIDE_LETTER = re.compile(r"(?<=[_\-. ])[LR]\Z")


def homologue_groups(names: Sequence[str]) -> list[int]:
    """Groups left, right, dorsal, ventral and numbered counterparts.

    Names are compared, so that only counterparts that are there count: AVAL goes with AVAR, and
    AVL stays alone where there is no AVR. Numbers at the end are dropped (VB1 to VB11; ``pyr[3]``),
    the last letter may be L or R, the letter before it or the last D or V (CEPDL and CEPVR, RMED
    and RMEV), and a pair without D or V goes with the pairs that have it (IL2L with IL2DL), as do
    RMED and RMEV with RMEL and RMER. Left and right as words, or as a letter set apart, are sides
    too. Such names are a convention (White et al., Phil. Trans. R. Soc. B 1986), not a rule: in
    doubt the groups are too large, which costs training data, rather than too small, which leaks.

    Args:
        names: Names of neurons, or of their populations.

    Returns:
        Number of each name's group, counted in the order of their first names.
    """
    stems = [_plain(name) for name in names]
    there = set(stems)
    return components(len(names), linked_by([{stem, *_classes(stem, there)} for stem in stems]))


def _plain(name: str) -> str:
    """The name without number, and without sides that are written out or set apart."""
    name = _NUMBER.sub("", name) or name
    return _SIDE_LETTER.sub("?", _SIDE_WORD.sub("?", name))


def _classes(stem: str, there: set[str]) -> Iterator[str]:
    """Names of classes that the stem is in, marked so that they are not names of neurons."""
    for rest in _without_side(stem, there):
        yield f"{rest}*"
        if rest[-1] in "DV" and rest[:-1]:
            yield f"{rest[:-1]}*"
    if stem[-1:] in ("D", "V") and stem[:-1]:
        rest = stem[:-1]
        if {rest + "D", rest + "V"} <= there or {rest + "VL", rest + "VR"} <= there:
            yield f"{rest}*"


def _without_side(stem: str, there: set[str]) -> Iterator[str]:
    rest = stem[:-1]
    if rest and stem[-1:] in ("L", "R") and {rest + "L", rest + "R"} <= there:
        yield rest
