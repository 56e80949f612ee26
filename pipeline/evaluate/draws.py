"""Measures of one model on many draws of the same patients."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from pipeline.evaluate import amount_metrics, outcome_metrics
from pipeline.evaluate.scores import Scores

Array = npt.NDArray[np.float64]


def measure_draws(scores: Scores, metrics: Sequence[str], weights: Iterable[Array]) -> dict[str, Array]:
    """By metric, its value (draws,) for each row of `weights`, parts of (some draws, n); every target is known."""
    return measure_together({"": scores}, {"": metrics}, weights)[""]


def measure_together(
    scores: Mapping[str, Scores], metrics: Mapping[str, Sequence[str]], weights: Iterable[Array]
) -> dict[str, dict[str, Array]]:
    """As `measure_draws`, of several models of the same patients on the same draws, by model."""
    parts = [
        {name: [_measure(said, metric, part) for metric in metrics[name]] for name, said in scores.items()}
        for part in weights
    ]
    return {
        name: {m: np.concatenate([part[name][i] for part in parts]) for i, m in enumerate(metrics[name])}
        for name in scores
    }


def count_classes(scores: Scores) -> tuple[int, ...]:
    """How many events and non-events there are, or how many amounts."""
    n = len(scores.observed)
    return (n,) if scores.amount else (int(scores.observed.sum()), n - int(scores.observed.sum()))


def _measure(scores: Scores, metric: str, weights: Array) -> Array:
    if scores.amount:
        return amount_metrics.OVERALL[metric](scores.observed, scores.amount, weights)
    return outcome_metrics.OVERALL[metric](scores.observed, scores.said, weights)
