"""Measures of a predicted risk, for many weightings of the same patients at once.

Every function takes `y` (n,) events 0/1, `p` (n,) risks and `w` (B, n) weights (how often each patient was drawn), and
returns (B,). A measure that a weighting does not allow (no event, say) is NaN there.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

Array = npt.NDArray[np.float64]
Metric = Callable[[Array, Array, Array], Array]

# A recorded risk of exactly 0 or 1 (physicians gave some) has no logit; it counts as this far from certainty.
_NEAREST_TO_CERTAIN = 0.005
_ECE_BINS = 10
_NEWTON_STEPS = 50
_LONGEST_STEP = 2.0
_SAME = 1e-9


@dataclass(frozen=True)
class Tally:
    """The distinct risks (risks,), lowest first, and the weight of events and of non-events at each (B, risks)."""

    risks: Array
    events: Array
    others: Array


def tally_patients(y: Array, p: Array, w: Array) -> Tally:
    """What ranking and calibration are computed from: each distinct risk is looked at once, however many have it."""
    order = np.argsort(p, kind="stable")
    starts = np.flatnonzero(np.diff(p[order], prepend=-np.inf))
    sorted_w, sorted_y = w[:, order], y[order]
    return Tally(
        risks=p[order][starts],
        events=np.add.reduceat(sorted_w * sorted_y, starts, axis=1),
        others=np.add.reduceat(sorted_w * (1 - sorted_y), starts, axis=1),
    )


def auroc(y: Array, p: Array, w: Array) -> Array:
    """The chance that a patient with the event has the higher risk; ties count half."""
    return auroc_of(tally_patients(y, p, w))


def auroc_of(tally: Tally) -> Array:
    """As `auroc`."""
    positive, negative = tally.events, tally.others
    below = np.cumsum(negative, axis=1) - negative
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    return _divide((positive * (below + negative / 2)).sum(axis=1), pairs)


def auprc(y: Array, p: Array, w: Array) -> Array:
    """Average precision: precision at each risk, weighted by the events found there."""
    return auprc_of(tally_patients(y, p, w))


def auprc_of(tally: Tally) -> Array:
    """As `auprc`."""
    positive, negative = tally.events[:, ::-1], tally.others[:, ::-1]
    found, flagged = np.cumsum(positive, axis=1), np.cumsum(positive + negative, axis=1)
    return _divide((positive * _divide(found, flagged, otherwise=0.0)).sum(axis=1), positive.sum(axis=1))


def brier(y: Array, p: Array, w: Array) -> Array:
    """The mean squared distance between risk and event (Brier 1950)."""
    return _divide(w @ (y - p) ** 2, w.sum(axis=1))


def observed_expected(y: Array, p: Array, w: Array) -> Array:
    """Observed events over expected events."""
    return _divide(w @ y, w @ p)


def event_rate(y: Array, p: Array, w: Array) -> Array:
    """The share of patients with the event."""
    return _divide(w @ y, w.sum(axis=1))


def mean_risk(y: Array, p: Array, w: Array) -> Array:
    """The mean predicted risk."""
    return _divide(w @ p, w.sum(axis=1))


def tenth_edges(p: Array) -> Array:
    """The nine risks that cut patients into ten equal groups."""
    return np.asarray(np.quantile(p, np.linspace(0, 1, _ECE_BINS + 1)[1:-1]))


def ece(y: Array, p: Array, w: Array, *, edges: Array | None = None) -> Array:
    """Expected calibration error: the mean distance between risk and event rate over ten equal groups by risk.

    edges: those of the groups, where `p` are not the risks of single patients.
    """
    groups = np.digitize(p, tenth_edges(p) if edges is None else edges)
    gaps = [np.abs(w[:, groups == g] @ (y - p)[groups == g]) for g in range(_ECE_BINS)]
    return _divide(np.sum(gaps, axis=0), w.sum(axis=1))


def calibration_intercept(y: Array, p: Array, w: Array) -> Array:
    """Calibration in the large: the shift of the logit that makes expected events equal observed ones (Cox 1958)."""
    return calibration_intercept_of(tally_patients(y, p, w))


def calibration_intercept_of(tally: Tally) -> Array:
    """As `calibration_intercept`."""
    line, events, total = _logit(tally.risks), tally.events.sum(axis=1), tally.events + tally.others
    patients = total.sum(axis=1)
    # Newton's steps from the shift of the means, none so long that it could leave the other side for good.
    a = _logit(_divide(events, patients)) - _logit(_divide(total @ tally.risks, patients))
    step = np.full(len(total), np.inf)
    for _ in range(_NEWTON_STEPS):
        fitted = expit(a[:, None] + line)
        expected = total * fitted
        step = _divide(events - expected.sum(axis=1), (expected * (1 - fitted)).sum(axis=1))
        a = a + np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        if _settled(step).all():
            break
    return np.where(_has_both(tally) & _settled(step), a, np.nan)


def calibration_slope(y: Array, p: Array, w: Array) -> Array:
    """The slope of the event on the logit of the risk: below 1 too extreme, above 1 too timid (Cox 1958).

    NaN where the risks separate events from non-events, or do not vary: no slope is the most likely one then.
    """
    return calibration_slope_of(tally_patients(y, p, w))


def calibration_slope_of(tally: Tally) -> Array:
    """As `calibration_slope`."""
    line, events, total = _logit(tally.risks), tally.events, tally.events + tally.others
    spread = float(np.std(line))
    if spread < _SAME:
        return np.full(len(events), np.nan)
    # Standardised, and from the model that knows only the event rate, Newton's method does not run away.
    z = (line - line.mean()) / spread
    powers = np.column_stack([np.ones_like(z), z, z**2])
    a, b = _logit(_divide(events.sum(axis=1), total.sum(axis=1))), np.zeros(len(events))
    step = np.full(len(events), np.inf)
    for _ in range(_NEWTON_STEPS):
        fitted = expit(a[:, None] + b[:, None] * z)
        expected = total * fitted
        # Summed after the difference is taken: where risks separate the events, all that is left is rounding.
        g0, g1 = ((events - expected) @ powers[:, :2]).T
        h00, h01, h11 = ((expected * (1 - fitted)) @ powers).T
        determinant = h00 * h11 - h01**2
        step_a = np.clip(_divide(h11 * g0 - h01 * g1, determinant), -_LONGEST_STEP, _LONGEST_STEP)
        step_b = np.clip(_divide(h00 * g1 - h01 * g0, determinant), -_LONGEST_STEP, _LONGEST_STEP)
        a, b = a + step_a, b + step_b
        step = np.maximum(np.abs(step_a), np.abs(step_b))
        if (_settled(step) | np.isnan(step)).all():
            break
    return np.where(_has_both(tally) & _settled(step), b / spread, np.nan)


def sensitivity(y: Array, p: Array, w: Array, *, threshold: float) -> Array:
    """Of patients with the event, the share at or above the threshold."""
    return _divide(w @ (y * (p >= threshold)), w @ y)


def specificity(y: Array, p: Array, w: Array, *, threshold: float) -> Array:
    """Of patients without the event, the share below the threshold."""
    return _divide(w @ ((1 - y) * (p < threshold)), w @ (1 - y))


def ppv(y: Array, p: Array, w: Array, *, threshold: float) -> Array:
    """Of patients at or above the threshold, the share with the event."""
    return _divide(w @ (y * (p >= threshold)), w @ (p >= threshold).astype(np.float64))


def number_needed_to_evaluate(y: Array, p: Array, w: Array, *, threshold: float) -> Array:
    """Patients at or above the threshold for each one of them with the event: 1 / ppv."""
    return _divide(w @ (p >= threshold).astype(np.float64), w @ (y * (p >= threshold)))


def npv(y: Array, p: Array, w: Array, *, threshold: float) -> Array:
    """Of patients below the threshold, the share without the event."""
    return _divide(w @ ((1 - y) * (p < threshold)), w @ (p < threshold).astype(np.float64))


def flag_rate(y: Array, p: Array, w: Array, *, threshold: float) -> Array:
    """The share of patients at or above the threshold."""
    return _divide(w @ (p >= threshold).astype(np.float64), w.sum(axis=1))


def net_benefit(y: Array, p: Array, w: Array, *, threshold: float) -> Array:
    """True positives less false positives at the odds of the threshold, per patient (Vickers & Elkin 2006)."""
    flagged = p >= threshold
    weighed = y * flagged - (1 - y) * flagged * threshold / (1 - threshold)
    return _divide(w @ weighed, w.sum(axis=1))


RANKING: dict[str, Metric] = {"auroc": auroc, "auprc": auprc}
OVERALL: dict[str, Metric] = {
    **RANKING,
    "brier": brier,
    "calibration_intercept": calibration_intercept,
    "calibration_slope": calibration_slope,
    "observed_expected": observed_expected,
    "ece": ece,
    "event_rate": event_rate,
    "mean_risk": mean_risk,
}
# Those that look at each risk once, for who has a tally already.
OF_TALLY: dict[str, Callable[[Tally], Array]] = {
    "auroc": auroc_of,
    "auprc": auprc_of,
    "calibration_intercept": calibration_intercept_of,
    "calibration_slope": calibration_slope_of,
}
AT_THRESHOLD: dict[str, Callable[..., Array]] = {
    "sensitivity": sensitivity,
    "specificity": specificity,
    "ppv": ppv,
    "number_needed_to_evaluate": number_needed_to_evaluate,
    "npv": npv,
    "flag_rate": flag_rate,
    "net_benefit": net_benefit,
}


def _logit(p: Array) -> Array:
    return np.asarray(logit(np.clip(p, _NEAREST_TO_CERTAIN, 1 - _NEAREST_TO_CERTAIN)), dtype=np.float64)


def _has_both(tally: Tally) -> npt.NDArray[np.bool_]:
    return np.asarray((tally.events.sum(axis=1) > 0) & (tally.others.sum(axis=1) > 0))


def _settled(step: Array) -> npt.NDArray[np.bool_]:
    return np.abs(step) < 1e-7


def _divide(top: Array, bottom: Array, *, otherwise: float = np.nan) -> Array:
    out = np.full(np.shape(top), otherwise)
    np.divide(top, bottom, out=out, where=np.asarray(bottom) > 0)
    return out
