"""Who is scored and who is refused, rule by rule; and that no outcome has a say in it."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from pipeline.build import check_study
from pipeline.cohort import Cohort
from pipeline.features import Matrix, build_matrix
from pipeline.scope import (
    CATEGORY,
    GAPS,
    IN_ALL,
    RANGE,
    UNLIKE,
    build_scope_rule,
    join_reasons,
    judge_rules,
    judge_scope,
)
from pipeline.splits import Folds, assign_folds
from pipeline.study import Study, load_study
from tests.conftest import WriteStudy
from tests.synthetic import ROW_AGE_130, ROW_LACTATE_TEXT, ROW_LACTATE_ZERO, ROW_WARD_GARDEN, build_frame

SCOPE = {"most_missing": 2, "distance_quantile": 0.99}


def _judge(study: Study) -> pd.DataFrame:
    cohort = check_study(study)
    return judge_rules(study, cohort, build_matrix(study, cohort.subjects), assign_folds(study, cohort.targets))


def _study(write_study: WriteStudy, folder: Path, frame: pd.DataFrame | None = None, **sections: Any) -> Study:
    return load_study(write_study(folder, frame=frame, **sections))


def _clean_frame(n: int = 240) -> pd.DataFrame:
    """A source without a value that breaks a rule."""
    frame = build_frame(n)
    for row in (ROW_LACTATE_ZERO, ROW_LACTATE_TEXT, ROW_AGE_130, ROW_WARD_GARDEN):
        frame.loc[row - 1, "age"] = 50.0
        frame.loc[row - 1, "lactate"] = 2.0
        frame.loc[row - 1, "ward"] = "medical"
    return frame


def test_a_value_that_is_no_declared_level_keeps_the_patient_from_being_scored(tiny_study: Study) -> None:
    said = _judge(tiny_study)[CATEGORY]
    assert list(np.flatnonzero(said.notna())) == [ROW_WARD_GARDEN - 1]
    assert said[ROW_WARD_GARDEN - 1] == (
        "ward is recorded as “garden”, which no patient of training had; "
        "correct the entry, or declare it as a level and rebuild."
    )


def test_an_unknown_level_of_what_is_an_attribute_too_is_refused(write_study: WriteStudy, tmp_path: Path) -> None:
    frame = _clean_frame()
    frame.loc[20, "sex"] = "unknown"
    said = _judge(_study(write_study, tmp_path, frame))[CATEGORY]
    assert list(np.flatnonzero(said.notna())) == [20]
    assert "sex is recorded as “unknown”" in said[20]


def test_two_unknown_levels_of_a_patient_are_both_named_and_long_entries_cut(
    write_study: WriteStudy, tmp_path: Path
) -> None:
    frame = _clean_frame()
    frame.loc[3, "sex"] = "x"
    frame.loc[3, "ward"] = "y" * 500
    said = str(_judge(_study(write_study, tmp_path, frame))[CATEGORY][3])
    assert "sex is recorded as “x”" in said
    assert f"“{'y' * 30}”" in said


def test_an_empty_category_is_missing_and_not_unknown(write_study: WriteStudy, tmp_path: Path) -> None:
    frame = _clean_frame()
    frame.loc[3, "ward"] = None
    assert _judge(_study(write_study, tmp_path, frame))[CATEGORY].isna().all()


def test_a_value_outside_the_plausible_range_is_named_with_its_limits(tiny_study: Study) -> None:
    said = _judge(tiny_study)[RANGE]
    assert list(np.flatnonzero(said.notna())) == [ROW_AGE_130 - 1]
    assert said[ROW_AGE_130 - 1] == "age 130 years is outside what can be (18 to 110); check the value."


@pytest.mark.parametrize(
    ("lactate", "shown"),
    [
        ("0.1", None),
        ("20", None),
        ("0.0999", "lactate 0.0999 mmol/L is outside what can be (0.1 to 20)"),
        ("20.004", "lactate 20.004 mmol/L is outside"),
        ("-3", "lactate -3 mmol/L is outside"),
        # A code for missing is a gap.
        ("0", None),
        ("high", None),
        ("", None),
    ],
)
def test_the_ends_of_the_range_belong_to_it_and_a_value_just_outside_is_shown_as_such(
    write_study: WriteStudy, tmp_path: Path, lactate: str, shown: str | None
) -> None:
    frame = _clean_frame()
    frame.loc[30, "lactate"] = lactate
    said = _judge(_study(write_study, tmp_path, frame))[RANGE]
    assert list(np.flatnonzero(said.notna())) == ([30] if shown else [])
    if shown:
        assert shown in said[30]


@pytest.mark.parametrize(("most", "refused"), [(0, [1, 2, 3]), (1, [2, 3]), (2, [3]), (3, []), (4, [])])
def test_a_patient_with_more_features_missing_than_the_study_allows_is_refused(
    write_study: WriteStudy, tmp_path: Path, most: int, refused: list[int]
) -> None:
    frame = _clean_frame()
    frame.loc[1, ["ward"]] = None
    frame.loc[2, ["lactate", "ward"]] = None
    frame.loc[3, ["sex", "lactate", "ward"]] = None
    study = _study(write_study, tmp_path, frame, scope={"most_missing": most})
    said = _judge(study)[GAPS]
    assert list(np.flatnonzero(said.notna())) == refused


def test_a_refusal_for_gaps_says_how_many_are_needed_and_which(write_study: WriteStudy, tmp_path: Path) -> None:
    frame = _clean_frame()
    frame.loc[3, ["sex", "lactate", "ward"]] = None
    said = _judge(_study(write_study, tmp_path, frame, scope={"most_missing": 1}))[GAPS]
    assert said[3] == (
        "3 of 4 features are missing (at most 1). With 2 more of them recorded it could be: sex, lactate or ward."
    )


def test_reasons_are_joined_and_who_has_none_is_scored(write_study: WriteStudy, tmp_path: Path) -> None:
    frame = _clean_frame()
    frame.loc[3, "age"] = 120
    frame.loc[3, "ward"] = "garden"
    study = _study(write_study, tmp_path, frame)
    judged = _judge(study)
    reasons = join_reasons(judged)
    assert list(np.flatnonzero(reasons.notna())) == [3]
    assert reasons[3] == f"Not scored: {judged[CATEGORY][3]} Also: {judged[RANGE][3]}"


def test_a_study_without_a_scope_has_the_rules_that_its_features_declare(tiny_study: Study) -> None:
    judged = _judge(tiny_study)
    assert list(judged) == [CATEGORY, RANGE]
    table = build_scope_rule(tiny_study, judged)
    assert table[["rule", "n"]].to_numpy().tolist() == [[CATEGORY, 1], [RANGE, 1], [IN_ALL, 2]]


def test_the_rules_are_stated_with_their_limits(write_study: WriteStudy, tmp_path: Path) -> None:
    study = _study(write_study, tmp_path, _clean_frame(), scope=SCOPE)
    table = build_scope_rule(study, _judge(study))
    limits = dict(zip(table["rule"], table["limit"].astype(str), strict=True))
    assert limits[GAPS] == "at most 2 of 4 features are missing"
    assert "10 nearest patients of training" in limits[UNLIKE]
    assert "99%" in limits[UNLIKE]
    assert table["n"].tolist()[:3] == [0, 0, 0]


# The distance


Case = tuple[Study, Cohort, Matrix, Folds]


@pytest.fixture(scope="module")
def case(write_study: WriteStudy, tmp_path_factory: pytest.TempPathFactory) -> Case:
    frame = _clean_frame(3000)
    frame.loc[::17, "lactate"] = None
    frame.loc[::23, "ward"] = None
    study = _study(write_study, tmp_path_factory.mktemp("scope"), frame, scope=SCOPE)
    cohort = check_study(study)
    return study, cohort, build_matrix(study, cohort.subjects), assign_folds(study, cohort.targets)


def _refused(study: Study, matrix: Matrix, case: Case) -> npt.NDArray[np.bool_]:
    return judge_rules(study, case[1], matrix, case[3])[UNLIKE].notna().to_numpy()


@pytest.mark.parametrize("quantile", [0.9, 0.95, 0.99])
def test_as_many_are_refused_as_the_quantile_says(case: Case, quantile: float) -> None:
    assert case[0].scope
    study = case[0].model_copy(update={"scope": case[0].scope.model_copy(update={"distance_quantile": quantile})})
    n = len(case[2])
    refused = _refused(study, case[2], case).sum()
    # Binomial chance, and the limit is itself an estimate: six standard errors of 1 − quantile.
    assert abs(refused / n - (1 - quantile)) < 6 * np.sqrt(quantile * (1 - quantile) / n)


def _naive(study: Study, matrix: Matrix, folds: Folds, quantile: float) -> npt.NDArray[np.bool_]:
    """The rule again, pair by pair over features, without coordinates and without a search structure."""
    refused = np.zeros(len(matrix), dtype=bool)
    for fold in np.unique(folds):
        train = matrix[folds != fold].astype(float)
        squares = np.zeros((len(matrix), len(train)))
        for j, feature in enumerate(study.features):
            a, b = matrix[:, j].astype(float), train[:, j]
            gone = np.isnan(a)[:, None] + 0 != np.isnan(b)[None, :]
            if feature.is_categorical:
                a, b = np.nan_to_num(a, nan=-1), np.nan_to_num(b, nan=-1)
                squares += a[:, None] != b[None, :]
            else:
                low, median, high = np.nanquantile(b, [0.25, 0.5, 0.75])
                z = [np.where(np.isnan(x), 0, (x - median) / ((high - low) / 1.349)) for x in (a, b)]
                squares += (z[0][:, None] - z[1][None, :]) ** 2 + gone
        distance = np.sqrt(squares)
        own = distance[folds != fold]
        np.fill_diagonal(own, np.inf)
        limit = np.quantile(np.sort(own, axis=1)[:, :10].mean(axis=1), quantile)
        nearest = np.sort(distance, axis=1)[:, :10].mean(axis=1)
        refused[folds == fold] = (nearest > limit)[folds == fold]
    return refused


def test_the_distance_is_what_a_naive_comparison_of_all_pairs_finds(case: Case) -> None:
    study, _, matrix, folds = case
    some = slice(0, 400)
    part = (study, case[1], matrix[some], folds[some])
    cohort = check_study(study)
    judged = judge_rules(study, _rows(cohort, 400), part[2], part[3])
    assert judged[UNLIKE].notna().tolist() == _naive(study, part[2], part[3], SCOPE["distance_quantile"]).tolist()
    assert judged[UNLIKE].notna().any()


def _rows(cohort: Cohort, n: int) -> Cohort:
    return Cohort(**{**vars(cohort), "subjects": cohort.subjects[:n]})


def test_a_patient_far_from_all_others_is_refused_and_told_by_what(case: Case) -> None:
    study, cohort, matrix, folds = case
    changed = matrix.copy()
    lactate = [f.id for f in study.features].index("lactate")
    changed[40, lactate] = 500
    said = judge_rules(study, cohort, changed, folds)[UNLIKE]
    assert not _refused(study, matrix, case)[40]
    assert said[40].startswith("this patient is unlike those the model has learnt from, most of all in lactate and ")


def test_one_twin_in_training_does_not_make_an_odd_patient_familiar(case: Case) -> None:
    changed = case[2].copy()
    changed[:2, 0] = 5000
    assert _refused(case[0], changed, case)[:2].all()


def test_a_feature_that_never_varies_or_was_never_recorded_does_no_harm(case: Case) -> None:
    changed = case[2].copy()
    changed[:, 0] = 50
    changed[:, 2] = np.nan
    assert 0 <= _refused(case[0], changed, case).mean() < 0.05


def test_few_patients_are_compared_with_as_many_as_there_are(write_study: WriteStudy, tmp_path: Path) -> None:
    study = _study(write_study, tmp_path, _clean_frame(), scope=SCOPE)
    cohort = check_study(study)
    matrix = build_matrix(study, cohort.subjects)
    judged = judge_rules(study, _rows(cohort, 6), matrix[:6], np.array([0, 0, 1, 1, 2, 2]))
    assert len(judged) == 6


def test_no_outcome_and_no_row_of_the_own_fold_has_a_say(case: Case) -> None:
    study, cohort, matrix, folds = case
    before = judge_scope(study, cohort, matrix, folds)
    other = Cohort(**{**vars(cohort), "targets": 1 - cohort.targets, "baselines": cohort.baselines * 0})
    assert judge_scope(study, other, matrix, folds).equals(before)
    # Others of the fold may be anything: each is compared with the patients of training alone.
    changed = matrix.copy()
    changed[folds == 0] = matrix[folds == 0][::-1]
    kept = judge_scope(study, cohort, changed, folds)
    own = before[folds == 0].notna().to_numpy()
    assert kept[folds == 0].notna().tolist() == own[::-1].tolist()


def test_the_embedded_study_refuses_those_without_physiology(small_study: Study) -> None:
    cohort = check_study(small_study)
    matrix = build_matrix(small_study, cohort.subjects)
    judged = judge_rules(small_study, cohort, matrix, assign_folds(small_study, cohort.targets))
    absent = cohort.subject_repairs.query("result == 'absent'")["subject_id"]
    refused = set(cohort.subjects["subject_id"][judged[GAPS].notna()])
    assert set(absent) <= refused
    outside = cohort.quarantine.query("action == 'kept, marked'")["subject_id"].dropna()
    assert set(cohort.subjects["subject_id"][judged[RANGE].notna()]) == set(outside)
