"""The least a model must beat: a regression on age, sex and diagnosis alone, cross-fitted on the same folds."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import SplineTransformer

from pipeline.features import Matrix
from pipeline.models.boosting import label_of
from pipeline.models.link import Link, link_of
from pipeline.models.readout import Prediction, fit_readout, silent
from pipeline.splits import Folds, inner_folds
from pipeline.study.model import MISSING, Study, Target

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

_AGE, _SEX = "age", "sex"
_KNOTS = 5
# As strong as one patient's worth of doubt about a standardised level: rare diagnoses may all have one outcome.
_RIDGE = 1.0


def demographics_of(study: Study) -> list[str]:
    """In words, which of age, sex and diagnosis the study has."""
    features = {f.id for f in study.features}
    return [name for name in (_AGE, _SEX) if name in features] + (["diagnosis"] if study.diagnosis else [])


def predict_from_demographics(
    study: Study,
    target: Target,
    subjects: pd.DataFrame,
    matrix: Matrix,
    observed: Array,
    folds: Folds,
    *,
    n_inner: int,
) -> Prediction:
    """Cross-fitted predictions from age (a cubic spline), sex and diagnosis, recalibrated on inner folds.

    subjects: has the study's diagnosis; matrix: (n, features); observed: (n,), NaN where not observed.
    """
    link = link_of(target.kind)
    seen = ~np.isnan(observed)
    said = silent(len(observed))
    for fold in range(int(folds.max()) + 1):
        rows, own = np.flatnonzero(seen & (folds != fold)), folds == fold
        design = _build_design(study, subjects, matrix, rows)
        inner = inner_folds(len(rows), folds=n_inner, seed=study.splits.seed + 1000 * (fold + 1))
        raw = np.empty(len(rows))
        for k in range(n_inner):
            raw[inner == k] = _fit_and_score(design, observed, rows[inner != k], rows[inner == k], link=link)
        readout = fit_readout(raw, observed[rows], link=link)
        said.put(own, readout.predict(_fit_and_score(design, observed, rows, np.flatnonzero(own), link=link)))
    return said


def _fit_and_score(design: Array, observed: Array, train: Rows, scored: Rows, *, link: Link) -> Array:
    label = label_of(observed[train], link)
    if link is Link.LOG:
        return np.asarray(Ridge(alpha=_RIDGE).fit(design[train], label).predict(design[scored]), dtype=np.float64)
    model = LogisticRegression(C=1 / _RIDGE, max_iter=1000).fit(design[train], label)
    return np.asarray(model.decision_function(design[scored]), dtype=np.float64)


def _build_design(study: Study, subjects: pd.DataFrame, matrix: Matrix, train: Rows) -> Array:
    """(n, columns): knots and the value in place of a missing age are those of the rows in `train`."""
    columns = []
    for position, feature in enumerate(study.features):
        if feature.id not in (_AGE, _SEX):
            continue
        values = matrix[:, position].astype(np.float64)
        if feature.is_categorical:
            columns.append((values[:, None] == np.arange(len(feature.levels))).astype(np.float64))
        else:
            columns.append(_bend(values, train))
    if study.diagnosis:
        levels = np.array([*study.attribute(study.diagnosis).levels, MISSING])
        columns.append((subjects[study.diagnosis].to_numpy(dtype=np.str_)[:, None] == levels).astype(np.float64))
    return np.column_stack(columns)


def _bend(values: Array, train: Rows) -> Array:
    """A cubic spline of `values`, straight beyond the outermost training values, and whether a value is missing."""
    missing = np.isnan(values)
    known = values[train][~missing[train]]
    knots = np.unique(np.quantile(known, np.linspace(0, 1, _KNOTS))) if len(known) else known
    if len(knots) < 2:
        return missing[:, None].astype(np.float64)
    filled = np.where(missing, np.median(known), values)[:, None]
    spline = SplineTransformer(knots=knots[:, None], extrapolation="linear", include_bias=False)
    return np.column_stack([spline.fit(filled[train]).transform(filled), missing])
