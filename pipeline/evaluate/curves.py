"""What a plot needs: calibration by tenths, predicted against observed amounts by tenths, and risks by outcome."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import beta

from pipeline.evaluate.disclosure import SMALLEST_CELL
from pipeline.evaluate.resampling import draw_weights, summarise_draws

Array = npt.NDArray[np.float64]

_BINS = 20
_DRAWS = 400
_AMOUNT_COLUMNS = ["tenth", "predicted", "observed", "lower", "upper", "mae", "predictive_ratio", "n"]


def build_calibration_curve(observed: Array, risk: Array) -> pd.DataFrame:
    """bin (from 1, by risk), predicted, observed, lower, upper (95%, Clopper & Pearson 1934), n, n_events.

    Bins are tenths, joined until each has SMALLEST_CELL events and non-events: none tells of a few patients.
    """
    rows = []
    for i, own in enumerate(_join_small(tenths_of(risk), observed), start=1):
        n, events = int(own.sum()), int(observed[own].sum())
        rows.append((i, float(risk[own].mean()), events / n, *_exact_interval(events, n), n, events))
    return pd.DataFrame(rows, columns=["bin", "predicted", "observed", "lower", "upper", "n", "n_events"])


def build_amount_curve(observed: Array, predicted: Array, *, seed: int) -> pd.DataFrame:
    """tenth (1 to 10 by prediction), predicted and observed mean, lower and upper (95%) of the observed mean, n; and
    how far off the tenth is: mae (mean absolute error of single patients) and predictive_ratio (of their totals).

    With fewer than ten times SMALLEST_CELL patients there are as many equal groups as have that many each.
    """
    groups = max(1, min(10, len(predicted) // SMALLEST_CELL))
    tenth = tenths_of(predicted, groups=groups)
    rows = []
    for t in range(1, groups + 1):
        own = tenth == t
        n = int(own.sum())
        if n:
            w = draw_weights(n, draws=_DRAWS, seed=seed + t)
            mean, lower, upper = summarise_draws(w @ observed[own] / n)
            total = float(observed[own].sum())
            error = float(np.abs(observed[own] - predicted[own]).mean())
            ratio = float(predicted[own].sum()) / total if total > 0 else np.nan
            rows.append((t, float(predicted[own].mean()), mean, lower, upper, error, ratio, n))
    return pd.DataFrame(rows, columns=_AMOUNT_COLUMNS)


def build_risk_distribution(observed: Array, risk: Array) -> pd.DataFrame:
    """bin_low, bin_high, n_event, n_no_event: how risks are spread among patients with and without the event."""
    edges = np.linspace(0, 1, _BINS + 1)
    with_event, _ = np.histogram(risk[observed == 1], bins=edges)
    without, _ = np.histogram(risk[observed == 0], bins=edges)
    return pd.DataFrame({"bin_low": edges[:-1], "bin_high": edges[1:], "n_event": with_event, "n_no_event": without})


def tenths_of(values: Array, *, groups: int = 10) -> npt.NDArray[np.int64]:
    """The tenth, 1 to 10 (or to `groups`), of each value by rank; ties stay in the order of the rows."""
    rank = np.empty(len(values), dtype=np.int64)
    rank[np.argsort(values, kind="stable")] = np.arange(len(values))
    return rank * groups // max(len(values), 1) + 1


def _join_small(tenth: npt.NDArray[np.int64], observed: Array) -> list[npt.NDArray[np.bool_]]:
    """Masks of neighbouring tenths with enough events and non-events in each; one mask if there are few in all."""
    masks: list[npt.NDArray[np.bool_]] = []
    for t in range(1, 11):
        own = tenth == t
        if masks and not _enough(observed[masks[-1]]):
            masks[-1] = masks[-1] | own
        else:
            masks.append(own)
    if len(masks) > 1 and not _enough(observed[masks[-1]]):
        masks[-2:] = [masks[-2] | masks[-1]]
    return [mask for mask in masks if mask.any()]


def _enough(observed: Array) -> bool:
    return bool(SMALLEST_CELL <= observed.sum() <= len(observed) - SMALLEST_CELL)


def _exact_interval(events: int, n: int) -> tuple[float, float]:
    lower = float(beta.ppf(0.025, events, n - events + 1)) if events else 0.0
    upper = float(beta.ppf(0.975, events + 1, n - events)) if events < n else 1.0
    return lower, upper
