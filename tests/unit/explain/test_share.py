"""Contributions as shares of a difference: they add up, keep signs, and are what numeric integration gives."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from pipeline.explain.share import share_difference
from pipeline.models.link import Link
from tests import oracles

Slope = Callable[[float], float]
SLOPES: dict[Link, Slope] = {
    Link.LOGIT: lambda margin: float(expit(margin) * expit(-margin)),
    Link.LOG: math.exp,
}
CONTRIBUTIONS = st.lists(st.floats(-1.5, 1.5), min_size=1, max_size=8)
BASES = st.floats(-4, 4)
LINKS = st.sampled_from(list(Link))


def _share(contributions: list[float], base: float, link: Link) -> list[float]:
    shares = share_difference(np.array([contributions]), np.array([base]), link=link)
    return [float(value) for value in shares[0]]


def test_two_contributions_by_hand() -> None:
    # From odds of 1 to odds of 4: the risk rises from 0.5 to 0.8, and 2 : -1 of the way gives +0.6 and -0.3.
    step = math.log(4)
    assert _share([2 * step, -step], 0.0, Link.LOGIT) == pytest.approx([0.6, -0.3])
    # From $1,000 to $4,000.
    assert _share([2 * step, -step], math.log(1000), Link.LOG) == pytest.approx([6000, -3000])


@given(CONTRIBUTIONS, BASES, LINKS)
def test_shares_add_up_to_the_difference(contributions: list[float], base: float, link: Link) -> None:
    margin = base + sum(contributions)
    ends = link.inverse(np.array([base, margin]))
    scale = max(1.0, float(ends.max()))
    assert abs(sum(_share(contributions, base, link)) - (ends[1] - ends[0])) < 1e-9 * scale


@given(CONTRIBUTIONS, BASES, LINKS, st.integers(0, 2**32 - 1))
def test_shares_do_not_depend_on_the_order_of_the_features(
    contributions: list[float], base: float, link: Link, seed: int
) -> None:
    order = np.random.default_rng(seed).permutation(len(contributions))
    shares = _share(contributions, base, link)
    reordered = _share([contributions[i] for i in order], base, link)
    np.testing.assert_allclose(reordered, [shares[i] for i in order], rtol=1e-6, atol=1e-9)


@given(CONTRIBUTIONS, BASES, LINKS)
def test_shares_keep_the_sign_of_their_contribution(contributions: list[float], base: float, link: Link) -> None:
    for contribution, share in zip(contributions, _share(contributions, base, link), strict=True):
        assert math.copysign(1, share) == math.copysign(1, contribution) or share == contribution == 0


@pytest.mark.parametrize("link", list(Link))
@pytest.mark.parametrize(
    ("base", "contributions"),
    [
        (-1.2, [0.5, -0.2, 1.1]),
        (2.0, [-3.0, 0.4, 0.1, -0.7]),
        (0.3, [1.0, -1.0]),
        (0.3, [1.0, -1.0 + 1e-7]),
        (-6.0, [9.0, -1.0]),
    ],
)
def test_shares_are_what_integration_along_the_straight_line_gives(
    link: Link, base: float, contributions: list[float]
) -> None:
    expected = oracles.aumann_shapley(contributions, base, SLOPES[link])
    assert _share(contributions, base, link) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_each_patient_is_shared_with_their_own_base() -> None:
    contributions, base = np.array([[0.5, 0.1], [0.5, 0.1]]), np.array([0.0, 2.0])
    together = share_difference(contributions, base, link=Link.LOGIT)
    for i in range(2):
        alone = share_difference(contributions[[i]], base[[i]], link=Link.LOGIT)
        np.testing.assert_array_equal(together[i], alone[0])
    assert (together[0] > together[1]).all()
