"""Global importance: the mean and the mean absolute contribution, by feature and by clinical concept."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.study.model import Study

Array = npt.NDArray[np.float64]
_Z95 = 1.959964


def build_feature_importance(study: Study, contributions: Array, *, target_id: str) -> pd.DataFrame:
    """target_id, population, feature_id, mean, mean_lower, mean_upper, mean_absolute and its interval (95%).

    contributions: (n, features) on the margin.
    """
    named = {f.id: contributions[:, j] for j, f in enumerate(study.features)}
    return _summarise(named, "feature_id", target_id)


def build_concept_importance(study: Study, contributions: Array, *, target_id: str) -> pd.DataFrame:
    """As `build_feature_importance`, a row a concept: a patient's features add up before the absolute is taken."""
    return _summarise(sum_by_concept(study, contributions), "concept", target_id)


def sum_by_concept(study: Study, contributions: Array) -> dict[str, Array]:
    """The contribution (n,) of each concept: the sum of its features'."""
    return {
        concept: contributions[:, [f.concept == concept for f in study.features]].sum(axis=1)
        for concept in study.concepts
    }


def _summarise(named: dict[str, Array], column: str, target_id: str) -> pd.DataFrame:
    rows = [(target_id, "all", name, *_mean(values), *_mean(np.abs(values))) for name, values in named.items()]
    measures = ["mean", "mean_lower", "mean_upper", "mean_absolute", "mean_absolute_lower", "mean_absolute_upper"]
    return pd.DataFrame(rows, columns=["target_id", "population", column, *measures])


def _mean(values: Array) -> tuple[float, float, float]:
    mean = float(np.mean(values))
    half = _Z95 * float(np.std(values, ddof=1)) / np.sqrt(len(values))
    return mean, mean - half, mean + half
