"""Projected totals of a group, with an interval for what such a group would add up to.

The errors of patients with similar projections are drawn anew: total = Σ projection × (observed / projected of a drawn
patient from the same twentieth). What is drawn from is itself drawn first, since those errors are known from a sample
only. It takes the group to behave like the whole cohort.
"""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
_STRATA = 20
_DRAWS = 400


class TotalProjector:
    """Projects totals from cross-fitted amounts (n,) and what was observed (n,), NaN where it was not."""

    def __init__(self, predicted: Array, observed: Array, *, seed: int) -> None:
        known = ~np.isnan(observed)
        edges = np.quantile(predicted[known], np.linspace(0, 1, _STRATA + 1)[1:-1])
        self._predicted, self._seed = predicted, seed
        self._stratum = np.digitize(predicted, edges)
        ratio = observed[known] / predicted[known]
        self._ratios = [ratio[self._stratum[known] == s] for s in range(_STRATA)]

    def project(self, members: npt.NDArray[np.bool_]) -> tuple[float, float, float]:
        """The projected total of the members, with its 95% interval."""
        rng = np.random.default_rng(self._seed)
        totals = np.zeros(_DRAWS)
        for s in range(_STRATA):
            amounts = self._predicted[members & (self._stratum == s)]
            pool = self._ratios[s]
            if len(amounts) and len(pool):
                drawn_pool = rng.choice(pool, size=(_DRAWS, len(pool)))
                places = rng.integers(len(pool), size=(_DRAWS, len(amounts)))
                totals += np.take_along_axis(drawn_pool, places, axis=1) @ amounts
        lower, upper = np.quantile(totals, [0.025, 0.975])
        return float(self._predicted[members].sum()), float(lower), float(upper)
