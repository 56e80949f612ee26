"""The columns of a cohort as numbers, under their names in the source: what the audits look at."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.cohort import Cohort, mask_missing
from pipeline.study.model import Study

Array = npt.NDArray[np.float64]
FEATURE, EXCLUDED, TARGET = "feature", "excluded", "target"


@dataclass(frozen=True)
class Column:
    """A column as numbers, (n,): its values, or the position of each level; NaN = missing."""

    name: str
    declared: str
    ordered: bool
    coded: Array
    levels: tuple[str, ...] = ()


def feature_columns(study: Study, cohort: Cohort) -> list[Column]:
    """The study's features, by the name of their source column. A category of two levels has an order."""
    values = mask_missing(study, cohort.subjects)
    columns = []
    for feature in study.features:
        levels = tuple(feature.levels)
        coded = _codes(values[feature.id], levels)
        columns.append(Column(feature.column, FEATURE, len(levels) <= 2, coded, levels))
    return columns


def excluded_columns(study: Study, cohort: Cohort) -> list[Column]:
    """The columns that the study leaves out, as they stand in the source."""
    columns = []
    for name in [e.column for e in study.excluded if e.column in cohort.not_given]:
        values = cohort.not_given[name]
        number = pd.api.types.is_numeric_dtype(values)
        levels = () if number else tuple(sorted(map(str, values.dropna().unique())))
        columns.append(Column(name, EXCLUDED, len(levels) <= 2, _codes(values, levels), levels))
    return columns


def _codes(values: pd.Series, levels: tuple[str, ...]) -> Array:
    """Numbers as they are, or the position of each level."""
    if levels:
        values = values.map({level: float(i) for i, level in enumerate(levels)})
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
