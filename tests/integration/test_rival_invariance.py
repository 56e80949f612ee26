"""With folds fixed, a patient's own outcome never reaches what a rival or a combination says of them."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.build import check_study
from pipeline.cohort import Cohort
from pipeline.features import Matrix, build_matrix
from pipeline.models.boosting import Boosting
from pipeline.models.crossfit import cross_fit
from pipeline.models.rivals import Rivals, fit_rivals
from pipeline.splits import Folds, assign_folds
from pipeline.study import Kind, Study

TARGETS = ["death_180d", "hospital_death", "total_cost", "bed_days"]
PATIENTS_PER_TARGET = 2
Case = tuple[Cohort, Matrix, Folds]


@pytest.fixture(scope="module")
def case(small_study: Study) -> Case:
    cohort = check_study(small_study)
    return cohort, build_matrix(small_study, cohort.subjects), assign_folds(small_study, cohort.targets)


@pytest.fixture(scope="module")
def briefest() -> Boosting:
    return Boosting(max_rounds=15, patience=5, inner_folds=3, refits=0)


def _fit(study: Study, target_id: str, case: Case, boosting: Boosting) -> Rivals:
    cohort, matrix, folds = case
    observed = cohort.targets[target_id].to_numpy(np.float64)
    fit = cross_fit(study, study.target(target_id), matrix, observed, folds, boosting=boosting)
    return fit_rivals(study, fit, cohort, matrix, folds, boosting=boosting)


@pytest.mark.parametrize("target_id", TARGETS)
def test_changing_a_patients_own_outcome_leaves_rivals_and_combinations_bit_for_bit(
    small_study: Study, case: Case, briefest: Boosting, target_id: str
) -> None:
    cohort, matrix, folds = case
    before = _fit(small_study, target_id, case, briefest)
    n_baselines = sum(b.target == target_id for b in small_study.baselines)
    assert len(before.models) == 2 + n_baselines + (n_baselines > 1)
    seen = np.flatnonzero(cohort.targets[target_id].notna())
    for patient in np.random.default_rng(7).choice(seen, PATIENTS_PER_TARGET, replace=False):
        targets = cohort.targets.copy()
        value = targets.loc[patient, target_id]
        outcome = small_study.target(target_id).kind is Kind.OUTCOME
        targets.loc[patient, target_id] = 1 - value if outcome else value * 40
        after = _fit(small_study, target_id, (replace(cohort, targets=targets), matrix, folds), briefest)
        own = folds == folds[patient]
        for one, other in zip(before.models, after.models, strict=True):
            for name in ("margin", "estimate", "log_prediction", "bounds"):
                said, again = getattr(one.prediction, name), getattr(other.prediction, name)
                np.testing.assert_array_equal(said[own], again[own], err_msg=f"{one.model_id} {name}")
            # The change is not simply ignored.
            speaks = np.isfinite(one.prediction.margin) & ~own
            assert (one.prediction.margin[speaks] != other.prediction.margin[speaks]).any(), one.model_id
        np.testing.assert_array_equal(before.glass_box_contributions[own], after.glass_box_contributions[own])
        assert (before.glass_box_contributions[~own] != after.glass_box_contributions[~own]).any()
