"""The tables of performance: who is counted, what is compared with whom, and what is flagged."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from sklearn import metrics as sklearn_metrics

from pipeline.evaluate.amount_metrics import Predicted
from pipeline.evaluate.outcome_metrics import AT_THRESHOLD
from pipeline.evaluate.performance import AllScores, build_performance, collect_scores, evaluate
from pipeline.evaluate.scores import Scores, scores_of, scores_of_baseline
from pipeline.study import Study
from tests import oracles
from tests.fitted_case import N, write_case

Array = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def case(tiny_study: Study) -> dict[str, Any]:
    return write_case(tiny_study)


@pytest.fixture(scope="module")
def scores(tiny_study: Study, case: dict[str, Any]) -> AllScores:
    return collect_scores(tiny_study, case["fits"], case["targets"], case["baselines"])


@pytest.fixture(scope="module")
def performance(tiny_study: Study, scores: AllScores) -> pd.DataFrame:
    return build_performance(tiny_study, scores)


def _row(table: pd.DataFrame, **where: object) -> pd.Series:
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_models_are_compared_on_the_patients_whom_every_baseline_could_score(
    case: dict[str, Any], performance: pd.DataFrame
) -> None:
    both = case["baselines"]["nurse"].notna().to_numpy()
    events, ours = case["targets"]["death"].to_numpy(), case["fits"]["death"].estimate
    for model, risks in (("xgboost", ours), ("nurse", case["baselines"]["nurse"].to_numpy())):
        row = _row(performance, target_id="death", model_id=model, population="all_baselines", metric="auroc")
        assert row["estimate"] == pytest.approx(sklearn_metrics.roc_auc_score(events[both], risks[both]))
        assert (row["n"], row["n_events"]) == (both.sum(), events[both].sum())
    row = _row(performance, target_id="death", model_id="xgboost", population="all", metric="auroc")
    assert row["estimate"] == pytest.approx(sklearn_metrics.roc_auc_score(events, ours))
    assert row["n"] == N


def test_a_target_without_baselines_has_one_population(performance: pd.DataFrame) -> None:
    assert set(performance.query("target_id == 'cost'")["population"]) == {"all"}
    assert set(performance.query("target_id == 'death'")["population"]) == {"all", "all_baselines"}


def test_patients_whose_cost_was_not_observed_are_left_out_and_not_counted(
    case: dict[str, Any], performance: pd.DataFrame
) -> None:
    seen = case["targets"]["cost"].notna().to_numpy()
    observed, estimate = case["targets"]["cost"].to_numpy()[seen], case["fits"]["cost"].estimate[seen]
    row = _row(performance, target_id="cost", metric="r2")
    assert row["estimate"] == pytest.approx(oracles.r2(observed, estimate))
    assert row["n"] == seen.sum() == N - 10
    assert pd.isna(row["n_events"])
    ratio = _row(performance, target_id="cost", metric="predictive_ratio")
    assert ratio["estimate"] == pytest.approx(estimate.sum() / observed.sum())


def test_every_measure_has_an_interval_around_it(performance: pd.DataFrame) -> None:
    # The calibration error of a resample is larger than that of the patients themselves: it has none.
    error = performance["metric"] == "ece"
    assert performance.loc[error, "estimate"].notna().all()
    assert performance.loc[error, ["lower", "upper"]].isna().all(axis=None)
    others = performance[~error]
    assert others[["estimate", "lower", "upper"]].notna().all(axis=None)
    assert ((others["lower"] <= others["estimate"]) & (others["estimate"] <= others["upper"])).all()


def test_thresholds_are_those_of_the_study_and_have_no_meaning_elsewhere(performance: pd.DataFrame) -> None:
    at = performance[performance["threshold"].notna()]
    assert set(at["threshold"]) == {0.3}
    assert set(at["metric"]) == set(AT_THRESHOLD)
    assert performance.groupby(["target_id", "model_id", "population", "metric"]).size().eq(1).all()


def test_refused_patients_are_their_own_population_and_stay_among_those_compared(
    tiny_study: Study, scores: AllScores, case: dict[str, Any]
) -> None:
    scored = np.arange(N) >= 50
    table = build_performance(tiny_study, scores, scored=scored)
    events, ours = case["targets"]["death"].to_numpy(), case["fits"]["death"].estimate
    refused = _row(table, target_id="death", population="refused", metric="auroc")
    assert refused["model_id"] == "xgboost"
    assert refused["estimate"] == pytest.approx(sklearn_metrics.roc_auc_score(events[:50], ours[:50]))
    own = _row(table, target_id="death", model_id="xgboost", population="all", metric="auroc")
    assert own["estimate"] == pytest.approx(sklearn_metrics.roc_auc_score(events[50:], ours[50:]))
    # The first 60 have no nurse's risk: of those compared nobody is refused, so everything is as it was.
    unmasked = build_performance(tiny_study, scores)
    whole, part = (t[t["population"] == "all_baselines"].reset_index(drop=True) for t in (unmasked, table))
    pd.testing.assert_frame_equal(whole, part)
    assert "refused" not in set(unmasked["population"])


def test_refused_patients_stay_among_those_compared(tiny_study: Study, scores: AllScores) -> None:
    table = build_performance(tiny_study, scores, scored=np.arange(N) < 150)
    assert set(table.query("population == 'all_baselines'")["n"]) == {N - 60}


@pytest.mark.parametrize("refused", [0, 10])
def test_a_few_refused_patients_are_nobody_to_measure(tiny_study: Study, scores: AllScores, refused: int) -> None:
    table = build_performance(tiny_study, scores, scored=np.arange(N) >= refused)
    assert "refused" not in set(table["population"])


def test_further_models_are_measured_beside_the_declared_ones(tiny_study: Study, scores: AllScores) -> None:
    rival = Scores(scores["death"]["xgboost"].observed, np.full(N, 0.4))
    table = build_performance(tiny_study, {**scores, "death": {**scores["death"], "age_sex_diagnosis": rival}})
    found = table[table["model_id"] == "age_sex_diagnosis"]
    assert set(found["population"]) == {"all", "all_baselines"}
    # One risk for everybody has no slope.
    assert found.loc[found["metric"] == "calibration_slope", "estimate"].isna().all()


def test_widths_and_coverage_of_risks_are_there_where_they_were_measured(tiny_study: Study) -> None:
    rng = np.random.default_rng(2)
    risks = rng.uniform(0.1, 0.9, N)
    bounds = np.column_stack([risks - 0.02, risks + 0.03, risks - 0.04, risks + 0.06 * rng.random(N)])
    inside = rng.integers(0, 11, (N, 2)) / 10
    observed = (rng.random(N) < risks).astype(float)
    table = evaluate(Scores(observed, risks, bounds=bounds, rebuilds_inside=inside), thresholds=[], draws=400, seed=1)
    found = table.set_index("metric")
    assert found["estimate"]["interval_width_80"] == pytest.approx(0.05)
    width = np.sort(bounds[:, 3] - bounds[:, 2])[N // 2 - 1]
    assert found["estimate"]["interval_width_90"] == pytest.approx(width)
    assert found["lower"]["interval_width_90"] <= width <= found["upper"]["interval_width_90"]
    assert found["estimate"]["interval_coverage_80"] == pytest.approx(inside[:, 0].mean())
    half = 1.96 * inside[:, 0].std() / np.sqrt(N)
    assert found["upper"]["interval_coverage_80"] - inside[:, 0].mean() == pytest.approx(half, rel=0.25)
    without = evaluate(Scores(observed, risks, bounds=np.full((N, 4), np.nan)), thresholds=[], draws=100, seed=1)
    assert not without["metric"].str.startswith("interval").any()


def test_the_width_of_amounts_is_a_ratio(performance: pd.DataFrame) -> None:
    for level, expected in ((80, 4.0), (90, 16.0)):
        row = _row(performance, target_id="cost", metric=f"interval_width_{level}")
        assert (row["estimate"], row["lower"], row["upper"]) == pytest.approx((expected,) * 3)


def test_a_score_is_only_ranked() -> None:
    events, score = np.array([0.0, 1, 0, 1, 1, 0]), np.array([10.0, 90, 30, 20, 80, 40])
    table = evaluate(Scores(events, score, only_ranks=True), thresholds=[0.5], draws=100, seed=1)
    assert set(table["metric"]) == {"auroc", "auprc"}
    assert table.set_index("metric")["estimate"]["auroc"] == pytest.approx(oracles.auroc(list(events), list(score)))


def test_a_baseline_says_a_risk_or_a_score(tiny_study: Study) -> None:
    values, observed = np.array([0.1]), np.array([1.0])
    risk = tiny_study.baselines[0]
    score = risk.model_copy(update={"risk": None, "score": "aps"})
    assert not scores_of_baseline(risk, values, observed).only_ranks
    assert scores_of_baseline(score, values, observed).only_ranks


def test_nobody_left_gives_an_empty_table() -> None:
    table = evaluate(Scores(np.array([np.nan]), np.array([0.4])), thresholds=[0.5], draws=100, seed=1)
    assert table.empty
    assert list(table) == ["metric", "threshold", "estimate", "lower", "upper", "n", "n_events"]


def test_choosing_patients_keeps_score_outcome_and_bounds_together(tiny_study: Study, case: dict[str, Any]) -> None:
    observed = case["targets"]["cost"].to_numpy()
    chosen = np.arange(N) % 7 == 0
    part = scores_of(case["fits"]["cost"], observed)[chosen]
    assert isinstance(part.amount, Predicted)
    np.testing.assert_array_equal(part.observed, observed[chosen])
    np.testing.assert_array_equal(part.said, part.amount.estimate)
    np.testing.assert_array_equal(part.amount.bounds[:, 0], part.said * 0.5)
