"""How often one more rebuild of a model falls inside the interval of the others: the check of `instability_bounds`.

It is the coverage of rebuilds, not of the truth: that a patient's true risk lies inside is promised by nobody.
"""

import numpy as np
import numpy.typing as npt
from scipy.stats import t

from pipeline.models.crossfit import CrossFit
from pipeline.models.intervals import LEVELS
from pipeline.models.link import Link

Array = npt.NDArray[np.float64]


def rebuild_coverage(fit: CrossFit) -> Array:
    """For each patient the share of rebuilds inside the 80% and the 90% interval of the others; (n, 2).

    Each rebuild is left out in turn, and the interval made of the rest as `instability_bounds` makes it. NaN for an
    amount, whose interval does not come from rebuilds, and where there are fewer than two of them.
    """
    rebuilds = len(fit.rebuilt)
    if fit.link is not Link.LOGIT or rebuilds < 2:
        return np.full((len(fit.margin), len(LEVELS)), np.nan)
    squared = (fit.rebuilt - fit.margin) ** 2
    others = (squared.sum(axis=0) - squared) / (rebuilds - 1)
    reach = [float(t.ppf((1 + level) / 2, rebuilds - 1)) for level in LEVELS]
    return np.column_stack([np.mean(squared <= k**2 * others, axis=0) for k in reach])
