"""Rates at a threshold, and coverages, that tell of few patients though their cell is large."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.evaluate.disclosure.bounds import SMALLEST_CELL, Part
from pipeline.evaluate.disclosure.cells import Cell, as_mask, hide_cells

_COVERAGE = "interval_coverage"


def mark_rates(performance: pd.DataFrame, hidden: frozenset[Cell]) -> npt.NDArray[np.bool_]:
    """The rows that tell, by a rate, of fewer than SMALLEST_CELL patients, or would give such a rate away.

    A sensitivity tells of true and missed events, a specificity of false alarms and of those rightly left alone, a
    coverage of amounts inside and outside. A cell that hides one of them hides every rate at that threshold. Cells
    that are `hidden` are out of it: what is left of a margin after those shown is known only as roughly as the rates
    are rounded, by ten patients for each.
    """
    marks = np.zeros(len(performance), dtype=bool)
    shown = ~as_mask(performance, hidden)
    for own, counts in _count_rates(performance[shown]):
        if (counts < SMALLEST_CELL).any(axis=None):
            marks |= performance.index.isin(own.index[as_mask(own, hide_cells(counts, prove=False))])
    return marks


def _count_rates(performance: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """The rows of each target and threshold, or coverage, and the counts that its rates tell by cell."""
    metric = performance["metric"].astype(str)
    covers = metric.str.startswith(_COVERAGE)
    for (_, _), own in performance[covers].groupby(["target_id", "metric"], sort=False):
        yield own, _split({"inside": (own, own["n"])})
    at = performance[performance["threshold"].notna() & ~covers]
    for (_, _), own in at.groupby(["target_id", "threshold"], sort=False):
        found, spared = own[own["metric"] == "sensitivity"], own[own["metric"] == "specificity"]
        yield own, _split({"events": (found, found["n_events"]), "others": (spared, spared["n"] - spared["n_events"])})


def _split(rates: dict[str, tuple[pd.DataFrame, pd.Series]]) -> pd.DataFrame:
    """By cell, how many of each whole the rate holds and how many not; cells without a rate are left out."""
    parts: dict[Part, pd.Series] = {}
    for name, (rows, whole) in rates.items():
        index = pd.MultiIndex.from_frame(rows[["attribute", "level"]])
        total, rate = whole.astype("Float64").astype(float).to_numpy(), rows["estimate"].astype(float).to_numpy()
        parts[Part(name, "in")] = pd.Series((total * rate).round(), index=index)
        parts[Part(name, "out")] = pd.Series((total * (1 - rate)).round(), index=index)
    return pd.DataFrame(parts).dropna()
