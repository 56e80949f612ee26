"""SHAP contributions on the recalibrated margin, against what XGBoost itself computes."""

import dataclasses

import numpy as np
import pytest

from pipeline.build import check_study
from pipeline.explain.contributions import explain_cross_fit, explain_model
from pipeline.features import Matrix, build_dmatrix, build_matrix
from pipeline.models.boosting import Boosting
from pipeline.models.crossfit import CrossFit, cross_fit
from pipeline.splits import Folds, assign_folds
from pipeline.study import Study

Case = tuple[Matrix, Folds, dict[str, CrossFit]]


@pytest.fixture(scope="module")
def case(tiny_study: Study, quick: Boosting) -> Case:
    cohort = check_study(tiny_study)
    matrix, folds = build_matrix(tiny_study, cohort.subjects), assign_folds(tiny_study, cohort.targets)
    fits = {
        t.id: cross_fit(tiny_study, t, matrix, cohort.targets[t.id].to_numpy(float), folds, boosting=quick)
        for t in tiny_study.targets
    }
    return matrix, folds, fits


@pytest.mark.parametrize("target_id", ["death", "cost"])
def test_base_and_contributions_give_the_margin_that_is_displayed(
    tiny_study: Study, case: Case, target_id: str
) -> None:
    matrix, folds, fits = case
    explained = explain_cross_fit(tiny_study, fits[target_id], matrix, folds)
    total = explained.base + explained.by_feature.sum(axis=1)
    np.testing.assert_allclose(total, fits[target_id].margin, atol=1e-9)
    estimate = fits[target_id].link.inverse(total)
    np.testing.assert_allclose(estimate, fits[target_id].estimate, rtol=1e-9)


@pytest.mark.parametrize("target_id", ["death", "cost"])
def test_contributions_are_those_of_xgboost_scaled_by_the_recalibration(
    tiny_study: Study, case: Case, target_id: str
) -> None:
    matrix, folds, fits = case
    explained = explain_cross_fit(tiny_study, fits[target_id], matrix, folds)
    for model in fits[target_id].models:
        own = folds == model.fold
        raw = model.booster.predict(build_dmatrix(tiny_study, matrix[own]), pred_contribs=True)
        slope, intercept = model.recalibration.slope, model.recalibration.intercept
        np.testing.assert_allclose(explained.by_feature[own], slope * raw[:, :-1], atol=1e-4)
        np.testing.assert_allclose(explained.base[own], intercept + slope * raw[:, -1], atol=1e-4)


def test_one_model_has_one_base(tiny_study: Study, case: Case) -> None:
    matrix, _, fits = case
    explained = explain_model(tiny_study, fits["death"].final, matrix)
    assert len(np.unique(explained.base)) == 1
    assert explained.by_feature.shape == matrix.shape


def test_contributions_that_miss_the_margin_stop_the_build(tiny_study: Study, case: Case) -> None:
    matrix, folds, fits = case
    wrong = dataclasses.replace(fits["death"], margin=fits["death"].margin + 1e-3)
    with pytest.raises(AssertionError, match=r"contributions of death miss the margin by 0\.001"):
        explain_cross_fit(tiny_study, wrong, matrix, folds)
