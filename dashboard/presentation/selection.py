"""What a list of patients adds up to, and how sure that is."""

import math

import pandas as pd

from pipeline.evaluate.group_effects import selection_sd

_Z90 = 1.645


def bound_events(totals: pd.Series, groups: pd.DataFrame) -> tuple[float, float]:
    """The 90% bounds of the number of events among the scored patients of a list.

    totals: expected, variance (of the number if each risk is right), n, n_refused; groups: as `get_selection_groups`.
    Chance (Poisson-binomial) and how much a selection made up like this one differs from the whole cohort are added, by
    the normal approximation.
    """
    expected = float(totals["expected"])
    spread = _Z90 * math.sqrt(float(totals["variance"]) + (expected * _deviation(groups)) ** 2)
    return max(expected - spread, 0.0), min(expected + spread, float(totals["n"] - totals["n_refused"]))


def _deviation(groups: pd.DataFrame) -> float:
    """The SD of the log of observed over expected that the make-up of the selection brings with it."""
    effects = dict(zip(groups["attribute"], groups["sd"].astype(float), strict=True))
    own, whole = (_shares(groups, column) for column in ("own", "whole"))
    return selection_sd(effects, own, whole)


def _shares(groups: pd.DataFrame, column: str) -> dict[str, dict[str, float]]:
    return {
        str(attribute): dict(zip(levels["level"], levels[column] / levels[column].sum(), strict=True))
        for attribute, levels in groups.groupby("attribute")
    }
