"""Our model and what people use today, together: does either know something that the other does not?

Stacking (Wolpert 1992, doi:10.1016/S0893-6080(05)80023-1) by a logistic regression on the margins of both, learnt for
each fold from inner out-of-fold margins, so that no patient's own outcome reaches their combined risk.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipeline.models.crossfit import CrossFit
from pipeline.models.readout import Prediction, silent
from pipeline.splits import Folds
from pipeline.study.model import Baseline

Array = npt.NDArray[np.float64]

# A recorded risk of exactly 0 or 1 (physicians gave some) has no logit; it counts as this far from certainty.
_NEAREST_TO_CERTAIN = 0.005
# Fewer patients with or without the event tell nothing of two or more slopes.
_FEWEST = 20
# Nothing beside thousands of patients; it keeps apart what the same information in two columns would run away with.
_RIDGE = 1.0


@dataclass(frozen=True)
class Opinion:
    """A baseline and its values, (n,); NaN where it says nothing."""

    baseline: Baseline
    values: Array

    @property
    def margin(self) -> Array:
        """The logit of a risk; a score as it is."""
        if self.baseline.risk is None:
            return self.values
        return np.asarray(logit(np.clip(self.values, _NEAREST_TO_CERTAIN, 1 - _NEAREST_TO_CERTAIN)), dtype=np.float64)


def combine(fit: CrossFit, opinions: Sequence[Opinion], observed: Array, folds: Folds) -> Prediction:
    """The risk from our model and `opinions` together, out of fold; NaN for patients of whom one of them says nothing.

    It says nothing at all where too few patients have everything. observed: (n,) events, NaN where not observed.
    """
    said = silent(len(observed))
    others = np.column_stack([o.margin for o in opinions])
    speak = np.asarray(np.isfinite(others).all(axis=1))
    for model in fit.models:
        heard = speak[model.train_rows]
        rows = model.train_rows[heard]
        events = int(observed[rows].sum())
        if min(events, len(rows) - events) < _FEWEST:
            return silent(len(observed))
        stack = make_pipeline(StandardScaler(), LogisticRegression(C=1 / _RIDGE, tol=1e-8, max_iter=1000))
        stack.fit(np.column_stack([model.inner_margin[heard], others[rows]]), observed[rows])
        own = speak & (folds == model.fold)
        if own.any():
            said.margin[own] = stack.decision_function(np.column_stack([fit.margin[own], others[own]]))
    said.estimate[:] = expit(said.margin)
    return said
