"""The tables of single patients."""

from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from pipeline.build import check_study
from pipeline.cohort import Cohort
from pipeline.explain.contributions import Contributions
from pipeline.explain.patients import (
    build_contribution,
    build_patient_list,
    build_prediction,
    build_subject_repair,
    iterate_values,
)
from pipeline.explain.words import Missing, explain_gap
from pipeline.models.crossfit import CrossFit
from pipeline.models.intervals import IntervalKind
from pipeline.models.link import Link
from pipeline.study import Study, load_study
from tests.conftest import WriteStudy
from tests.synthetic import REPAIR

# Refusals: none, and of one patient in eight.
NOBODY = pd.Series([None] * 240, dtype=object)
SOME = pd.Series(["Not scored: ..." if i % 8 == 3 else None for i in range(240)], dtype=object)


@pytest.fixture(scope="module")
def study(write_study: WriteStudy, tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("repaired")
    (folder / "mapping.csv").write_text("pid,donor\np0001,p0002\np0002,-1\np0004,p0004\n", encoding="utf-8")
    return load_study(write_study(folder, repairs=[dict(REPAIR)], diagnosis="age_band"))


@pytest.fixture(scope="module")
def cohort(study: Study) -> Cohort:
    return check_study(study)


@pytest.fixture(scope="module")
def fits(study: Study, cohort: Cohort) -> dict[str, CrossFit]:
    n = len(cohort.subjects)
    margin = np.linspace(-2, 2, n)
    return {
        "death": CrossFit(
            target=study.target("death"),
            link=Link.LOGIT,
            interval_kind=IntervalKind.MODEL_INSTABILITY,
            models=[],
            final=cast(Any, None),
            margin=margin,
            estimate=Link.LOGIT.inverse(margin),
            bounds=np.column_stack([Link.LOGIT.inverse(margin + d) for d in (-0.5, 0.5, -0.7, 0.7)]),
            band=Link.LOGIT.inverse(margin)[:, None] + [-0.01, 0.01],
            log_prediction=np.full(n, np.nan),
            rebuilt=np.empty((0, n)),
            top_features=np.empty((0, n, 4), dtype=np.uint8),
        )
    }


@pytest.fixture(scope="module")
def explained(cohort: Cohort) -> dict[str, Contributions]:
    n = len(cohort.subjects)
    by_feature = np.tile([0.3, 0.1, -0.6, 0.2], (n, 1))
    return {"death": Contributions(by_feature=by_feature, base=np.linspace(-2, 2, n))}


def test_everybody_has_a_prediction_with_its_bounds_and_fold(cohort: Cohort, fits: dict[str, CrossFit]) -> None:
    folds = np.arange(240) % 3
    table = build_prediction(fits, cohort, folds, NOBODY)
    assert table["subject_id"].tolist() == cohort.subjects["subject_id"].tolist()
    assert set(table["status"]) == {"scored"}
    assert table["reason"].isna().all()
    assert table["fold"].tolist() == folds.tolist()
    assert table["margin"].tolist() == fits["death"].margin.tolist()
    assert table["lower_80"].tolist() == fits["death"].bounds[:, 0].tolist()
    assert table["upper_80"].tolist() == fits["death"].bounds[:, 1].tolist()
    assert table["lower_90"].tolist() == fits["death"].bounds[:, 2].tolist()
    assert table["upper_90"].tolist() == fits["death"].bounds[:, 3].tolist()


def test_who_is_refused_has_a_reason_and_no_number_in_any_table(
    study: Study, cohort: Cohort, fits: dict[str, CrossFit], explained: dict[str, Contributions]
) -> None:
    refused = SOME.notna()
    prediction = build_prediction(fits, cohort, np.arange(240) % 3, SOME)
    listed = build_patient_list(study, cohort, fits, explained, SOME)
    assert prediction["status"].tolist() == listed["status"].tolist()
    assert (prediction["status"] == "refused").tolist() == refused.tolist()
    assert prediction["reason"].equals(SOME)
    numbers = ["margin", "estimate", "lower_80", "upper_80", "lower_90", "upper_90"]
    shown = ["death_estimate", "death_lower_90", "death_upper_90"]
    for table, columns in ((prediction, numbers), (listed, shown)):
        assert table.loc[refused, columns].isna().all(axis=None)
        assert table.loc[~refused, columns].notna().all(axis=None)
    assert not any(listed.loc[refused, "death_reasons"])
    # What was recorded of them stays.
    assert listed.loc[refused, "headline"].str.len().min() > 0
    explained_ids = set(build_contribution(study, explained, cohort, SOME)["subject_id"])
    assert explained_ids == set(cohort.subjects["subject_id"][~refused])


def test_contributions_have_a_column_a_feature(
    study: Study, cohort: Cohort, explained: dict[str, Contributions]
) -> None:
    table = build_contribution(study, explained, cohort, NOBODY)
    assert list(table) == ["subject_id", "target_id", "base_value", "age", "sex", "lactate", "ward"]
    assert table["lactate"].tolist() == [-0.6] * 240
    assert table["base_value"].tolist() == explained["death"].base.tolist()


def test_the_list_shows_who_a_patient_is_and_what_moved_their_estimate(
    study: Study, cohort: Cohort, fits: dict[str, CrossFit], explained: dict[str, Contributions]
) -> None:
    table = build_patient_list(study, cohort, fits, explained, NOBODY)
    third, subject = table.iloc[2], cohort.subjects.iloc[2]
    assert third["headline"] == f"{int(subject['age'])}-year-old {'man' if subject['sex'] == 'male' else 'woman'}"
    assert (third["age"], third["sex"], third["diagnosis"]) == (subject["age"], subject["sex"], subject["age_band"])
    assert third["death_estimate"] == fits["death"].estimate[2]
    assert (third["death_lower_90"], third["death_upper_90"]) == tuple(fits["death"].bounds[2, 2:])
    assert [reason[0] for reason in third["death_reasons"]] == ["▼", "▲", "▲"]
    assert "lactate" in third["death_reasons"][0]


def test_gaps_are_the_features_without_a_value(
    study: Study, cohort: Cohort, fits: dict[str, CrossFit], explained: dict[str, Contributions]
) -> None:
    table = build_patient_list(study, cohort, fits, explained, NOBODY)
    features = cohort.subjects[["age", "sex", "lactate", "ward"]]
    assert table["gaps"].tolist() == [sum(pd.isna(value) for value in row) for row in features.to_numpy()]
    assert table["gaps"].sum() == 4


def test_a_value_that_a_repair_found_nowhere_says_so(study: Study, cohort: Cohort) -> None:
    values = list(iterate_values(study, cohort))
    assert values[1]["lactate"] == Missing("not in the file")
    # Rejected by validation: the feature's own words.
    assert not isinstance(values[7]["lactate"], Missing)
    assert values[7]["lactate"] != values[7]["lactate"]
    assert values[1]["age"] == cohort.subjects["age"][1]


def test_a_value_that_is_there_is_never_explained_away() -> None:
    assert explain_gap(3.0, "lost") == 3.0
    assert explain_gap(None, "lost") == Missing("lost")
    assert explain_gap(None, None) is None


def test_repairs_of_patients_have_the_sentence_of_their_page_and_unchanged_ones_none(
    study: Study, cohort: Cohort
) -> None:
    table = build_subject_repair(study, cohort)
    ids = cohort.subjects["subject_id"]
    found = {row.subject_id: (row.result, row.note) for row in table.itertuples()}
    assert found == {ids[0]: ("moved", "Moved home."), ids[1]: ("absent", "Not in the file.")}


def test_a_study_without_age_sex_and_diagnosis_has_a_list_too(
    study: Study, cohort: Cohort, fits: dict[str, CrossFit], explained: dict[str, Contributions]
) -> None:
    kept = [f for f in study.features if f.id not in ("age", "sex")]
    bare = study.model_copy(update={"features": kept, "headline": [], "diagnosis": None})
    part = {"death": Contributions(explained["death"].by_feature[:, 2:], explained["death"].base)}
    table = build_patient_list(bare, cohort, fits, part, NOBODY)
    assert table[["age", "sex", "diagnosis"]].isna().all().all()
    assert set(table["headline"]) == {""}
