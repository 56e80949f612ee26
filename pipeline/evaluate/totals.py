"""Totals of a group: what such a group would add up to, drawn anew from the errors of patients like its own.

Amounts: total = Σ projection × (observed / projected of a drawn patient from the same twentieth). Outcomes: each
patient has the event or not, by their risk. Either way what was learnt from a sample is drawn too: the mean error of a
twentieth, the calibration of the risks.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.models.crossfit import CrossFit
from pipeline.study.model import Kind

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_STRATA = 20
_DRAWS = 400
# Keeps logits finite.
_SMALLEST_RISK = 1e-9


class Totals(Protocol):
    """Draws totals of groups from what is projected (n,), NaN for who is not scored, and observed (n,), NaN likewise.

    usable: (n,), where both are known; variance: (n,), of what a patient adds. A `pool` is whom errors are learnt from.
    """

    projected: Array
    observed: Array
    usable: Mask
    variance: Array

    def draw(self, members: Mask, *, pool: Mask, rng: np.random.Generator) -> Array:
        """Totals (draws,) that a group like the members would have; all of them must be scored."""

    def measure(self, members: Mask) -> tuple[float, float]:
        """The log of observed over projected among usable members, and its variance within such a group."""

    def limit(self, totals: Array, members: Mask) -> Array:
        """`totals` within what is possible."""


class AmountTotals:
    """Totals of a cost or another amount."""

    def __init__(self, projected: Array, observed: Array) -> None:
        self.projected, self.observed = projected, observed
        self.usable = ~np.isnan(projected) & ~np.isnan(observed)
        edges = np.quantile(projected[self.usable], np.linspace(0, 1, _STRATA + 1)[1:-1])
        self._stratum = np.digitize(projected, edges)
        self._ratio = observed / projected
        self._by_stratum = np.argsort(self._stratum, kind="stable")
        _, variance = self._spread(np.flatnonzero(self.usable))
        self.variance: Array = projected**2 * variance[self._stratum]

    def draw(self, members: Mask, *, pool: Mask, rng: np.random.Generator) -> Array:
        drawn_from = self._by_stratum[(pool & self.usable)[self._by_stratum]]
        n, variance = self._spread(drawn_from)
        # A stratum without any is drawn from all.
        first, size = np.where(n > 0, np.cumsum(n) - n, 0), np.where(n > 0, n, len(drawn_from))
        stratum, amounts = self._stratum[members], self.projected[members]
        places = first[stratum] + (rng.random((_DRAWS, len(amounts))) * size[stratum]).astype(np.int64)
        error_of_mean = rng.standard_normal((_DRAWS, _STRATA)) * np.sqrt(variance / size)
        in_stratum = np.bincount(stratum, amounts, minlength=_STRATA)
        totals: Array = self._ratio[drawn_from][places] @ amounts + error_of_mean @ in_stratum
        return totals

    def measure(self, members: Mask) -> tuple[float, float]:
        own = members & self.usable
        projected = self.projected[own].sum()
        return float(np.log(self.observed[own].sum() / projected)), float(self.variance[own].sum() / projected**2)

    def limit(self, totals: Array, members: Mask) -> Array:
        return np.maximum(totals, 0.0)

    def _spread(self, of: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], Array]:
        """How many of these patients a stratum has, and the variance of their ratios; both (strata,)."""
        stratum, ratio = self._stratum[of], self._ratio[of]
        n = np.bincount(stratum, minlength=_STRATA)
        mean = np.bincount(stratum, ratio, minlength=_STRATA) / np.maximum(n, 1)
        return n, np.bincount(stratum, (ratio - mean[stratum]) ** 2, minlength=_STRATA) / np.maximum(n, 1)


class EventTotals:
    """Totals of events; what is projected are risks."""

    def __init__(self, projected: Array, observed: Array) -> None:
        self.projected, self.observed = projected, observed
        self.usable = ~np.isnan(projected) & ~np.isnan(observed)
        risk = np.clip(projected, _SMALLEST_RISK, 1 - _SMALLEST_RISK)
        self._margin = np.log(risk / (1 - risk))
        self.variance = risk * (1 - risk)

    def draw(self, members: Mask, *, pool: Mask, rng: np.random.Generator) -> Array:
        margin = self._margin[members]
        intercept, slope = self._draw_calibration(pool & self.usable, rng)
        risk = 1 / (1 + np.exp(-(intercept[:, None] + slope[:, None] * margin)))
        events = (rng.random(risk.shape) < risk).sum(axis=1)
        # Smeared by half an event to each side: the steps of small counts would make intervals hold too much.
        totals: Array = events + rng.uniform(-0.5, 0.5, _DRAWS)
        return totals

    def measure(self, members: Mask) -> tuple[float, float]:
        own = members & self.usable
        expected = self.projected[own].sum()
        # Half an event keeps the logarithm of none finite.
        log_ratio = np.log(max(self.observed[own].sum(), 0.5) / expected)
        return float(log_ratio), float(self.variance[own].sum() / expected**2)

    def limit(self, totals: Array, members: Mask) -> Array:
        return np.clip(totals, 0.0, members.sum())

    def _draw_calibration(self, pool: Mask, rng: np.random.Generator) -> tuple[Array, Array]:
        """Intercepts and slopes of the logit that the pool, calibrated as it is, leaves possible; both (draws,)."""
        margin, weight = self._margin[pool], self.variance[pool]
        design = np.column_stack([np.ones_like(margin), margin])
        # The pseudo-inverse takes risks that are the same for everybody: they have no slope.
        covariance = np.linalg.pinv((design * weight[:, None]).T @ design, hermitian=True)
        drawn = rng.multivariate_normal([0.0, 1.0], covariance, size=_DRAWS, method="eigh")
        return drawn[:, 0], drawn[:, 1]


def build_totals(fits: Mapping[str, CrossFit], targets: pd.DataFrame, *, scored: Mask | None) -> dict[str, Totals]:
    """The totals of every target that somebody scored has, by its id.

    targets: a column a target, as in `Cohort`; scored: (n,), whom models may score, None for all.
    """
    built: dict[str, Totals] = {}
    for target_id, fit in fits.items():
        projected = fit.estimate if scored is None else np.where(scored, fit.estimate, np.nan)
        observed = targets[target_id].to_numpy(np.float64)
        if not np.isnan(projected + observed).all():
            of_kind = EventTotals if fit.target.kind is Kind.OUTCOME else AmountTotals
            built[target_id] = of_kind(projected, observed)
    return built


def compute_interval(
    totals: Totals, members: Mask, *, between_sd: float, pool: Mask, levels: list[float], rng: np.random.Generator
) -> list[tuple[float, float]]:
    """For each of `levels`, such as 0.9, the interval for what a group like the members would add up to.

    between_sd: the SD of the log of observed over projected of such a selection (`selection_sd`).
    """
    drawn = totals.draw(members, pool=pool, rng=rng) * np.exp(between_sd * rng.standard_normal(_DRAWS))
    drawn = totals.limit(drawn, members)
    ends = np.quantile(drawn, [(1 + sign * level) / 2 for level in levels for sign in (-1, 1)])
    return [(float(lower), float(upper)) for lower, upper in ends.reshape(-1, 2)]
