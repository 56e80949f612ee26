"""Draws of binned patients against draws of the patients themselves."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit

from pipeline.evaluate.outcome_metrics import AT_THRESHOLD, OVERALL
from pipeline.evaluate.resampling import draw_counts, draw_medians, draw_weights, summarise_draws
from pipeline.evaluate.risk_bins import bin_risks
from pipeline.evaluate.sampling import keys_of, sample_measures
from pipeline.evaluate.scores import Scores

Array = npt.NDArray[np.float64]
DRAWS = 2000


def simulate(n: int, *, seed: int, intercept: float = -1.0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    line = rng.normal(intercept, 1.2, n)
    return (rng.random(n) < expit(0.2 + 0.9 * line)).astype(np.float64), expit(line)


@pytest.mark.parametrize(
    ("n", "intercept", "threshold"), [(80, -1.0, 0.3), (600, -1.0, 0.3), (5000, -1.0, 0.3), (5000, -4.0, 0.05)]
)
def test_intervals_are_those_of_drawing_the_patients_themselves(n: int, intercept: float, threshold: float) -> None:
    events, risks = simulate(n, seed=n, intercept=intercept)
    scores = Scores(events, risks)
    found = {s.key: s.drawn for s in sample_measures(scores, keys_of(scores, [threshold]), draws=DRAWS, seed=1)}
    naive = draw_weights(n, draws=DRAWS, seed=2)
    for name in (*OVERALL, *AT_THRESHOLD):
        at = {"threshold": threshold} if name in AT_THRESHOLD else {}
        metric = {**OVERALL, **AT_THRESHOLD}[name]
        expected = np.concatenate([metric(events, risks, part, **at) for part in np.array_split(naive, 40)])
        own = found[name, at.get("threshold")]
        assert own[0] == pytest.approx(expected[0], rel=1e-9), name
        if name == "ece":
            assert np.isnan(own[1:]).all()
            continue
        drawn, by_patient = (values[1:][np.isfinite(values[1:])] for values in (own, expected))
        # Quantiles, since ratios have heavy tails. At 2.5%, the standard error of one of 2,000 draws is 0.06 standard
        # deviations; two differ by √2 of it, and four of these are allowed.
        low, middle, high = np.quantile(by_patient, [0.025, 0.5, 0.975])
        allowed = 0.35 * (high - low) / 3.92 + 1e-12
        assert np.quantile(drawn, [0.025, 0.5, 0.975]) == pytest.approx([low, middle, high], abs=allowed), name


def test_an_interval_covers_the_truth_as_often_as_one_of_patients() -> None:
    true = simulate(400_000, seed=99)
    truth = OVERALL["auroc"](*true, np.ones((1, 400_000)))[0]
    covered = []
    for seed in range(150):
        scores = Scores(*simulate(500, seed=seed))
        [sample] = sample_measures(scores, [("auroc", None)], draws=400, seed=seed)
        _, lower, upper = summarise_draws(sample.drawn)
        covered.append(lower <= truth <= upper)
    # The standard error of 95 in 100 over 150 samples is 1.8.
    assert np.mean(covered) > 0.89


def test_a_bootstrap_interval_would_not_hold_a_calibration_error() -> None:
    line = np.random.default_rng(0).normal(-0.5, 1.2, 400_000)
    truth = _calibration_error(expit(0.8 * line), expit(line))
    held = 0
    for seed in range(40):
        line = np.random.default_rng(seed).normal(-0.5, 1.2, 300)
        events = (np.random.default_rng(seed + 1000).random(300) < expit(0.8 * line)).astype(np.float64)
        drawn = OVERALL["ece"](events, expit(line), draw_weights(300, draws=200, seed=seed))
        _, lower, upper = summarise_draws(drawn)
        held += lower <= truth <= upper
    assert held <= 2


def _calibration_error(true_risks: npt.NDArray[np.float64], risks: npt.NDArray[np.float64]) -> float:
    return float(OVERALL["ece"](true_risks, risks, np.ones((1, len(risks))))[0])


def test_few_risks_stay_as_they_are_and_many_are_put_together() -> None:
    events, risks = simulate(5000, seed=1)
    few = bin_risks(events, np.round(risks, 1), split_at=np.array([0.25]))
    assert few.exact
    np.testing.assert_array_equal(few.risks, np.unique(np.round(risks, 1)))
    many = bin_risks(events, risks, split_at=np.array([0.25]))
    assert not many.exact
    assert 50 < len(many.risks) < 150
    assert (np.diff(many.risks) > 0).all()
    for bins in (few, many):
        happened, _ = bins.kinds
        assert (bins.counts.sum(), bins.counts @ happened) == (5000, events.sum())
    assert many.counts @ many.kinds[1] == pytest.approx(risks.sum())


@pytest.mark.parametrize("split", [0.1, 0.3, 0.7])
def test_a_bin_is_on_one_side_of_a_threshold_and_a_risk_at_it_is_above(split: float) -> None:
    events, risks = simulate(3000, seed=2)
    risks[:400] = split
    bins = bin_risks(events, risks, split_at=np.array([split]))
    kinds = bins.kinds[1] >= split
    assert bins.counts @ kinds == (risks >= split).sum()


def test_one_class_only_can_be_binned() -> None:
    risks = np.random.default_rng(1).random(1000)
    for value in (0.0, 1.0):
        bins = bin_risks(np.full(1000, value), risks, split_at=np.array([]))
        assert bins.counts.sum() == 1000
        assert bins.counts @ bins.kinds[0] == 1000 * value


@pytest.mark.parametrize("counts", [[3, 0, 40, 7], [4000, 0, 900, 100]])
def test_kinds_are_drawn_as_often_as_their_patients(counts: list[int]) -> None:
    counted, n = np.array(counts), sum(counts)
    draws = draw_counts(counted, draws=20_000, seed=1)
    np.testing.assert_array_equal(draws[0], counted)
    assert (draws.sum(axis=1) == n).all()
    np.testing.assert_allclose(draws[1:].mean(axis=0), counted, atol=0.03 * np.sqrt(n))
    np.testing.assert_allclose(draws[1:].var(axis=0), counted * (1 - counted / n), rtol=0.06, atol=1e-9)


@pytest.mark.parametrize("n", [1, 2, 11, 200])
def test_medians_are_those_of_drawn_patients(n: int) -> None:
    rng = np.random.default_rng(n)
    values = rng.exponential(size=n)
    found = draw_medians(values, draws=20_000, seed=1)
    expected = np.sort(rng.choice(values, (20_000, n)), axis=1)[:, (n + 1) // 2 - 1]
    assert found[0] == np.sort(values)[(n + 1) // 2 - 1]
    assert set(found) <= set(values)
    for quantile in (0.05, 0.25, 0.75, 0.95):
        assert np.mean(found[1:] <= np.quantile(expected, quantile)) == pytest.approx(
            np.mean(expected <= np.quantile(expected, quantile)), abs=0.02
        )
