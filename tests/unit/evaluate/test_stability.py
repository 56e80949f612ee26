"""Whether reasons stay: against loops that a reader can check, and where the answer is known."""

import numpy as np
import pandas as pd
import pytest

from pipeline.evaluate.stability import (
    Stability,
    build_patient_stability,
    build_stability_distribution,
    compare_rebuilds,
    first_features,
)
from tests import oracles


def draw_ranks(shape: tuple[int, ...], *, features: int, seed: int) -> np.ndarray:
    """The first five of a random order of the features, anew for each place."""
    rng = np.random.default_rng(seed)
    orders = rng.permuted(np.broadcast_to(np.arange(features), (*shape, features)), axis=-1)
    return orders[..., :5].astype(np.uint8)


def overlaps(*counts: tuple[float, int]) -> Stability:
    """So many patients with each overlap."""
    overlap = np.concatenate([np.full(n, value) for value, n in counts])
    return Stability(overlap, np.ones(len(overlap)), np.zeros(len(overlap), dtype=bool))


def test_features_are_ranked_by_size_whatever_their_sign_and_ties_stay_in_order() -> None:
    contributions = np.array([[0.1, -0.9, 0.0, 0.5, 0.5, -0.2], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]])
    np.testing.assert_array_equal(first_features(contributions), [[1, 3, 4, 5, 0], [0, 1, 2, 3, 4]])


def test_rebuilds_are_compared_as_by_hand() -> None:
    shown, rebuilt = draw_ranks((40,), features=8, seed=1), draw_ranks((7, 40), features=8, seed=2)
    stability = compare_rebuilds(shown, rebuilt)
    for i in range(40):
        kept, same = oracles.features_kept(list(shown[i]), [list(r[i]) for r in rebuilt])
        assert stability.top5_overlap[i] == pytest.approx(kept)
        assert stability.same_first_share[i] == pytest.approx(same)


def test_rebuilds_that_are_identical_keep_everything() -> None:
    shown = draw_ranks((20,), features=24, seed=3)
    stability = compare_rebuilds(shown, np.repeat(shown[None], 4, axis=0))
    assert (stability.top5_overlap == 1).all()
    assert (stability.same_first_share == 1).all()
    assert not stability.unstable.any()


def test_reasons_at_random_are_kept_as_often_as_the_hypergeometric_distribution_says() -> None:
    stability = compare_rebuilds(draw_ranks((4000,), features=24, seed=4), draw_ranks((20, 4000), features=24, seed=5))
    # Of five drawn from 24, each is among another five with a chance of 5/24; the standard error here is under 0.0008.
    assert stability.top5_overlap.mean() == pytest.approx(5 / 24, abs=0.004)
    assert stability.same_first_share.mean() == pytest.approx(1 / 24, abs=0.004)
    assert stability.unstable.all()


@pytest.mark.parametrize(
    ("rebuilt", "unstable"),
    [
        # Another order behind the same first feature changes nothing that is told.
        ([[0, 4, 3, 2, 1]] * 3, False),
        # Three of five kept in each is enough, and one rebuild with two is not.
        ([[0, 1, 2, 8, 9]] * 3, False),
        ([[0, 1, 2, 8, 9]] * 2 + [[0, 1, 7, 8, 9]], True),
        # Another first in one of four is not a third of them; in one of three it is.
        ([[0, 1, 2, 3, 4]] * 3 + [[1, 0, 2, 3, 4]], False),
        ([[0, 1, 2, 3, 4]] * 2 + [[1, 0, 2, 3, 4]], True),
    ],
)
def test_limits_that_are_met_exactly_are_judged_as_written(rebuilt: list[list[int]], unstable: bool) -> None:
    shown = np.arange(5, dtype=np.uint8)[None]
    stability = compare_rebuilds(shown, np.array(rebuilt, dtype=np.uint8)[:, None])
    assert list(stability.unstable) == [unstable]


def test_a_study_with_three_features_compares_three() -> None:
    shown = np.array([[2, 0, 1]], dtype=np.uint8)
    stability = compare_rebuilds(shown, np.array([[[2, 1, 0]], [[2, 0, 1]]], dtype=np.uint8))
    assert list(stability.top5_overlap) == [1]
    assert not stability.unstable.any()


def test_each_patient_and_target_has_a_row() -> None:
    table = build_patient_stability({"a": overlaps((0.5, 2)), "b": overlaps((1.0, 2))}, pd.Series(["x", "y"], [7, 3]))
    assert table[["subject_id", "target_id", "top5_overlap"]].to_numpy().tolist() == [
        ["x", "a", 0.5],
        ["y", "a", 0.5],
        ["x", "b", 1.0],
        ["y", "b", 1.0],
    ]


def test_without_rebuilds_the_tables_are_there_and_empty() -> None:
    assert build_patient_stability({}, pd.Series(["x"])).columns.tolist() == [
        "subject_id",
        "target_id",
        "top5_overlap",
        "same_first_share",
        "unstable",
    ]
    assert build_stability_distribution({}).columns.tolist() == ["target_id", "bin_low", "bin_high", "n"]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # Each tenth holds its lower end, whatever 3 · 0.1 is in binary; the last holds 1.
        ([(0.3, 20), (0.39, 1), (0.4, 30), (1.0, 12)], [(0.3, 0.4, 21), (0.4, 0.5, 30), (0.9, 1.0, 12)]),
        # A few are joined with the next, the last few with those before; empty tenths tell of nobody.
        ([(0.15, 3), (0.45, 10), (0.85, 40), (0.95, 2)], [(0.1, 0.5, 13), (0.8, 1.0, 42)]),
        ([(0.95, 10)], []),
    ],
)
def test_no_range_of_the_distribution_tells_of_a_few(
    counts: list[tuple[float, int]], expected: list[tuple[float, float, int]]
) -> None:
    table = build_stability_distribution({"t": overlaps(*counts)})
    assert [tuple(row) for row in table[["bin_low", "bin_high", "n"]].itertuples(index=False)] == expected


def test_the_distribution_holds_everybody_and_nobody_twice() -> None:
    rng = np.random.default_rng(6)
    for _ in range(50):
        overlap = rng.choice(np.arange(101) / 100, rng.integers(11, 200))
        table = build_stability_distribution({"t": overlaps(*((float(v), 1) for v in overlap))})
        assert table["n"].sum() == len(overlap)
        assert table["n"].min() >= 11
        assert (table["bin_low"].to_numpy()[1:] >= table["bin_high"].to_numpy()[:-1]).all()
