"""p values of lifts, against values worked out by hand and from tables."""

from __future__ import annotations

import numpy as np
import pytest

from bnnkg.gnn.significance import degree_matched_p, seed_p


def test_peers_have_as_many_sources() -> None:
    """Ten connections onto receivers of 2 sources, ten of 40: ranks are within each ten."""
    lift = np.concatenate([np.arange(10) / 10, 5 + np.arange(10.0)])
    n_sources = np.repeat([2, 40], 10)
    p = degree_matched_p(lift, n_sources)
    np.testing.assert_allclose(p, np.tile(np.arange(10, 0, -1) / 10, 2))


def test_order_does_not_matter_and_ties_share_the_higher_p() -> None:
    order = np.random.default_rng(0).permutation(12)
    lift = np.array([3.0, 3.0, *np.linspace(0, 1, 10)])
    p = degree_matched_p(lift[order], np.full(12, 7))
    np.testing.assert_allclose(p[np.argsort(order)][:3], [2 / 12, 2 / 12, 1.0])


def test_few_connections_have_peers_with_nearly_as_many_sources() -> None:
    p = degree_matched_p(np.array([4.0, 1.0, 1.0, 1.0]), np.array([3, 4, 5, 6]))
    assert p[0] == pytest.approx(0.25)


def test_seeds_that_agree_are_significant() -> None:
    """t = (2 - 1) / (0.1 / sqrt 3) = 17.32; one-sided p with 2 degrees of freedom is 0.00166."""
    p = seed_p(np.array([[1.9, 1.0], [2.0, 1.1], [2.1, 0.9]]))
    assert p[0] == pytest.approx(0.00166, abs=1e-5)
    assert p[1] == pytest.approx(0.5)


def test_without_a_spread_there_is_no_p() -> None:
    assert np.isnan(seed_p(np.array([[2.0, 1.0]]))).all()
    assert np.isnan(seed_p(np.full((3, 2), 1.5))).all()
