"""With folds fixed, a patient's own outcome never reaches their estimate, interval or reasons.

The folds are those of the study as it is: assigning them anew with a changed outcome could move other patients about.
"""

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.build import check_study
from pipeline.explain.contributions import Contributions, explain_cross_fit
from pipeline.features import Matrix, build_matrix
from pipeline.models import intervals
from pipeline.models.boosting import Boosting
from pipeline.models.crossfit import CrossFit, cross_fit
from pipeline.splits import Folds, assign_folds
from pipeline.study import Kind, Study

Array = npt.NDArray[np.float64]
TARGETS = ["death_180d", "hospital_death", "total_cost", "bed_days"]
PATIENTS_PER_TARGET = 5
Fitted = tuple[CrossFit, Contributions]


@pytest.fixture(scope="module")
def case(small_study: Study) -> tuple[Matrix, Folds, dict[str, Array]]:
    cohort = check_study(small_study)
    observed = {t.id: cohort.targets[t.id].to_numpy(np.float64) for t in small_study.targets}
    return build_matrix(small_study, cohort.subjects), assign_folds(small_study, cohort.targets), observed


@pytest.fixture(scope="module")
def briefest() -> Boosting:
    """Fewer trees still: every change asks for a whole cross-fit."""
    return Boosting(max_rounds=15, patience=5, inner_folds=3, refits=2)


def _fit(study: Study, target_id: str, matrix: Matrix, observed: Array, folds: Folds, boosting: Boosting) -> Fitted:
    fit = cross_fit(study, study.target(target_id), matrix, observed, folds, boosting=boosting)
    return fit, explain_cross_fit(study, fit, matrix, folds)


def _changed(study: Study, target_id: str, observed: Array, patient: int) -> Array:
    """The outcomes with that of one patient flipped, or their amount multiplied."""
    changed = observed.copy()
    if study.target(target_id).kind is Kind.OUTCOME:
        changed[patient] = 1 - changed[patient]
    else:
        changed[patient] *= 40
    return changed


@pytest.mark.parametrize("target_id", TARGETS)
def test_changing_a_patients_own_outcome_leaves_all_that_is_shown_of_them_bit_for_bit(
    small_study: Study, case: tuple[Matrix, Folds, dict[str, Array]], briefest: Boosting, target_id: str
) -> None:
    matrix, folds, targets = case
    observed = targets[target_id]
    before, why_before = _fit(small_study, target_id, matrix, observed, folds, briefest)
    seen = np.flatnonzero(~np.isnan(observed))
    for patient in np.random.default_rng(6).choice(seen, PATIENTS_PER_TARGET, replace=False):
        changed = _changed(small_study, target_id, observed, patient)
        after, why_after = _fit(small_study, target_id, matrix, changed, folds, briefest)
        own = folds == folds[patient]
        # The patient's fold, and so the patient: nobody in it is scored by a model that saw the change.
        for name in ("margin", "estimate", "bounds", "band", "log_prediction"):
            np.testing.assert_array_equal(getattr(before, name)[own], getattr(after, name)[own], err_msg=name)
        for name in ("rebuilt", "top_features"):
            np.testing.assert_array_equal(getattr(before, name)[:, own], getattr(after, name)[:, own], err_msg=name)
        np.testing.assert_array_equal(why_before.by_feature[own], why_after.by_feature[own])
        np.testing.assert_array_equal(why_before.base[own], why_after.base[own])
        # The change is not simply ignored.
        for name in ("margin", "estimate", "bounds"):
            assert (getattr(before, name)[~own] != getattr(after, name)[~own]).any(), name
        assert (before.rebuilt[:, ~own] != after.rebuilt[:, ~own]).any()
        assert np.isnan(before.band).all() or (before.band[~own] != after.band[~own]).any()
        assert (why_before.by_feature[~own] != why_after.by_feature[~own]).any()


def test_an_outcome_that_was_never_observed_changes_nobody_in_the_patients_fold_either(
    small_study: Study, case: tuple[Matrix, Folds, dict[str, Array]], briefest: Boosting
) -> None:
    matrix, folds, targets = case
    observed = targets["total_cost"]
    patient = int(np.flatnonzero(~np.isnan(observed))[7])
    unobserved = observed.copy()
    unobserved[patient] = np.nan
    before, _ = _fit(small_study, "total_cost", matrix, observed, folds, briefest)
    after, _ = _fit(small_study, "total_cost", matrix, unobserved, folds, briefest)
    own = folds == folds[patient]
    np.testing.assert_array_equal(before.margin[own], after.margin[own])
    np.testing.assert_array_equal(before.bounds[own], after.bounds[own])
    assert (before.margin[~own] != after.margin[~own]).any()


def test_the_outcomes_of_one_target_never_reach_another(
    small_study: Study, case: tuple[Matrix, Folds, dict[str, Array]]
) -> None:
    # Features are all that a model reads: no target's column is among them.
    columns = {f.column for f in small_study.features}
    assert not columns & {"death", "hospdead", "d.time", "totcst", "slos"}
    assert case[0].shape[1] == len(small_study.features)


def test_an_interval_made_within_a_diagnosis_does_not_see_the_patients_own_amount(
    small_study: Study,
    case: tuple[Matrix, Folds, dict[str, Array]],
    briefest: Boosting,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The small study has no diagnosis of as many patients as are asked for.
    monkeypatch.setattr(intervals, "FEWEST_OF_A_CLASS", 50)
    matrix, folds, targets = case
    observed, target = targets["total_cost"], small_study.target("total_cost")
    classes = check_study(small_study).subjects["diagnosis"].to_numpy(np.str_)
    patient = int(np.flatnonzero(~np.isnan(observed))[11])
    changed = _changed(small_study, "total_cost", observed, patient)

    def bounds_of(amounts: Array, within: npt.NDArray[np.str_] | None) -> Array:
        return cross_fit(small_study, target, matrix, amounts, folds, boosting=briefest, classes=within).bounds

    before, after, pooled = bounds_of(observed, classes), bounds_of(changed, classes), bounds_of(observed, None)
    own = folds == folds[patient]
    np.testing.assert_array_equal(before[own], after[own])
    assert (before[~own] != after[~own]).any()
    assert (before != pooled).any()
