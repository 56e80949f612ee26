"""The calibration band of a risk: how well patients of known outcome pin down the event rate at a margin.

Vovk, Petej & Fedorova (2015), arXiv:1511.00213. A patient is put among others of known outcome, once as if the event
had not happened and once as if it had; isotonic regression then says one risk each. Of these two, one is perfectly
calibrated: that is the inductive Venn-Abers predictor. The band is made of one for each inner fold, and reaches from
the mean of their lower risks to the mean of their upper risks, the arithmetic mean being the paper's way to merge folds
under the Brier score. As in a cross Venn-Abers predictor, merging leaves no proof of calibration; it is measured.
Unlike in one, all folds are asked for the margin that the patient is shown, not each for that of its own booster.

The band has no level and says nothing of this patient's true risk. It answers another question than the estimate: what
became of earlier patients with such a margin, whatever shape the event rate has, where the estimate draws one line
through all of them. So it need not hold the estimate, and is not stretched until it does.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.splits import Folds

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class VennAbers:
    """An inductive Venn-Abers predictor: two step functions of the margin.

    From `lower_from[i]` on the lower risk is `lower[i]`, and 0 before the first; up to `upper_to[i]` the upper risk is
    `upper[i]`, and 1 after the last.
    """

    lower_from: Array
    lower: Array
    upper_to: Array
    upper: Array

    def band(self, margin: Array) -> Array:
        """The lower and the upper risk of each margin; (n, 2)."""
        below = np.concatenate([[0.0], self.lower])[np.searchsorted(self.lower_from, margin, side="right")]
        above = np.concatenate([self.upper, [1.0]])[np.searchsorted(self.upper_to, margin, side="left")]
        return np.column_stack([below, above])


@dataclass(frozen=True)
class CrossVennAbers:
    """The inductive predictor of each inner fold, in the folds' order."""

    folds: tuple[VennAbers, ...]

    def band(self, margin: Array) -> Array:
        """The mean of the folds' lower risks and that of their upper risks, for each margin; (n, 2)."""
        return np.asarray(np.mean([fold.band(margin) for fold in self.folds], axis=0))


def fit_cross_venn_abers(margin: Array, event: Array, folds: Folds) -> CrossVennAbers:
    """A predictor for each fold, from the patients in it alone; a fold's margins were made by the other folds.

    margin, event, folds: (n,); event is 0 or 1, folds count from 0.
    """
    own = [folds == fold for fold in range(int(folds.max()) + 1)]
    return CrossVennAbers(tuple(fit_venn_abers(margin[fold], event[fold]) for fold in own))


def fit_venn_abers(margin: Array, event: Array) -> VennAbers:
    """The bands that patients of known outcome give; their margins were made without their own outcomes.

    margin, event: (n,); event is 0 or 1.
    """
    knots, place = np.unique(margin, return_inverse=True)
    # Whole numbers, so that comparing two means is exact.
    sizes = [0, *np.cumsum(np.bincount(place)).tolist()]
    events = [0, *np.cumsum(np.bincount(place[event == 1], minlength=len(knots))).tolist()]
    lower, upper = (_isotonic_with_one_more(sizes, events, happened) for happened in (0, 1))
    # A margin between two knots pools with the one below it as a non-event, with the one above it as an event.
    first = np.concatenate([[True], np.diff(lower) != 0])
    last = np.concatenate([np.diff(upper) != 0, [True]])
    return VennAbers(lower_from=knots[first], lower=lower[first], upper_to=knots[last], upper=upper[last])


def _isotonic_with_one_more(sizes: list[int], events: list[int], happened: int) -> Array:
    """For each knot the isotonic event rate there, once one more patient (`happened`: 0 or 1) stands at it.

    sizes, events: patients and events before each knot, and at last in all. Neighbouring blocks are pooled where the
    rate does not rise; in whatever order that is done, the result is the same.
    """
    n = len(sizes) - 1
    ends, starts = _find_ends(sizes, events), _find_starts(sizes, events)
    rates = np.empty(n)
    for knot in range(n):
        start, end = knot, knot + 1
        while True:
            own = (events[end] - events[start] + happened, sizes[end] - sizes[start] + 1)
            if end < n and not _rises(own, _tally(sizes, events, end, ends[end])):
                end = ends[end]
            elif start > 0 and not _rises(_tally(sizes, events, starts[start], start), own):
                start = starts[start]
            else:
                break
        rates[knot] = own[0] / own[1]
    return rates


_Tally = tuple[int, int]


def _tally(sizes: list[int], events: list[int], start: int, end: int) -> _Tally:
    """Events and patients from knot `start` to before knot `end`."""
    return events[end] - events[start], sizes[end] - sizes[start]


def _rises(left: _Tally, right: _Tally) -> bool:
    return left[0] * right[1] < right[0] * left[1]


def _find_ends(sizes: list[int], events: list[int]) -> list[int]:
    """Where the pooled block that starts at each knot ends, were there no knots before it."""
    n = len(sizes) - 1
    ends = [n] * n
    for start in reversed(range(n)):
        end = start + 1
        while end < n and not _rises(_tally(sizes, events, start, end), _tally(sizes, events, end, ends[end])):
            end = ends[end]
        ends[start] = end
    return ends


def _find_starts(sizes: list[int], events: list[int]) -> list[int]:
    """Where the pooled block that ends before each knot starts, were there no knots from it on."""
    starts = [0] * len(sizes)
    for end in range(1, len(sizes)):
        start = end - 1
        while start > 0 and not _rises(_tally(sizes, events, starts[start], start), _tally(sizes, events, start, end)):
            start = starts[start]
        starts[end] = start
    return starts
