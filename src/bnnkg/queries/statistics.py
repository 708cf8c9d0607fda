"""Rank correlations over the rows of a query: effect, permutation p, one vote per family.

Within families, the effect is Spearman's rho in each family f of n_f rows, and

    z_f = artanh(rho_f), |rho_f| held to 1 - 1 / (2 n_f);    rho = tanh(mean over families of z_f)

so that a hundred copies of one model count as one (Fisher, 1915). Across families, each family is
the mean of its rows and rho is Spearman's over these points. p is the share of seeded permutations
of one variable, within the family (or the blocks that the correlation names), that give as extreme
a mean of rho_f: twice the smaller tail, the observed one counted in (Phipson and Smyth, 2010). All
p of one call are corrected together after Benjamini and Hochberg (1995).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from bnnkg.queries.header import Column, Correlation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

N_PERMUTATIONS = 999
MIN_ROWS = 4
"""Below this, Fisher's z has no variance (1 / (n - 3)), and a family has no vote."""

STATISTIC_COLUMNS: tuple[Column, ...] = (
    Column("variable", "", "One column"),
    Column("against", "", "The other"),
    Column("n", "", "Rows with both values"),
    Column("n_families", "", "Model families that have a vote"),
    Column("rho", "", "Rank correlation, one vote per family; absent where undefined"),
    Column("n_agree", "", "Families whose own correlation has the sign of rho"),
    Column("p", "", "Share of permutations as extreme, two-sided"),
    Column("p_corrected", "", "p after Benjamini and Hochberg over the rows of this table"),
    Column("note", "", "Why it is undefined, circular or partial"),
)

_ELEMENTS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class _Effect:
    n_families: int
    rho: float | None = None
    n_agree: int | None = None
    p: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Family:
    """The rows of one family: values and block numbers, [n] each."""

    x: Floats
    y: Floats
    block: Integers


def correlate(
    rows: Mapping[str, Sequence[Any]],
    correlations: Sequence[Correlation],
    *,
    saw: Sequence[str] = (),
    truncated: bool = False,
    n_permutations: int = N_PERMUTATIONS,
    seed: int = 0,
) -> dict[str, list[Any]]:
    """Computes the correlations of a query over its rows.

    Args:
        rows: The query's columns.
        correlations: What its header names.
        saw: What the run behind the rows had as inputs.
        truncated: Whether the query's limit may have cut rows off.
        n_permutations: Permutations per correlation.
        seed: Of the permutations; the same seed gives the same p.

    Returns:
        The columns of all groups, then ``STATISTIC_COLUMNS``: a row per correlation and group.
        None stands for a number that is undefined.
    """
    groups = list(dict.fromkeys(name for one in correlations for name in one.groups))
    table: dict[str, list[Any]] = {
        name: [] for name in (*groups, *(column.name for column in STATISTIC_COLUMNS))
    }
    for correlation in correlations:
        context = [*_circular(correlation, saw), *_cut_off(truncated)]
        for key, indices in _groups_of(rows, correlation.groups):
            row = _row(rows, correlation, indices, context, n_permutations, seed)
            named = dict(zip(correlation.groups, key, strict=True))
            for name, column in table.items():
                column.append(row[name] if name in row else named.get(name))
    table["p_corrected"] = correct_p(table["p"])
    return table


def correct_p(p: Sequence[float | None]) -> list[float | None]:
    """Benjamini and Hochberg's adjusted p, in the order given; what is absent stays absent."""
    defined = sorted((value, place) for place, value in enumerate(p) if value is not None)
    corrected: list[float | None] = [None] * len(p)
    least = 1.0
    for rank in range(len(defined), 0, -1):
        value, place = defined[rank - 1]
        least = min(least, value * len(defined) / rank)
        corrected[place] = least
    return corrected


def _circular(correlation: Correlation, saw: Sequence[str]) -> list[str]:
    """Compares the last words: a weight is seen wherever ``synapse.weight`` or ``weight`` is."""
    named = {entry.rpartition(".")[2] for entry in correlation.inputs}
    seen = sorted({entry for entry in saw if entry.rpartition(".")[2] in named})
    if not seen:
        return []
    shown = ", ".join(seen[:3]) + (f" and {len(seen) - 3} more" if len(seen) > 3 else "")
    return [f"circular: the run had {shown} as an input, so this is no finding"]


def _cut_off(truncated: bool) -> list[str]:
    return ["partial: the limit may have cut rows off"] if truncated else []


def _groups_of(
    rows: Mapping[str, Sequence[Any]], names: Sequence[str]
) -> Iterator[tuple[tuple[Any, ...], list[int]]]:
    """Values of the group columns with the rows that have them; one empty group for no rows."""
    n_rows = len(next(iter(rows.values()), ()))
    if not n_rows:
        yield (None,) * len(names), []
        return
    keys = [tuple(rows[name][i] for name in names) for i in range(n_rows)]
    order = sorted(range(n_rows), key=lambda i: tuple(map(str, keys[i])))
    for key, indices in groupby(order, key=keys.__getitem__):
        yield key, list(indices)


def _row(
    rows: Mapping[str, Sequence[Any]],
    correlation: Correlation,
    indices: list[int],
    context: list[str],
    n_permutations: int,
    seed: int,
) -> dict[str, Any]:
    x, y = rows[correlation.x], rows[correlation.y]
    known = [i for i in indices if _is_number(x[i]) and _is_number(y[i])]
    families = _families(rows, correlation, known)
    measure = _across if correlation.across else _within
    effect = measure(families, correlation, n_permutations, seed)
    notes = [*effect.notes, *context]
    if len(known) < len(indices):
        notes.append(f"{len(indices) - len(known)} rows without both values left out")
    return {
        "variable": correlation.y,
        "against": correlation.x,
        "n": len(known),
        "n_families": effect.n_families,
        "rho": effect.rho,
        "n_agree": effect.n_agree,
        "p": effect.p,
        "note": "; ".join(notes),
    }


def _is_number(value: Any) -> bool:
    return value is not None and value == value  # NaN is not equal to itself


def _families(
    rows: Mapping[str, Sequence[Any]], correlation: Correlation, known: list[int]
) -> list[_Family]:
    import numpy as np

    by_family: dict[Any, list[int]] = {}
    for i in known:
        by_family.setdefault(rows[correlation.family][i], []).append(i)
    blocks = rows[correlation.shuffled_in] if correlation.shuffled_in else None
    families = []
    for _, places in sorted(by_family.items(), key=lambda item: str(item[0])):
        numbers: dict[Any, int] = {}
        block = [numbers.setdefault(blocks[i] if blocks else None, len(numbers)) for i in places]
        order = np.argsort(block, kind="stable")
        x = np.array([rows[correlation.x][i] for i in places], float)
        y = np.array([rows[correlation.y][i] for i in places], float)
        families.append(_Family(x[order], y[order], np.array(block, np.int64)[order]))
    return families


def _within(
    families: list[_Family], correlation: Correlation, n_permutations: int, seed: int
) -> _Effect:
    import numpy as np

    voting = [family for family in families if _can_vote(family)]
    if not voting:
        return _Effect(0, notes=(_why_undefined(families, correlation),))
    rng = np.random.default_rng(seed)
    rhos = np.array([_rho(family) for family in voting])
    null = np.zeros(n_permutations)
    for family in voting:
        null += _permuted_rhos(family, n_permutations, rng) / len(voting)
    rho = _vote(rhos, np.array([len(family.x) for family in voting]))
    n_agree = int(np.sum(np.sign(rhos) == np.sign(rho)))
    silent = len(families) - len(voting)
    notes = (
        (f"{silent} of {len(families)} families have no vote: too few rows, or a constant",)
        if silent
        else ()
    )
    return _Effect(len(voting), rho, n_agree, _two_sided_p(float(rhos.mean()), null), notes)


def _across(
    families: list[_Family], correlation: Correlation, n_permutations: int, seed: int
) -> _Effect:
    import numpy as np

    n = len(families)
    points = _Family(
        np.array([f.x.mean() for f in families]),
        np.array([f.y.mean() for f in families]),
        np.zeros(n, np.int64),
    )
    if not _can_vote(points):
        return _Effect(n, notes=(_why_undefined([points], correlation, "families"),))
    rho = _rho(points)
    null = _permuted_rhos(points, n_permutations, np.random.default_rng(seed))
    return _Effect(n, rho, p=_two_sided_p(rho, null))


def _can_vote(family: _Family) -> bool:
    return len(family.x) >= MIN_ROWS and not _is_constant(family.x) and not _is_constant(family.y)


def _is_constant(values: Floats) -> bool:
    rounded = _round_digits(values)
    return bool(rounded.min() == rounded.max())


def _why_undefined(families: list[_Family], correlation: Correlation, points: str = "rows") -> str:
    import numpy as np

    enough = [family for family in families if len(family.x) >= MIN_ROWS]
    if not enough:
        return f"undefined: fewer than {MIN_ROWS} {points} with both values"
    for name, side in ((correlation.x, "x"), (correlation.y, "y")):
        values = [getattr(family, side) for family in enough]
        if _is_constant(np.concatenate(values)):
            return f"undefined: {name} is constant"
        if all(_is_constant(one) for one in values):
            return f"undefined: {name} is constant within each family"
    return f"undefined: {correlation.x} or {correlation.y} is constant within each family"


def _round_digits(values: Floats) -> Floats:
    """Nine significant digits, so that rounding errors make no ranks."""
    import numpy as np

    magnitude = np.abs(values)
    exponent = np.floor(np.log10(np.where(magnitude > 0, magnitude, 1.0)))
    scale = 10.0 ** np.clip(8 - exponent, -300, 300)
    rounded: Floats = np.round(values * scale) / scale
    return rounded


def _standard_ranks(values: Floats) -> Floats:
    """Mid-ranks, centred, of length 1: their dot product is Spearman's rho."""
    import numpy as np

    _, inverse, counts = np.unique(_round_digits(values), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    centred = ranks - ranks.mean()
    standard: Floats = centred / np.linalg.norm(centred)
    return standard


def _rho(family: _Family) -> float:
    return float(_standard_ranks(family.x) @ _standard_ranks(family.y))


def _permuted_rhos(family: _Family, n_permutations: int, rng: np.random.Generator) -> Floats:
    """Rho under permutations of y within blocks, [n_permutations]; rows are sorted by block."""
    import numpy as np

    x, y = _standard_ranks(family.x), _standard_ranks(family.y)
    n = len(x)
    rhos = np.empty(n_permutations)
    at_once = max(1, _ELEMENTS_AT_ONCE // n)
    for start in range(0, n_permutations, at_once):
        count = min(at_once, n_permutations - start)
        order = np.argsort(family.block + rng.random((count, n)), axis=1)
        rhos[start : start + count] = y[order] @ x
    return rhos


def _vote(rhos: Floats, n_rows: Integers) -> float:
    """The families' common rho; a perfect order of few rows is held finite."""
    import numpy as np

    if len(rhos) == 1:
        return float(rhos[0])
    bound = 1 - 1 / (2 * n_rows)
    return float(np.tanh(np.arctanh(np.clip(rhos, -bound, bound)).mean()))


def _two_sided_p(observed: float, null: Floats) -> float:
    import numpy as np

    slack = 1e-12
    above = 1 + int(np.sum(null >= observed - slack))
    below = 1 + int(np.sum(null <= observed + slack))
    return float(min(1.0, 2 * min(above, below) / (len(null) + 1)))
