from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnnkg.ingest.neuron import similarity
from bnnkg.ingest.neuron.similarity import similar_pairs, statement_hashes

# From `printf '1 STATE m' | sha256sum`, the first 64 bits, of which 53 are kept.
FIRST = int("83c40a28ea597bea", 16) >> 11
SECOND = int("ae67d4eec3c85f85", 16) >> 11
UNNAMED = int("24f7dcd8bd05710c", 16) >> 11


def test_hashes_are_the_same_everywhere() -> None:
    assert statement_hashes(["STATE m"]) == (FIRST,)
    assert statement_hashes(["STATE m", "STATE m"]) == tuple(sorted((FIRST, SECOND)))
    assert max(FIRST, SECOND) < 2**53


def test_the_name_of_a_block_does_not_count() -> None:
    assert statement_hashes(["PROCEDURE rates(v): x = 1"]) == (UNNAMED,)
    assert statement_hashes(["PROCEDURE trates(v, w): x = 1"]) == (UNNAMED,)
    assert statement_hashes(["PROCEDURE rates(v)"]) != statement_hashes(["PROCEDURE trates(v)"])
    kinds = {
        statement_hashes([f"{kind}: x = 1"]) for kind in ("INITIAL", "PROCEDURE p", "KINETIC p")
    }
    assert len(kinds) == 3
    ways = {statement_hashes([f"PROCEDURE p{way}: x = 1"]) for way in ("", "/if", "/else")}
    assert len(ways) == 3


def test_a_family_of_copies_by_hand() -> None:
    base = list(range(10))
    # One statement of ten changed: 9 of 11. Two changed: 8 of 12. One added: 10 of 11.
    sets = [base, [*base[:9], 77], [*base[:8], 88, 99], [*base, 66]]
    found = similar_pairs(["d", "c", "b", "a"], sets)
    assert found.a == ["a", "a", "c"]
    assert found.b == ["c", "d", "d"]
    assert found.similarity == pytest.approx([9 / 12, 10 / 11, 9 / 11])


def test_the_threshold_itself_is_similar_enough() -> None:
    # 7 of 10 and 14 of 20 are .7, which is no number of binary digits.
    seven, ten = list(range(7)), list(range(10))
    assert similar_pairs(["a", "b"], [seven, ten]).similarity == [0.7]
    fourteen, twenty = list(range(14)), list(range(20))
    assert similar_pairs(["a", "b"], [fourteen, twenty]).similarity == [0.7]
    assert similar_pairs(["a", "b"], [list(range(69)), list(range(100))]).similarity == []


def test_what_has_no_statements_is_like_nothing() -> None:
    assert similar_pairs(["a", "b", "c"], [[], [], [1]]) == ([], [], [])
    assert similar_pairs([], []) == ([], [], [])


def _jaccard(one: set[int], other: set[int]) -> float:
    return len(one & other) / len(one | other) if one | other else 0.0


# Few and skewed statements, so that many sets share many of them.
STATEMENTS = st.integers(0, 5) | st.integers(0, 30)
SETS = st.lists(st.sets(STATEMENTS, max_size=12), max_size=25)


@given(SETS, st.sampled_from([0.3, 0.5, 0.7, 0.9, 1.0]), st.data(), st.sampled_from([1, 50, 10**6]))
def test_exactly_the_pairs_of_comparing_each_with_each(
    sets: list[set[int]], threshold: float, data: st.DataObject, room: int
) -> None:
    uids = data.draw(st.permutations([f"m{i:02d}" for i in range(len(sets))]))
    new = data.draw(st.none() | st.sets(st.sampled_from(uids)) if uids else st.none())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(similarity, "_MAX_PRODUCTS", room)
        patch.setattr(similarity, "_MAX_COMPARED", room)
        found = similar_pairs(uids, [sorted(one) for one in sets], new, threshold)
    expected = {
        tuple(sorted((a, b))): _jaccard(one, other)
        for (a, one), (b, other) in combinations(zip(uids, sets, strict=True), 2)
        if _jaccard(one, other) >= threshold and (new is None or a in new or b in new)
    }
    pairs = list(zip(found.a, found.b, strict=True))
    assert pairs == sorted(expected)
    assert found.similarity == [expected[pair] for pair in pairs]
