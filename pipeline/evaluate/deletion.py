"""Whether explanations follow the model: what a patient's reasons name is replaced first, and the estimate must move.

After the deletion tests of Samek et al. (2017), doi:10.1109/TNNLS.2016.2599820. A value is replaced by those of random
patients the model was trained on, not by a missing one: missing means something of its own here (nobody ordered the
test). Replaced values come from one patient each time, but beside the values that stay they may be unlikely ones.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.evaluate.resampling import draw_weights, summarise_draws
from pipeline.features import Matrix
from pipeline.store.tables.explained import AT_RANDOM, BY_AVERAGE, BY_IMPORTANCE

Array = npt.NDArray[np.float64]
Order = npt.NDArray[np.int64]
Predict = Callable[[Matrix], Array]

# Beyond ten features every order has replaced most of what matters, and the curves meet again.
MOST_REMOVED = 10
_DRAWS = 400


@dataclass(frozen=True)
class Deletion:
    """How far the margin moved (patients, 1 + features replaced), by the order they were replaced in."""

    moved: dict[str, Array]


def order_features(contributions: Array, average: Array, *, seed: int) -> dict[str, Order]:
    """The three orders (n, features) in which features are replaced.

    contributions: (n, features) of the patients; average: (features,) mean absolute contribution over everybody.
    """
    n, count = contributions.shape
    every = np.tile(np.arange(count), (n, 1))
    return {
        BY_IMPORTANCE: np.argsort(-np.abs(contributions), axis=1, kind="stable"),
        BY_AVERAGE: np.tile(np.argsort(-average, kind="stable"), (n, 1)),
        AT_RANDOM: np.random.default_rng(seed).permuted(every, axis=1),
    }


def replace_features(predict: Predict, rows: Matrix, background: Matrix, order: Order, *, most: int) -> Array:
    """How far the mean margin moves with the first 0 to `most` features of `order` replaced; (n, most + 1).

    rows: (n, features); background: (n, draws, features), the patients whose values stand in, for each row its own.
    """
    n, draws, count = background.shape
    changed = np.repeat(rows[:, None, :], draws, axis=1)
    own = predict(rows)
    patient = np.arange(n)
    moved = np.zeros((n, most + 1))
    for k in range(most):
        changed[patient, :, order[:, k]] = background[patient, :, order[:, k]]
        margin = predict(changed.reshape(n * draws, count)).reshape(n, draws)
        moved[:, k + 1] = _distance(margin - own[:, None])
    return moved


def _distance(steps: Array) -> Array:
    """How far the mean of each row's steps (n, draws) lies from 0, less what the chance of the draws adds to it.

    The mean's square is too large by its variance; uncorrected, replacing what does not matter would seem to matter.
    """
    chance = steps.var(axis=1, ddof=1) / steps.shape[1]
    return np.asarray(np.sqrt(np.maximum(steps.mean(axis=1) ** 2 - chance, 0.0)), dtype=np.float64)


def build_deletion_curve(deletion: Deletion, *, target_id: str, seed: int) -> pd.DataFrame:
    """target_id, taken, removed, moved (mean), lower, upper (95%, bootstrap over patients)."""
    rows = []
    for taken, moved in deletion.moved.items():
        weights = draw_weights(len(moved), draws=_DRAWS, seed=seed) / len(moved)
        means = weights @ moved
        rows += [(target_id, taken, k, *summarise_draws(means[:, k])) for k in range(moved.shape[1])]
    return pd.DataFrame(rows, columns=["target_id", "taken", "removed", "moved", "lower", "upper"])


def compare_orders(deletion: Deletion, other: str, *, seed: int) -> tuple[float, float, float]:
    """Area between the curves of BY_IMPORTANCE and `other`, the mean over what was replaced, and its 95% interval.

    On the margin, above 0 where the patients' own reasons move the estimate further.
    """
    gap = (deletion.moved[BY_IMPORTANCE] - deletion.moved[other])[:, 1:].mean(axis=1)
    weights = draw_weights(len(gap), draws=_DRAWS, seed=seed) / len(gap)
    return summarise_draws(weights @ gap)
