"""Measures of risks: against loops, against scikit-learn, and where they have no meaning."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit
from sklearn import metrics as sklearn_metrics

from pipeline.evaluate import outcome_metrics
from pipeline.evaluate.outcome_metrics import AT_THRESHOLD, OVERALL, RANKING
from pipeline.store.tables import METRICS
from tests import oracles

Array = npt.NDArray[np.float64]


def _one(metric: Callable[..., Array], events: object, risks: object, **threshold: float) -> float:
    """The metric of patients that each count once."""
    y, p = np.asarray(events, dtype=np.float64), np.asarray(risks, dtype=np.float64)
    return float(metric(y, p, np.ones((1, len(y))), **threshold)[0])


def _simulate(n: int, *, seed: int, intercept: float = 0.3, slope: float = 0.8) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    line = rng.normal(-1.0, 1.0, n)
    return (rng.random(n) < expit(intercept + slope * line)).astype(np.float64), expit(line)


# Ten patients, with ties across and within classes.
EVENTS = [0, 0, 1, 0, 1, 1, 0, 1, 0, 1]
TIED = [0.1, 0.2, 0.2, 0.3, 0.3, 0.3, 0.6, 0.6, 0.6, 0.9]


def test_auroc_and_average_precision_of_ten_patients_with_ties() -> None:
    # Of 25 pairs, 13 are right and 5 are ties: counted by hand.
    assert _one(outcome_metrics.auroc, EVENTS, TIED) == pytest.approx((13 + 5 / 2) / 25)
    # At 0.9: 1 of 1; at 0.6: 2 of 4; at 0.3: 4 of 7, twice; at 0.2: 5 of 9.
    assert _one(outcome_metrics.auprc, EVENTS, TIED) == pytest.approx((1 + 2 / 4 + 4 / 7 + 4 / 7 + 5 / 9) / 5)


@pytest.mark.parametrize("decimals", [1, 2, 12])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ranking_agrees_with_loops_and_with_scikit_learn(seed: int, decimals: int) -> None:
    events, risks = _simulate(150, seed=seed)
    risks = np.round(risks, decimals)
    auroc, auprc = _one(outcome_metrics.auroc, events, risks), _one(outcome_metrics.auprc, events, risks)
    assert auroc == pytest.approx(oracles.auroc(events, risks))
    assert auroc == pytest.approx(sklearn_metrics.roc_auc_score(events, risks))
    assert auprc == pytest.approx(oracles.average_precision(events, risks))
    assert auprc == pytest.approx(sklearn_metrics.average_precision_score(events, risks))


def test_ranking_looks_at_order_only() -> None:
    events, risks = _simulate(200, seed=4)
    score = 100 * risks**3 - 7
    for metric in RANKING.values():
        assert _one(metric, events, score) == pytest.approx(_one(metric, events, risks))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_distances_and_totals_agree_with_loops_and_with_scikit_learn(seed: int) -> None:
    events, risks = _simulate(130, seed=seed)
    brier = _one(outcome_metrics.brier, events, risks)
    assert brier == pytest.approx(oracles.brier(events, risks))
    assert brier == pytest.approx(sklearn_metrics.brier_score_loss(events, risks))
    assert _one(outcome_metrics.ece, events, risks) == pytest.approx(oracles.ece(events, risks))
    assert _one(outcome_metrics.observed_expected, events, risks) == pytest.approx(
        oracles.observed_expected(events, risks)
    )
    assert _one(outcome_metrics.event_rate, events, risks) == pytest.approx(events.mean())
    assert _one(outcome_metrics.mean_risk, events, risks) == pytest.approx(risks.mean())


@pytest.mark.parametrize(
    ("intercept", "slope"),
    [(0.0, 1.0), (0.3, 0.8), (-1.0, 1.5), (1.0, 0.2), (2.0, 0.5), (3.0, 1.0), (4.0, 1.0), (-3.0, 1.0), (0.0, -0.5)],
)
@pytest.mark.parametrize("n", [150, 1000])
def test_calibration_agrees_with_a_general_optimiser_however_wrong_the_risks_are(
    n: int, intercept: float, slope: float
) -> None:
    events, risks = _simulate(n, seed=n, intercept=intercept, slope=slope)
    # Nothing is clipped here: no risk is nearer to certainty than 0.005.
    assert 0.005 < risks.min() < risks.max() < 0.995
    assert _one(outcome_metrics.calibration_slope, events, risks) == pytest.approx(
        oracles.calibration_line(events, risks)[1], abs=1e-4
    )
    assert _one(outcome_metrics.calibration_intercept, events, risks) == pytest.approx(
        oracles.calibration_in_the_large(events, risks), abs=1e-6
    )


def test_calibration_of_perfect_risks_is_an_intercept_of_zero_and_a_slope_of_one() -> None:
    # In each group the event rate is the risk.
    risks = np.repeat([0.1, 0.2, 0.5, 0.8], 10)
    events = np.concatenate([[1] * k + [0] * (10 - k) for k in (1, 2, 5, 8)])
    assert _one(outcome_metrics.calibration_intercept, events, risks) == pytest.approx(0, abs=1e-9)
    assert _one(outcome_metrics.calibration_slope, events, risks) == pytest.approx(1, abs=1e-9)
    assert _one(outcome_metrics.observed_expected, events, risks) == pytest.approx(1)


def test_the_same_risk_for_everybody_has_an_intercept_and_no_slope() -> None:
    events, risks = [1, 0, 1, 1], np.full(4, 0.5)
    assert _one(outcome_metrics.calibration_intercept, events, risks) == pytest.approx(math.log(3))
    assert math.isnan(_one(outcome_metrics.calibration_slope, events, risks))
    assert _one(outcome_metrics.auroc, events, risks) == 0.5
    assert _one(outcome_metrics.auprc, events, risks) == 0.75
    assert _one(outcome_metrics.ece, events, risks) == 0.25


def test_a_very_low_risk_for_everybody_has_the_intercept_that_mends_it() -> None:
    events, risks = [1, 0, 1, 0], np.full(4, 0.01)
    assert _one(outcome_metrics.calibration_intercept, events, risks) == pytest.approx(math.log(99))


@pytest.mark.parametrize("low", [0.01, 0.1, 0.45])
def test_risks_that_separate_the_events_have_no_slope(low: float) -> None:
    risks = np.tile([low, low + 0.01, 0.99 - low, 1 - low], 10)
    events = np.tile([0, 0, 1, 1], 10)
    assert math.isnan(_one(outcome_metrics.calibration_slope, events, risks))


def test_a_risk_of_zero_or_one_counts_as_near_to_certain() -> None:
    events = np.array([0, 1, 0, 1, 1, 0])
    stated = np.array([0.0, 1.0, 0.3, 0.6, 0.2, 0.9])
    nearest = np.clip(stated, 0.005, 0.995)
    for metric in (outcome_metrics.calibration_slope, outcome_metrics.calibration_intercept):
        assert _one(metric, events, stated) == pytest.approx(_one(metric, events, nearest))


def test_a_table_of_two_by_two_gives_the_measures_at_a_threshold() -> None:
    # At 0.5, which counts as flagged: 3 true and 2 false positives, 1 false and 4 true negatives.
    events = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    risks = [0.9, 0.7, 0.5, 0.8, 0.5, 0.4, 0.1, 0.2, 0.3, 0.49]
    found = {name: _one(metric, events, risks, threshold=0.5) for name, metric in AT_THRESHOLD.items()}
    expected = {
        "sensitivity": 3 / 4,
        "specificity": 4 / 6,
        "ppv": 3 / 5,
        "number_needed_to_evaluate": 5 / 3,
        "npv": 4 / 5,
        "flag_rate": 5 / 10,
        "net_benefit": (3 - 2) / 10,
    }
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("threshold", [0.1, 0.25, 0.5, 0.8])
def test_net_benefit_agrees_with_a_count_and_treating_everybody_with_its_formula(threshold: float) -> None:
    events, risks = _simulate(100, seed=6)
    found = _one(outcome_metrics.net_benefit, events, risks, threshold=threshold)
    assert found == pytest.approx(oracles.net_benefit(events, risks, threshold))
    everybody = _one(outcome_metrics.net_benefit, events, np.ones(100), threshold=threshold)
    prevalence = events.mean()
    assert everybody == pytest.approx(prevalence - (1 - prevalence) * threshold / (1 - threshold))


@pytest.mark.parametrize(
    ("events", "undefined"),
    [
        (
            [1.0],
            {"auroc", "calibration_intercept", "calibration_slope", "specificity", "ppv", "number_needed_to_evaluate"},
        ),
        (
            [0.0],
            {
                "auroc",
                "auprc",
                "calibration_intercept",
                "calibration_slope",
                "sensitivity",
                "ppv",
                "number_needed_to_evaluate",
            },
        ),
        (
            [1.0, 1.0, 1.0],
            {"auroc", "calibration_intercept", "calibration_slope", "specificity", "ppv", "number_needed_to_evaluate"},
        ),
        (
            [0.0, 0.0, 0.0],
            {
                "auroc",
                "auprc",
                "calibration_intercept",
                "calibration_slope",
                "sensitivity",
                "ppv",
                "number_needed_to_evaluate",
            },
        ),
    ],
)
def test_one_patient_or_one_class_gives_nan_where_a_measure_has_no_meaning_and_no_warning(
    events: list[float], undefined: set[str]
) -> None:
    risks = [0.1, 0.2, 0.3][: len(events)]
    found = {name: _one(metric, events, risks) for name, metric in OVERALL.items()}
    found |= {name: _one(metric, events, risks, threshold=0.5) for name, metric in AT_THRESHOLD.items()}
    assert {name for name, value in found.items() if math.isnan(value)} == undefined


def test_risks_of_zero_for_everybody_expect_nothing() -> None:
    assert math.isnan(_one(outcome_metrics.observed_expected, [1, 0], [0, 0]))


# All but the calibration error, whose ten groups are those of the patients as they are: see the test after this one.
@pytest.mark.parametrize("name", [name for name in (*OVERALL, *AT_THRESHOLD) if name != "ece"])
def test_a_weight_counts_as_so_many_copies_of_the_patient(name: str) -> None:
    rng = np.random.default_rng(8)
    events, risks = _simulate(60, seed=9)
    risks = np.round(risks, 2)
    draws = rng.multinomial(60, np.full(60, 1 / 60), size=20)
    more = {} if name in OVERALL else {"threshold": 0.35}
    metric = {**OVERALL, **AT_THRESHOLD}[name]
    found = metric(events, risks, draws.astype(np.float64), **more)
    copies = [_one(metric, np.repeat(events, draw), np.repeat(risks, draw), **more) for draw in draws]
    np.testing.assert_allclose(found, copies, rtol=1e-7, atol=1e-9)


def test_the_calibration_error_of_drawn_patients_keeps_the_groups_of_all() -> None:
    events, risks = _simulate(60, seed=9)
    draw = np.random.default_rng(1).multinomial(60, np.full(60, 1 / 60))
    rank = np.argsort(np.argsort(risks))
    gaps = [abs(sum(draw[i] * (events[i] - risks[i]) for i in range(60) if rank[i] // 6 == g)) for g in range(10)]
    found = outcome_metrics.ece(events, risks, draw[None].astype(np.float64))[0]
    assert found == pytest.approx(sum(gaps) / 60)


def test_every_measure_is_documented() -> None:
    assert {*OVERALL, *AT_THRESHOLD} <= set(METRICS)
