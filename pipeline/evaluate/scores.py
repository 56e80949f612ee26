"""What a model says of a target, beside what was observed: what every measure is computed from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.evaluate.amount_metrics import Predicted
from pipeline.models.crossfit import CrossFit
from pipeline.models.readout import Prediction
from pipeline.study.model import Baseline, Kind, Target

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """What one model says of one target, beside what was observed; all (n,).

    `said` is a risk, a score that only ranks (`only_ranks`), or an amount (then `amount` says it in full). Of risks
    that have an interval, `bounds` (n, 4) are its ends as in `prediction`, and `rebuilds_inside` (n, 2) is the share
    of further rebuilds of the model that fall inside it at 80 and 90%.
    """

    observed: Array
    said: Array
    only_ranks: bool = False
    amount: Predicted | None = None
    bounds: Array | None = None
    rebuilds_inside: Array | None = None

    def __getitem__(self, chosen: npt.NDArray[np.bool_]) -> "Scores":
        return Scores(
            self.observed[chosen],
            self.said[chosen],
            self.only_ranks,
            None if self.amount is None else self.amount[chosen],
            None if self.bounds is None else self.bounds[chosen],
            None if self.rebuilds_inside is None else self.rebuilds_inside[chosen],
        )

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Where both the target and what the model says are known."""
        return ~np.isnan(self.observed) & ~np.isnan(self.said)


def scores_of(fit: CrossFit, observed: Array, *, rebuilds_inside: Array | None = None) -> Scores:
    """Our cross-fitted predictions of a target."""
    if fit.target.kind is Kind.OUTCOME:
        return Scores(observed, fit.estimate, bounds=fit.bounds, rebuilds_inside=rebuilds_inside)
    return Scores(observed, fit.estimate, amount=Predicted(fit.estimate, fit.log_prediction, fit.bounds))


def scores_of_baseline(baseline: Baseline, values: Array, observed: Array) -> Scores:
    """What a baseline says: a risk, or a score that only ranks."""
    return Scores(observed, values, only_ranks=baseline.risk is None)


def scores_of_prediction(target: Target, said: Prediction, observed: Array) -> Scores:
    """What any fitted model says of a target; NaN where it says nothing."""
    is_outcome = target.kind is Kind.OUTCOME
    amount = None if is_outcome else Predicted(said.estimate, said.log_prediction, said.bounds)
    return Scores(observed, said.estimate, amount=amount)
