"""Validation where a model has never been, and the spread over other folds."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.build import check_study
from pipeline.cohort import Cohort
from pipeline.evaluate.repeat_spread import build_repeat_spread
from pipeline.evaluate.validation import build_validation
from pipeline.features import Matrix, build_matrix
from pipeline.models.boosting import Boosting
from pipeline.models.crossfit import CrossFit, cross_fit
from pipeline.splits import assign_folds
from pipeline.study import Study, load_study
from tests.conftest import WriteStudy
from tests.synthetic import SECTIONS, build_frame

N = 2400
Case = tuple[Study, Cohort, Matrix, dict[str, CrossFit]]
# Women of the same age and lactate die more often, by this much of a logit.
SHIFT = 1.0


@pytest.fixture(scope="module")
def case(write_study: WriteStudy, quick: Boosting, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A study in which men and women differ in what no feature says, since sex is none."""
    frame = build_frame(N, seed=12)
    rng = np.random.default_rng(13)
    age, lactate = (pd.to_numeric(frame[c], errors="coerce").fillna(50) for c in ("age", "lactate"))
    margin = -4 + 0.04 * age + 0.3 * lactate + SHIFT * (frame["sex"] == "female")
    frame["died"] = (rng.random(N) < 1 / (1 + np.exp(-margin))).astype(int)
    study = load_study(
        write_study(
            tmp_path_factory.mktemp("apart"),
            frame=frame,
            features=_without_sex(),
            headline=["age"],
            validation=[{"attribute": "sex"}, {"attribute": "age_band", "train": ["under 65"]}],
        )
    )
    cohort = check_study(study)
    matrix, folds = build_matrix(study, cohort.subjects), assign_folds(study, cohort.targets)
    fits = {
        t.id: cross_fit(
            study, t, matrix, cohort.targets[t.id].to_numpy(float), folds, boosting=replace(quick, refits=0)
        )
        for t in study.targets
    }
    return study, cohort, matrix, fits


def _without_sex() -> list[dict[str, object]]:
    features = SECTIONS["features"]
    assert isinstance(features, list)
    return [f for f in features if f["id"] != "sex"]


@pytest.fixture(scope="module")
def validated(case: Case, quick: Boosting) -> pd.DataFrame:
    study, cohort, matrix, fits = case
    return build_validation(
        study, fits, matrix, cohort.targets, cohort.subjects, scored=np.ones(len(matrix), dtype=bool), boosting=quick
    )


def _estimate(table: pd.DataFrame, level: str, metric: str) -> dict[str, Any]:
    found = table[(table["target_id"] == "death") & (table["level"] == level) & (table["metric"] == metric)]
    (row,) = found.to_dict("records")
    return {str(name): value for name, value in row.items()}


def test_every_level_is_measured_by_a_model_of_the_others(validated: pd.DataFrame, case: Case) -> None:
    kept_apart = validated[["attribute", "trained_on", "level"]].drop_duplicates().itertuples(index=False, name=None)
    assert sorted(kept_apart) == [
        ("age_band", "under 65", "65 and over"),
        ("sex", "others", "female"),
        ("sex", "others", "male"),
    ]
    women = (case[1].subjects["sex"] == "female").sum()
    assert _estimate(validated, "female", "auroc")["n"] == women
    assert set(validated["judgement"]) == {"judged"}


def test_a_difference_that_no_feature_tells_of_shows_in_the_level_left_out(validated: pd.DataFrame) -> None:
    # By the logit's shift the model of the men expects too few deaths of women, and the other way round.
    women, men = (_estimate(validated, level, "calibration_intercept") for level in ("female", "male"))
    assert women["estimate"] == pytest.approx(SHIFT, abs=0.35)
    assert men["estimate"] == pytest.approx(-SHIFT, abs=0.35)
    assert women["lower"] > 0 > men["upper"]
    assert _estimate(validated, "female", "observed_expected")["lower"] > 1
    assert _estimate(validated, "male", "observed_expected")["upper"] < 1
    # Cost does not know who is a woman.
    cost = validated[(validated["target_id"] == "cost") & (validated["metric"] == "predictive_ratio")]
    assert cost.loc[cost["attribute"] == "sex", "estimate"].between(0.93, 1.07).all()


def test_the_refused_train_and_are_not_measured(case: Case, quick: Boosting, validated: pd.DataFrame) -> None:
    study, cohort, matrix, fits = case
    scored = np.arange(len(matrix)) >= 300
    table = build_validation(study, fits, matrix, cohort.targets, cohort.subjects, scored=scored, boosting=quick)
    women = (cohort.subjects["sex"] == "female").to_numpy()
    assert _estimate(table, "female", "auroc")["n"] == (women & scored).sum()


def test_too_few_to_learn_from_or_to_measure_on_are_named_and_not_counted(case: Case, quick: Boosting) -> None:
    study, cohort, matrix, fits = case
    women = (cohort.subjects["sex"] == "female").to_numpy()
    scored = ~women
    scored[np.flatnonzero(women)[:15]] = True
    table = build_validation(study, fits, matrix, cohort.targets, cohort.subjects, scored=scored, boosting=quick)
    row = _estimate(table, "female", "auroc")
    assert row["judgement"] == "not estimable: fewer than 20 patients with or without the event to measure on"
    assert all(pd.isna(row[name]) for name in ("estimate", "lower", "upper", "n", "n_events"))
    costs = table[(table["target_id"] == "cost") & (table["level"] == "female")]
    assert set(costs["judgement"]) == {"not estimable: fewer than 50 patients to measure on"}


def test_a_quick_build_leaves_both_tables_empty(case: Case, quick: Boosting) -> None:
    study, cohort, matrix, fits = case
    none, scored = replace(quick, refits=0), np.ones(len(matrix), dtype=bool)
    empty = build_validation(study, fits, matrix, cohort.targets, cohort.subjects, scored=scored, boosting=none)
    assert empty.empty
    assert "judgement" in empty
    spread = build_repeat_spread(study, fits, matrix, cohort.targets, scored=scored, boosting=none)
    assert list(spread.columns) == ["target_id", "metric", "n_repeats", "mean", "sd", "low", "high"]
    assert spread.empty


def test_other_folds_move_the_measures_a_little(case: Case, quick: Boosting) -> None:
    study, cohort, matrix, fits = case
    scored = np.ones(len(matrix), dtype=bool)
    spread = build_repeat_spread(study, fits, matrix, cohort.targets, scored=scored, boosting=quick)
    assert list(spread.groupby("target_id", sort=False)["metric"].agg(list)) == [
        ["auroc", "brier", "calibration_slope", "observed_expected"],
        ["r2", "r2_log", "predictive_ratio"],
    ]
    assert (spread["n_repeats"] == 3).all()
    assert (spread["low"] < spread["mean"]).all()
    assert (spread["mean"] < spread["high"]).all()
    mean, sd = (dict(zip(spread["metric"], spread[name], strict=True)) for name in ("mean", "sd"))
    # Patients who are sorted by their outcome would give 1, and by chance 0.5.
    assert 0.6 < mean["auroc"] < 0.9
    assert mean["calibration_slope"] == pytest.approx(1, abs=0.15)
    assert sd["auroc"] < 0.02
