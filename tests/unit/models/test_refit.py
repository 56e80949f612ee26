"""Our model fitted again on other folds, and on some patients for others."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.build import check_study
from pipeline.features import Matrix, build_matrix
from pipeline.models.boosting import Boosting, fit_booster, label_of, predict_margin
from pipeline.models.link import link_of
from pipeline.models.readout import Prediction
from pipeline.models.recalibration import fit_recalibration
from pipeline.models.refit import cross_fit_again, fit_elsewhere
from pipeline.splits import Folds, assign_folds
from pipeline.study import Study

Array = npt.NDArray[np.float64]
ROUNDS, SEED = 12, 4
Case = tuple[Matrix, dict[str, Array], Folds]
Again = Callable[[str, Array], Prediction]


@pytest.fixture(scope="module")
def case(tiny_study: Study) -> Case:
    cohort = check_study(tiny_study)
    targets = {t.id: cohort.targets[t.id].to_numpy(np.float64) for t in tiny_study.targets}
    return build_matrix(tiny_study, cohort.subjects), targets, assign_folds(tiny_study, cohort.targets)


@pytest.fixture(scope="module")
def again(tiny_study: Study, case: Case, quick: Boosting) -> Again:
    def run(target_id: str, observed: Array) -> Prediction:
        target = tiny_study.target(target_id)
        with ThreadPoolExecutor(2) as pool:
            return cross_fit_again(
                tiny_study, target, case[0], observed, case[2], boosting=quick, rounds=ROUNDS, seed=SEED, pool=pool
            )

    return run


@pytest.mark.parametrize("target_id", ["death", "cost"])
def test_sharing_models_between_pairs_of_folds_changes_nothing(
    tiny_study: Study, case: Case, quick: Boosting, again: Again, target_id: str
) -> None:
    matrix, targets, folds = case
    observed, link = targets[target_id], link_of(tiny_study.target(target_id).kind)
    seen = ~np.isnan(observed)

    def score(train: npt.NDArray[np.bool_], scored: npt.NDArray[np.bool_]) -> Array:
        label = label_of(observed[train], link)
        booster = fit_booster(tiny_study, matrix[train], label, link=link, boosting=quick, rounds=ROUNDS, seed=SEED)
        return predict_margin(tiny_study, booster, matrix[scored])

    said = again(target_id, observed)
    for k in range(3):
        inner = np.full(len(folds), np.nan)
        for j in {0, 1, 2} - {k}:
            inner[folds == j] = score(seen & (folds != j) & (folds != k), folds == j)
        train = seen & (folds != k)
        recalibration = fit_recalibration(inner[train], observed[train], link=link)
        np.testing.assert_allclose(said.margin[folds == k], recalibration.apply(score(train, folds == k)), atol=1e-9)


def test_a_patients_own_outcome_never_reaches_their_fold(case: Case, again: Again) -> None:
    _, targets, folds = case
    before = again("death", targets["death"])
    changed = targets["death"].copy()
    changed[17] = 1 - changed[17]
    after = again("death", changed)
    own = folds == folds[17]
    np.testing.assert_array_equal(before.margin[own], after.margin[own])
    assert (before.margin[~own] != after.margin[~own]).any()


def test_those_who_are_scored_elsewhere_teach_nothing(tiny_study: Study, case: Case, quick: Boosting) -> None:
    matrix, targets, _ = case
    train, scored = np.arange(150), np.arange(150, len(matrix))

    def score(observed: Array) -> Array:
        target = tiny_study.target("death")
        return fit_elsewhere(
            tiny_study, target, matrix, observed, train, scored, boosting=quick, rounds=ROUNDS, seed=SEED
        ).estimate

    before = score(targets["death"])
    assert before.shape == (len(scored),)
    others, taught = targets["death"].copy(), targets["death"].copy()
    others[scored] = 1 - others[scored]
    taught[:20] = 1 - taught[:20]
    np.testing.assert_array_equal(score(others), before)
    assert (score(taught) != before).any()
