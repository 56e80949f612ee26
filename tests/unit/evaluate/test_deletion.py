"""The deletion test: exact for a weighted sum, passed by right explanations, failed by those of somebody else."""

import numpy as np
import pytest

from pipeline.evaluate.deletion import (
    Deletion,
    build_deletion_curve,
    compare_orders,
    order_features,
    replace_features,
)
from pipeline.store.tables.explained import AT_RANDOM, BY_AVERAGE, BY_IMPORTANCE
from tests import oracles

WEIGHTS = np.array([2.0, -1.5, 1.0, -0.5, 0.25, 0.1, 0.0, 0.0])


def predict(matrix: np.ndarray) -> np.ndarray:
    return np.asarray(matrix @ WEIGHTS, dtype=np.float64)


def delete(contributions: np.ndarray, rows: np.ndarray, *, seed: int = 1) -> Deletion:
    """The test of `contributions` to the weighted sum, everybody's values standing in for everybody's."""
    rng = np.random.default_rng(seed)
    background = rows[rng.integers(0, len(rows), (len(rows), 20))]
    orders = order_features(contributions, np.abs(contributions).mean(axis=0), seed=seed)
    return Deletion({t: replace_features(predict, rows, background, order, most=8) for t, order in orders.items()})


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(400, 8)).astype(np.float32)


def test_every_order_holds_every_feature_once(rows: np.ndarray) -> None:
    for order in order_features(rows, WEIGHTS, seed=2).values():
        np.testing.assert_array_equal(np.sort(order, axis=1), np.tile(np.arange(8), (400, 1)))


def test_the_margin_moves_as_far_as_a_weighted_sum_must(rows: np.ndarray) -> None:
    background = rows[np.random.default_rng(3).integers(0, 400, (30, 5))]
    order = np.random.default_rng(4).permuted(np.tile(np.arange(8), (30, 1)), axis=1)
    moved = replace_features(predict, rows[:30], background, order, most=8)
    for i in range(30):
        for k in range(9):
            expected = oracles.distance_moved(
                list(WEIGHTS), list(rows[i]), [list(b) for b in background[i]], list(order[i, :k])
            )
            assert moved[i, k] == pytest.approx(expected, abs=1e-4)


def test_what_does_not_matter_seems_to_move_nothing() -> None:
    rng = np.random.default_rng(9)
    steps = rng.normal(size=(4000, 10))
    # The mean of ten such steps lies 0.25 from 0 by chance alone; half of that is what clipping at 0 leaves.
    assert np.abs(steps.mean(axis=1)).mean() == pytest.approx(0.252, abs=0.01)
    rows = np.zeros((4000, 1), dtype=np.float32)
    background, order = steps[:, :, None].astype(np.float32), np.zeros((4000, 1), dtype=np.int64)
    moved = replace_features(lambda matrix: matrix[:, 0].astype(np.float64), rows, background, order, most=1)
    assert (moved[:, 1] == 0).mean() > 0.5
    assert np.median(moved[:, 1]) == 0


def test_right_explanations_pass(rows: np.ndarray) -> None:
    deletion = delete(rows * WEIGHTS, rows)
    for other in (AT_RANDOM, BY_AVERAGE):
        _, lower, _ = compare_orders(deletion, other, seed=5)
        assert lower > 0


def test_contributions_given_to_other_features_fail(rows: np.ndarray) -> None:
    mixed = np.random.default_rng(6).permuted(rows * WEIGHTS, axis=1)
    _, lower, _ = compare_orders(delete(mixed, rows), AT_RANDOM, seed=5)
    assert lower <= 0


def test_another_patients_explanation_beats_chance_but_not_the_average(rows: np.ndarray) -> None:
    mixed = np.random.default_rng(7).permutation(rows * WEIGHTS)
    deletion = delete(mixed, rows)
    assert compare_orders(deletion, AT_RANDOM, seed=5)[1] > 0
    assert compare_orders(deletion, BY_AVERAGE, seed=5)[1] <= 0


def test_the_curves_start_at_nothing_and_meet_where_everything_is_replaced(rows: np.ndarray) -> None:
    curve = build_deletion_curve(delete(rows * WEIGHTS, rows), target_id="t", seed=8)
    ends = []
    for taken in (BY_IMPORTANCE, BY_AVERAGE, AT_RANDOM):
        own = curve[curve["taken"] == taken]
        moved, lower, upper = (own[name].to_numpy(float) for name in ("moved", "lower", "upper"))
        assert list(own["removed"]) == list(range(9))
        assert moved[0] == 0
        assert (lower[1:] < moved[1:]).all()
        assert (moved[1:] < upper[1:]).all()
        ends.append(moved[8])
    assert ends == pytest.approx([ends[0]] * 3)
