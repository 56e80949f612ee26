"""The feature matrix: numbers as they are, categories as the position of their declared level."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost as xgb

from pipeline.study.model import Feature, Study

Matrix = npt.NDArray[np.float32]


def build_matrix(study: Study, subjects: pd.DataFrame) -> Matrix:
    """The features of `subjects` as float32, shape (n, number of features), in the study's order; NaN = missing.

    Levels are coded by the study's own order, not by what a data frame holds, so a code means the same everywhere.
    """
    columns = [_codes(f, subjects[f.id]) for f in study.features]
    return np.column_stack(columns).astype(np.float32)


def build_dmatrix(study: Study, matrix: Matrix, label: npt.NDArray[np.float64] | None = None) -> xgb.DMatrix:
    """`matrix` as XGBoost takes it, with native categories."""
    return xgb.DMatrix(
        matrix,
        label=label,
        feature_names=[f.id for f in study.features],
        feature_types=["c" if f.is_categorical else "q" for f in study.features],
        enable_categorical=True,
    )


def _codes(feature: Feature, values: pd.Series) -> npt.NDArray[np.float64]:
    if feature.is_categorical:
        values = values.map({level: float(i) for i, level in enumerate(feature.levels)})
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
