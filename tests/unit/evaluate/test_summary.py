"""The tables that pages read whole, from a tiny cohort."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.build import check_study
from pipeline.cohort import Cohort
from pipeline.evaluate.performance import collect_scores
from pipeline.evaluate.risk_distribution import build_risk_distributions
from pipeline.evaluate.summary import build_curves, build_quarantine_count, build_target
from pipeline.features import build_matrix
from pipeline.models.boosting import Boosting
from pipeline.models.crossfit import CrossFit, cross_fit
from pipeline.splits import assign_folds
from pipeline.study import Study

Case = tuple[Cohort, dict[str, CrossFit]]


@pytest.fixture(scope="module")
def case(tiny_study: Study, quick: Boosting) -> Case:
    cohort = check_study(tiny_study)
    matrix, folds = build_matrix(tiny_study, cohort.subjects), assign_folds(tiny_study, cohort.targets)
    fits = {
        t.id: cross_fit(tiny_study, t, matrix, cohort.targets[t.id].to_numpy(float), folds, boosting=quick)
        for t in tiny_study.targets
    }
    return cohort, fits


def test_targets_say_what_they_are_and_whom_they_rest_on(tiny_study: Study, case: Case) -> None:
    cohort, fits = case
    table = build_target(tiny_study, fits, cohort).set_index("target_id")
    death, cost = table.loc["death"], table.loc["cost"]
    assert (death["kind"], death["link"], death["interval_kind"]) == ("outcome", "logit", "model_instability")
    assert (cost["kind"], cost["link"], cost["interval_kind"]) == ("cost", "log", "conformal_prediction")
    assert death["n"] == 240
    assert death["n_events"] == cohort.targets["death"].sum()
    assert death["mean"] == pytest.approx(cohort.targets["death"].mean())
    assert cost["n"] == cohort.targets["cost"].notna().sum() < 240
    assert pd.isna(cost["n_events"])
    assert table["position"].tolist() == [0, 1]


def test_outcomes_have_calibration_curves_of_ours_and_of_baselines_and_amounts_have_theirs(
    tiny_study: Study, case: Case
) -> None:
    curves = build_curves(tiny_study, case[1], case[0])
    calibration = curves["calibration_curve"].groupby("model_id")["n"].sum()
    assert calibration.to_dict() == {"xgboost": 240, "nurse": 240}
    assert set(curves["amount_curve"]["target_id"]) == {"cost"}
    assert curves["amount_curve"]["n"].sum() == case[0].targets["cost"].notna().sum()


def test_whoever_says_a_risk_has_a_distribution_of_the_scored(tiny_study: Study, case: Case) -> None:
    cohort, fits = case
    scored = np.arange(240) >= 40
    table = build_risk_distributions(collect_scores(tiny_study, fits, cohort.targets, cohort.baselines), scored=scored)
    counts = table.groupby(["target_id", "model_id"])[["n_event", "n_no_event"]].sum()
    events = int(cohort.targets["death"][scored].sum())
    assert counts.to_dict("index") == {
        ("death", model): {"n_event": events, "n_no_event": 200 - events} for model in ("xgboost", "nurse")
    }


@pytest.mark.parametrize("kept", ["death", "cost"])
def test_a_study_with_one_kind_of_target_has_empty_curves_for_the_other(
    tiny_study: Study, case: Case, kept: str
) -> None:
    curves: dict[str, Any] = build_curves(tiny_study, {kept: case[1][kept]}, case[0])
    assert curves["calibration_curve"].empty == (kept == "cost")
    assert curves["amount_curve"].empty == (kept == "death")


def test_rejected_values_are_counted_by_column_rule_and_action(case: Case) -> None:
    counts = build_quarantine_count(case[0].quarantine)
    assert counts["n"].sum() == len(case[0].quarantine) == 4
    assert counts["n"].tolist() == [1, 1, 1, 1]
    assert counts["column_name"].tolist() == ["age", "lactate", "lactate", "ward"]


def test_a_clean_file_has_no_counts(case: Case) -> None:
    assert build_quarantine_count(case[0].quarantine.head(0)).empty
