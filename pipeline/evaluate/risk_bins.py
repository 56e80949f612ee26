"""Patients with similar risks put together, so that a bootstrap of very many costs no more than one of a few hundred.

The binned patients are for the draws only: an estimate is computed on the patients as they are, and its draws are
moved by the difference that binning makes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.evaluate.outcome_metrics import Tally

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

# Equal counts of patients, and as many equal counts of events: rare events are not all in the last bin. Measured on
# 50,000 patients, the width of no interval differs by more than Monte Carlo error from that of unbinned draws.
_BINS = 50


@dataclass(frozen=True)
class RiskBins:
    """The mean risk of each bin (bins,), lowest first; with and without the event are two kinds of patient.

    counts: (2 · bins,) patients with the event, then those without it. `exact` where every bin is one distinct risk.
    """

    risks: Array
    counts: Counts
    exact: bool

    @property
    def kinds(self) -> tuple[Array, Array]:
        """The event (0/1) and the risk of each kind of patient, as `counts` counts them."""
        return np.repeat([1.0, 0.0], len(self.risks)), np.tile(self.risks, 2)

    def tally(self, drawn: Array) -> Tally:
        """The tally of draws (B, 2 · bins) of the kinds."""
        return Tally(self.risks, drawn[:, : len(self.risks)], drawn[:, len(self.risks) :])


def bin_risks(events: Array, risks: Array, *, split_at: Array) -> RiskBins:
    """The kinds of patients (n,): each distinct risk if these are few, or else bins, split at each of `split_at`.

    A risk equal to a split is above it, and so is its bin.
    """
    order = np.argsort(risks, kind="stable")
    ordered, with_event = risks[order], events[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-np.inf))
    exact = len(starts) <= 2 * _BINS
    if not exact:
        parts = np.linspace(0, 1, _BINS + 1)[1:-1]
        of_all, of_events = np.quantile(risks, parts), np.quantile(risks[events == 1], parts) if events.any() else []
        edges = np.concatenate([of_all, of_events, split_at])
        starts = np.unique(np.concatenate([[0], np.searchsorted(ordered, edges, side="left")]))
        starts = starts[starts < len(ordered)]
    size = np.diff(starts, append=len(ordered))
    n_events = np.add.reduceat(with_event, starts).astype(np.int64)
    # The mean of equal numbers may be off in the last digit, and on the other side of a threshold.
    mean = np.clip(np.add.reduceat(ordered, starts) / size, ordered[starts], ordered[starts + size - 1])
    return RiskBins(mean, np.concatenate([n_events, size - n_events]), exact)
