"""How much of all costs those hold whom a model puts first: against a count."""

import numpy as np
import pytest

from pipeline.evaluate.amount_metrics import Predicted
from pipeline.evaluate.concentration import build_concentration, compute_concentration
from pipeline.evaluate.scores import Scores
from pipeline.study import Study


def simulate(n: int, *, seed: int) -> Scores:
    rng = np.random.default_rng(seed)
    said = rng.lognormal(8, 1, n)
    amount = Predicted(said, np.log(said), np.column_stack([said * f for f in (0.5, 2, 0.25, 4)]))
    return Scores(said * rng.lognormal(0, 0.6, n), said, amount=amount)


def test_shares_are_those_of_a_count() -> None:
    scores = simulate(2000, seed=1)
    rows = compute_concentration(scores, seed=1)
    assert [row[0] for row in rows] == [0.01, 0.05, 0.1]
    by_said = [amount for _, amount in sorted(zip(-scores.said, scores.observed, strict=True))]
    by_cost = sorted(scores.observed, reverse=True)
    for share, held, lower, upper, costliest, low, high, n, chosen in rows:
        assert (n, chosen) == (2000, round(2000 * share))
        assert held == pytest.approx(sum(by_said[: int(chosen)]) / sum(by_said))
        assert costliest == pytest.approx(sum(by_cost[: int(chosen)]) / sum(by_cost))
        assert lower < held < upper
        assert low < costliest < high
        assert held < costliest


def test_draws_are_those_of_patients_one_by_one() -> None:
    scores, rng = simulate(300, seed=2), np.random.default_rng(5)
    by_patient = []
    for _ in range(1500):
        drawn = rng.integers(300, size=300)
        first = drawn[np.argsort(-scores.said[drawn], kind="stable")][:30]
        by_patient.append(scores.observed[first].sum() / scores.observed[drawn].sum())
    tenth = next(row for row in compute_concentration(scores, seed=1) if row[0] == 0.1)
    expected = np.quantile(by_patient, [0.025, 0.975])
    assert (tenth[2], tenth[3]) == pytest.approx(tuple(expected), abs=0.25 * np.std(by_patient))


def test_a_share_of_fewer_than_eleven_patients_is_left_out() -> None:
    assert [row[0] for row in compute_concentration(simulate(300, seed=3), seed=1)] == [0.05, 0.1]
    assert compute_concentration(simulate(50, seed=3), seed=1) == []


def test_an_amount_of_nothing_is_held_by_nobody(tiny_study: Study) -> None:
    scores = simulate(500, seed=4)
    nothing = Scores(np.zeros(500), scores.said, amount=scores.amount)
    assert compute_concentration(nothing, seed=1) == []
    table = build_concentration(tiny_study, {"cost": {"xgboost": scores, "other": scores}})
    assert set(table["model_id"]) == {"xgboost", "other"}
    assert build_concentration(tiny_study, {"cost": {"xgboost": nothing}}).empty
