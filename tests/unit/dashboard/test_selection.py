"""What a list of patients adds up to, against simulations and the formula written out."""

import math

import numpy as np
import pandas as pd
import pytest

from dashboard.presentation.selection import bound_events

COLUMNS = ["attribute", "sd", "level", "own", "whole"]


def _totals(risks: "np.typing.NDArray[np.float64]", *, refused: int = 0) -> pd.Series:
    return pd.Series(
        {
            "expected": risks.sum(),
            "variance": (risks * (1 - risks)).sum(),
            "n": len(risks) + refused,
            "n_refused": refused,
        }
    )


def _groups(*rows: tuple[str, float, str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


def test_a_selection_made_up_like_the_cohort_has_the_bounds_of_chance() -> None:
    rng = np.random.default_rng(1)
    risks = rng.beta(2, 3, 400)
    groups = _groups(("sex", 0.3, "men", 60, 600), ("sex", 0.3, "women", 40, 400))
    low, high = bound_events(_totals(risks), groups)
    events = (rng.random((20_000, 400)) < risks).sum(axis=1)
    # Whole numbers of events: half of one to either side.
    assert abs(low - np.quantile(events, 0.05)) <= 1
    assert abs(high - np.quantile(events, 0.95)) <= 1


def test_a_single_level_has_as_much_of_the_difference_between_levels_as_it_stands_apart() -> None:
    risks = np.full(500, 0.4)
    groups = _groups(("site", 0.2, "a", 200, 500), ("site", 0.2, "b", 0, 500), ("sex", math.nan, "men", 200, 1000))
    low, high = bound_events(_totals(risks), groups)
    variance = 500 * 0.4 * 0.6 + 200**2 * 0.2**2 * (0.5**2 + 0.5**2)
    assert (low, high) == pytest.approx((200 - 1.645 * math.sqrt(variance), 200 + 1.645 * math.sqrt(variance)))


def test_a_study_without_subgroups_has_the_bounds_of_chance() -> None:
    low, high = bound_events(_totals(np.full(100, 0.5)), _groups())
    assert (low, high) == pytest.approx((50 - 1.645 * 5, 50 + 1.645 * 5))


def test_bounds_are_none_below_nobody_and_none_above_all_who_are_scored() -> None:
    groups = _groups(("site", 3.0, "a", 9, 9), ("site", 3.0, "b", 0, 91))
    low, high = bound_events(_totals(np.full(10, 0.9), refused=4), groups)
    assert (low, high) == (0, 10)
