"""The tables of performance: who is counted, what is compared with whom, and what is flagged."""

import math
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy.special import expit
from sklearn import metrics as sklearn_metrics

from pipeline.evaluate.amount_metrics import Predicted
from pipeline.evaluate.performance import (
    build_performance,
    build_subgroup_performance,
    evaluate,
    set_flags,
)
from pipeline.evaluate.scores import Scores, scores_of, scores_of_baseline
from pipeline.models.crossfit import CrossFit
from pipeline.models.intervals import IntervalKind
from pipeline.models.link import link_of
from pipeline.study import Kind, Study
from tests import oracles

Array = npt.NDArray[np.float64]
N = 200


def _fit(study: Study, target_id: str, estimate: Array) -> CrossFit:
    target = study.target(target_id)
    link = link_of(target.kind)
    return CrossFit(
        target=target,
        link=link,
        interval_kind=IntervalKind.CONFORMAL_PREDICTION,
        models=[],
        final=cast(Any, None),
        margin=link.forward(estimate),
        estimate=estimate,
        bounds=np.column_stack([estimate * f for f in (0.5, 2.0, 0.25, 4.0)]),
        log_prediction=np.log(estimate) if target.kind is not Kind.OUTCOME else np.full(N, np.nan),
    )


@pytest.fixture(scope="module")
def case(tiny_study: Study) -> dict[str, Any]:
    rng = np.random.default_rng(5)
    line = rng.normal(-0.5, 1, N)
    cost = rng.lognormal(8, 1, N)
    nurse = expit(line + rng.normal(0, 1, N))
    # Enough that those left out tell of no few.
    nurse[:60] = np.nan
    observed_cost = cost * rng.lognormal(0, 0.5, N)
    observed_cost[5:15] = np.nan
    sex = rng.choice(["male", "female"], N).astype(object)
    sex[:20] = "missing"
    return {
        "fits": {"death": _fit(tiny_study, "death", expit(line)), "cost": _fit(tiny_study, "cost", cost)},
        "targets": pd.DataFrame({"death": (rng.random(N) < expit(line)).astype(float), "cost": observed_cost}),
        "baselines": pd.DataFrame({"nurse": nurse}),
        "subjects": pd.DataFrame({"sex": sex, "age_band": np.where(rng.random(N) < 0.5, "under 65", "65 and over")}),
    }


@pytest.fixture(scope="module")
def performance(tiny_study: Study, case: dict[str, Any]) -> pd.DataFrame:
    return build_performance(tiny_study, case["fits"], case["targets"], case["baselines"])


@pytest.fixture(scope="module")
def subgroups(tiny_study: Study, case: dict[str, Any]) -> pd.DataFrame:
    return build_subgroup_performance(tiny_study, case["fits"], case["targets"], case["subjects"])


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
    assert performance[["estimate", "lower", "upper"]].notna().all().all()
    inside = (performance["lower"] <= performance["estimate"]) & (performance["estimate"] <= performance["upper"])
    # The calibration error of a resample is larger than that of the patients themselves.
    assert inside[performance["metric"] != "ece"].all()


def test_thresholds_are_those_of_the_study_and_have_no_meaning_elsewhere(performance: pd.DataFrame) -> None:
    at = performance[performance["threshold"].notna()]
    assert set(at["threshold"]) == {0.3}
    assert set(at["metric"]) == {"sensitivity", "specificity", "ppv", "npv", "flag_rate", "net_benefit"}
    assert performance.groupby(["target_id", "model_id", "population", "metric"]).size().eq(1).all()


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


def test_each_level_is_measured_on_its_own_patients(case: dict[str, Any], subgroups: pd.DataFrame) -> None:
    events, risks = case["targets"]["death"].to_numpy(), case["fits"]["death"].estimate
    for attribute in ("sex", "age_band"):
        for level in set(case["subjects"][attribute]):
            own = (case["subjects"][attribute] == level).to_numpy()
            row = _row(subgroups, target_id="death", attribute=attribute, level=level, metric="auroc")
            assert row["estimate"] == pytest.approx(oracles.auroc(events[own], risks[own]))
            assert (row["n"], row["n_events"]) == (own.sum(), events[own].sum())


def test_not_recorded_is_a_level_where_somebody_has_it(subgroups: pd.DataFrame) -> None:
    levels = subgroups.groupby("attribute")["level"].unique()
    assert list(levels["sex"]) == ["male", "female", "missing"]
    assert list(levels["age_band"]) == ["under 65", "65 and over"]


def test_the_patients_of_all_levels_are_the_cohort(subgroups: pd.DataFrame) -> None:
    counts = subgroups.query("target_id == 'death' and metric == 'brier'").groupby("attribute")["n"].sum()
    assert counts.to_dict() == {"sex": N, "age_band": N}


def test_a_level_without_observed_cost_is_left_out_without_a_warning(tiny_study: Study, case: dict[str, Any]) -> None:
    targets = case["targets"].copy()
    targets.loc[case["subjects"]["sex"] == "missing", "cost"] = np.nan
    table = build_subgroup_performance(tiny_study, case["fits"], targets, case["subjects"])
    assert "missing" not in set(table.query("target_id == 'cost' and attribute == 'sex'")["level"])
    assert "missing" in set(table.query("target_id == 'death' and attribute == 'sex'")["level"])


def test_a_study_without_subgroups_has_an_empty_table(tiny_study: Study, case: dict[str, Any]) -> None:
    bare = tiny_study.model_copy(update={"subgroups": []})
    assert build_subgroup_performance(bare, case["fits"], case["targets"], case["subjects"]).empty


@pytest.mark.parametrize(
    ("metric", "lower", "upper", "flagged"),
    [
        ("observed_expected", 1.01, 1.2, True),
        ("observed_expected", 0.7, 0.99, True),
        ("observed_expected", 0.9, 1.1, False),
        # Shown as 1.00: a flag beside "1.10 (1.00 to 1.19)" would be read as a mistake.
        ("observed_expected", 1.004, 1.19, False),
        ("observed_expected", 1.0051, 1.19, True),
        ("predictive_ratio", 0.8, 0.996, False),
        ("predictive_ratio", 0.8, 0.994, True),
        ("calibration_slope", 1.2, 1.9, True),
        ("auroc", 0.7, 0.8, False),
        ("calibration_intercept", 0.1, 0.3, False),
        ("observed_expected", math.nan, math.nan, False),
    ],
)
def test_a_flag_is_an_interval_that_excludes_one_as_it_is_displayed(
    metric: str, lower: float, upper: float, flagged: bool
) -> None:
    table = set_flags(pd.DataFrame({"metric": [metric], "lower": [lower], "upper": [upper]}))
    assert table["flag"].tolist() == [flagged]
    assert table["suppressed"].tolist() == [False]


def test_risks_that_are_right_are_flagged_about_as_often_as_chance_says(tiny_study: Study) -> None:
    rng = np.random.default_rng(1)
    flags = []
    for seed in range(150):
        risk = expit(rng.normal(0, 1, 300))
        events = (rng.random(300) < risk).astype(float)
        table = evaluate(Scores(events, risk), thresholds=[], draws=200, seed=seed)
        flags.append(set_flags(table).set_index("metric")["flag"]["observed_expected"])
    # 5 in 100 would be exact; the standard error of 150 is 1.8.
    assert np.mean(flags) < 0.12
