"""Connected components: what belongs together because it is linked."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence


def components(n: int, links: Iterable[tuple[int, int]]) -> list[int]:
    """Number of each item's component, counted in the order of their first items.

    Args:
        n: How many items there are.
        links: Pairs of items that belong together.
    """
    above = list(range(n))

    def top(item: int) -> int:
        while above[item] != item:
            above[item] = above[above[item]]
            item = above[item]
        return item

    for one, other in links:
        above[top(one)] = top(other)
    number: dict[int, int] = {}
    return [number.setdefault(top(item), len(number)) for item in range(n)]


def linked_by(keys: Sequence[Iterable[Hashable]]) -> list[tuple[int, int]]:
    """Links between items that have a key in common."""
    first: dict[Hashable, int] = {}
    return [(first.setdefault(key, item), item) for item, own in enumerate(keys) for key in own]
