"""SHAP contributions of the model that did not see the patient, on the scale of the recalibrated margin.

Lundberg et al. (2020), doi:10.1038/s42256-019-0138-9. Recalibration is affine, so contributions are scaled with it and
base value plus contributions give the displayed number.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shap
import xgboost as xgb

from pipeline.features import Matrix, build_dmatrix
from pipeline.models.crossfit import CrossFit, FittedModel
from pipeline.splits import Folds
from pipeline.study.model import Study

Array = npt.NDArray[np.float64]

# Trees add in 32 bits: sums of some hundred of them agree to about 1e-6, and 1e-4 would be a wrong explanation.
_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Contributions:
    """by_feature: (n, features); base: (n,). base + by_feature.sum(axis=1) is the margin, exactly."""

    by_feature: Array
    base: Array


def explain_cross_fit(study: Study, fit: CrossFit, matrix: Matrix, folds: Folds) -> Contributions:
    """The contributions to each patient's margin by the fold model that scored them."""
    values = np.empty(matrix.shape, dtype=np.float64)
    base = np.empty(len(matrix))
    for model in fit.models:
        own = folds == model.fold
        explained = explain_model(study, model, matrix[own])
        rounding = fit.margin[own] - explained.base - explained.by_feature.sum(axis=1)
        if np.abs(rounding).max() > _TOLERANCE:
            raise AssertionError(f"contributions of {fit.target.id} miss the margin by {np.abs(rounding).max():.2g}")
        values[own], base[own] = explained.by_feature, explained.base + rounding
    return Contributions(by_feature=values, base=base)


def explain_model(study: Study, model: FittedModel, matrix: Matrix) -> Contributions:
    """The contributions by one model, recalibrated."""
    raw, expected = explain_booster(study, model.booster, matrix)
    base = model.recalibration.intercept + model.recalibration.slope * expected
    return Contributions(by_feature=model.recalibration.slope * raw, base=np.full(len(matrix), base))


def explain_booster(study: Study, booster: xgb.Booster, matrix: Matrix) -> tuple[Array, float]:
    """The contributions (n, features) to the booster's own margin, and the base that they start from."""
    explainer = shap.TreeExplainer(booster)
    raw = np.asarray(explainer.shap_values(build_dmatrix(study, matrix)), dtype=np.float64)
    # The explainer knows its expected value only after the first call.
    return raw, float(np.ravel(explainer.expected_value)[0])
