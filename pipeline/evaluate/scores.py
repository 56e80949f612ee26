"""What a model says of a target, beside what was observed: what every measure is computed from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.evaluate.amount_metrics import Predicted
from pipeline.models.crossfit import CrossFit
from pipeline.study.model import Baseline, Kind

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """What one model says of one target, beside what was observed; all (n,).

    `said` is a risk, a score that only ranks (`only_ranks`), or an amount (then `amount` says it in full).
    """

    observed: Array
    said: Array
    only_ranks: bool = False
    amount: Predicted | None = None

    def __getitem__(self, chosen: npt.NDArray[np.bool_]) -> "Scores":
        amount = None if self.amount is None else self.amount[chosen]
        return Scores(self.observed[chosen], self.said[chosen], self.only_ranks, amount)

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Where both the target and what the model says are known."""
        return ~np.isnan(self.observed) & ~np.isnan(self.said)


def scores_of(fit: CrossFit, observed: Array) -> Scores:
    """Our cross-fitted predictions of a target."""
    is_outcome = fit.target.kind is Kind.OUTCOME
    amount = None if is_outcome else Predicted(fit.estimate, fit.log_prediction, fit.bounds)
    return Scores(observed, fit.estimate, amount=amount)


def scores_of_baseline(baseline: Baseline, values: Array, observed: Array) -> Scores:
    """What a baseline says: a risk, or a score that only ranks."""
    return Scores(observed, values, only_ranks=baseline.risk is None)
