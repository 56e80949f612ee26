"""Folds: everybody once, alike in their outcomes, and inner folds that look at no outcome."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import DataError
from pipeline.splits import assign_folds, inner_folds
from pipeline.study import Study
from pipeline.study.model import Splits


def _targets(n: int, rate: float, *, seed: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"death": (rng.random(n) < rate).astype(float), "cost": rng.lognormal(size=n)})


def test_every_patient_is_in_one_fold_and_folds_differ_by_a_patient_or_two(tiny_study: Study) -> None:
    folds = assign_folds(tiny_study, _targets(1000, 0.3))
    sizes = np.bincount(folds)
    assert len(sizes) == tiny_study.splits.folds
    assert sizes.sum() == 1000
    assert np.ptp(sizes) <= 2


def test_folds_have_the_same_share_of_events(tiny_study: Study) -> None:
    targets = _targets(1000, 0.3)
    folds = assign_folds(tiny_study, targets)
    events = [targets["death"][folds == fold].sum() for fold in range(tiny_study.splits.folds)]
    assert np.ptp(events) <= 1


def test_folds_are_alike_in_every_combination_of_two_outcomes(small_study: Study) -> None:
    rng = np.random.default_rng(8)
    one, other = (rng.random(900) < 0.3).astype(float), (rng.random(900) < 0.5).astype(float)
    targets = pd.DataFrame({"death_180d": one, "hospital_death": other, "total_cost": 1.0, "bed_days": 1.0})
    folds = assign_folds(small_study, targets)
    for combination in ((0, 0), (0, 1), (1, 0), (1, 1)):
        own = (one == combination[0]) & (other == combination[1])
        assert np.ptp(np.bincount(folds[own], minlength=5)) <= 1


def test_the_same_seed_gives_the_same_folds_and_another_gives_others(tiny_study: Study) -> None:
    targets = _targets(300, 0.3)
    first = assign_folds(tiny_study, targets)
    np.testing.assert_array_equal(first, assign_folds(tiny_study, targets))
    reseeded = tiny_study.model_copy(update={"splits": Splits(folds=3, seed=12)})
    assert (assign_folds(reseeded, targets) != first).any()


@pytest.mark.parametrize("events", [1, 2, 3, 4])
def test_events_rarer_than_folds_are_spread_as_far_as_they_go(tiny_study: Study, events: int) -> None:
    targets = _targets(60, 0.0)
    targets.loc[: events - 1, "death"] = 1.0
    folds = assign_folds(tiny_study, targets)
    assert np.bincount(folds).tolist() == [20, 20, 20]


def test_an_outcome_that_was_not_observed_is_a_stratum_of_its_own(tiny_study: Study) -> None:
    targets = _targets(300, 0.3)
    targets.loc[:29, "death"] = np.nan
    folds = assign_folds(tiny_study, targets)
    assert np.bincount(folds[:30]).tolist() == [10, 10, 10]


def test_a_study_without_outcomes_can_be_split(tiny_study: Study) -> None:
    costs_only = tiny_study.model_copy(update={"targets": [tiny_study.target("cost")]})
    assert sorted(Counter(assign_folds(costs_only, _targets(30, 0.5)).tolist()).values()) == [10, 10, 10]


def test_fewer_patients_than_twice_the_folds_are_refused(tiny_study: Study) -> None:
    assert len(assign_folds(tiny_study, _targets(6, 0.5))) == 6
    with pytest.raises(DataError, match="expected at least 6 patients for 3 folds") as caught:
        assign_folds(tiny_study, _targets(5, 0.5))
    assert "got: 5" in str(caught.value)


def test_inner_folds_hold_every_row_once_and_depend_on_the_number_of_rows_alone() -> None:
    folds = inner_folds(101, folds=4, seed=9)
    assert sorted(np.bincount(folds).tolist()) == [25, 25, 25, 26]
    np.testing.assert_array_equal(folds, inner_folds(101, folds=4, seed=9))
    assert (folds != inner_folds(101, folds=4, seed=10)).any()
