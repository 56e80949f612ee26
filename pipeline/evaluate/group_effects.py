"""How much groups differ from the cohort beyond chance, and what that adds to the interval of a selection.

Plain NumPy: pages import it.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Shares = dict[str, dict[str, float]]
# Predictions without error would otherwise weigh infinitely.
_NO_VARIANCE = 1e-12


def compute_between_sd(log_ratios: Array, variances: Array) -> float:
    """The SD between levels of the log of observed over projected, NaN for fewer than two levels.

    log_ratios, variances: (levels,), the latter the variance within each level. DerSimonian and Laird's moment
    estimate (1986, doi:10.1016/0197-2456(86)90046-2), 0 where levels differ no more than chance makes them.
    """
    if len(log_ratios) < 2:
        return float("nan")
    weights = 1 / np.maximum(variances, _NO_VARIANCE)
    mean = np.sum(weights * log_ratios) / weights.sum()
    excess = np.sum(weights * (log_ratios - mean) ** 2) - (len(log_ratios) - 1)
    return float(np.sqrt(max(0.0, excess / (weights.sum() - np.sum(weights**2) / weights.sum()))))


class Levels:
    """Which level of each attribute every patient has, from a frame with a column an attribute, a row a patient."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.names = {str(a): list(dict.fromkeys(frame[a])) for a in frame}
        self._nobody: Mask = np.zeros(len(frame), dtype=bool)
        self._members: dict[tuple[str, str], Mask] = {
            (a, v): (frame[a] == v).to_numpy() for a, names in self.names.items() for v in names
        }
        self._indicators = np.column_stack(list(self._members.values())).astype(np.float64) if self._members else None

    def members(self, attribute: str, level: str) -> Mask:
        """(n,): who has that level."""
        return self._members.get((attribute, level), self._nobody)

    def compute_shares(self, projected: Array, chosen: Mask) -> Shares:
        """For each attribute the share of each level in the projected total of those chosen; both (n,)."""
        if self._indicators is None:
            return {}
        weights = np.where(chosen, projected, 0.0)
        shares = weights @ self._indicators / weights.sum()
        by_attribute: Shares = {a: {} for a in self.names}
        for (attribute, level), share in zip(self._members, shares, strict=True):
            by_attribute[attribute][level] = float(share)
        return by_attribute


def selection_sd(
    effects: Mapping[str, float],
    shares_in_selection: Mapping[str, Mapping[str, float]],
    shares_in_cohort: Mapping[str, Mapping[str, float]],
) -> float:
    """The SD of the log of observed over projected that a selection has for being made up differently from the cohort.

    effects: the SD between the levels of each attribute (table `group_effect`; NaN counts as 0); shares: for each
    attribute the share of each level in the projected total (`Levels.compute_shares`); a level not named has none.

    If the level l of attribute a lifts what is observed by exp(u_l), u_l ~ N(0, sd_a²), the selection deviates from
    the cohort by Σ_l (share of l in the selection - share in the cohort) u_l: hardly for a random selection, by all
    of sd_a or more for a single level. Attributes are taken to be independent, which double counts where they are not.
    """
    variance = 0.0
    for attribute, sd in effects.items():
        own, whole = shares_in_selection.get(attribute, {}), shares_in_cohort.get(attribute, {})
        apart = sum((own.get(level, 0.0) - whole.get(level, 0.0)) ** 2 for level in {*own, *whole})
        variance += apart * sd**2 if np.isfinite(sd) else 0.0
    return float(np.sqrt(variance))
