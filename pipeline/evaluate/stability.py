"""Whether a patient's reasons stay when the model is rebuilt: the first five features, compared rebuild by rebuild."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.evaluate.disclosure import SMALLEST_CELL
from pipeline.models.rebuilds import TOP, Indices
from pipeline.store.tables.explained import LEAST_OVERLAP

Array = npt.NDArray[np.float64]

# Fewer than three of five kept, or another first reason in one rebuild of three: a reader would be told other reasons.
_LEAST_OVERLAP_OF_5 = round(LEAST_OVERLAP * TOP)
_MOST_OTHER_FIRST = 3
_BINS = 10


@dataclass(frozen=True)
class Stability:
    """How far the shown reasons stayed, all (n,): mean share kept, share of rebuilds with the same first, a verdict."""

    top5_overlap: Array
    same_first_share: Array
    unstable: npt.NDArray[np.bool_]


def first_features(contributions: Array) -> Indices:
    """The indices (n, ≤ TOP) of the features with the largest |contribution|, largest first; ties in their order."""
    order = np.argsort(-np.abs(contributions), axis=1, kind="stable")
    return np.asarray(order[:, :TOP], dtype=np.min_scalar_type(contributions.shape[1]))


def compare_rebuilds(shown: Indices, rebuilt: Indices) -> Stability:
    """How far `shown` (n, k) stays in `rebuilt` (rebuilds, n, k), each largest contribution first.

    Counts are compared, not shares, so that a limit that is met exactly does not depend on rounding.
    """
    rebuilds, _, k = rebuilt.shape
    kept = (shown[None, :, :, None] == rebuilt[:, :, None, :]).any(axis=3).sum(axis=(0, 2))
    same_first = (shown[None, :, 0] == rebuilt[:, :, 0]).sum(axis=0)
    few_kept = kept * TOP < _LEAST_OVERLAP_OF_5 * rebuilds * k
    other_first = (rebuilds - same_first) * _MOST_OTHER_FIRST >= rebuilds
    return Stability(
        top5_overlap=kept / (rebuilds * k),
        same_first_share=same_first / rebuilds,
        unstable=few_kept | other_first,
    )


def build_patient_stability(measured: Mapping[str, Stability], subject_ids: pd.Series) -> pd.DataFrame:
    """A row a patient and target that was measured: subject_id, target_id, top5_overlap, same_first_share, unstable."""
    columns = ["subject_id", "target_id", "top5_overlap", "same_first_share", "unstable"]
    tables = [
        pd.DataFrame(
            {
                "subject_id": subject_ids.to_numpy(),
                "target_id": target_id,
                "top5_overlap": s.top5_overlap,
                "same_first_share": s.same_first_share,
                "unstable": s.unstable,
            }
        )
        for target_id, s in measured.items()
    ]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def build_stability_distribution(measured: Mapping[str, Stability]) -> pd.DataFrame:
    """target_id, bin_low, bin_high, n: tenths of `top5_overlap`, joined so that none tells of a few patients."""
    rows = [
        (target_id, low, high, n) for target_id, s in measured.items() for low, high, n in _join_tenths(s.top5_overlap)
    ]
    return pd.DataFrame(rows, columns=["target_id", "bin_low", "bin_high", "n"])


def _join_tenths(overlap: Array) -> list[tuple[float, float, int]]:
    """Ranges from low to high, each a run of tenths with SMALLEST_CELL patients; empty tenths between are left out.

    A last run that is too small goes to the one before it.
    """
    # A share such as 0.3 may be stored a little below 0.3, and belongs above that edge all the same.
    tenth = np.minimum((overlap * _BINS + 1e-9).astype(int), _BINS - 1)
    counts = np.bincount(tenth, minlength=_BINS)
    joined: list[tuple[float, float, int]] = []
    start, n = 0, 0
    for i in np.flatnonzero(counts):
        start = start if n else int(i)
        n += int(counts[i])
        if n >= SMALLEST_CELL:
            joined.append((start / _BINS, (int(i) + 1) / _BINS, n))
            n = 0
    if n and joined:
        low, _, before = joined.pop()
        joined.append((low, (int(np.flatnonzero(counts)[-1]) + 1) / _BINS, before + n))
    return joined
