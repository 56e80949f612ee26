"""Rivals and combinations: what each may know, and what it makes of what it knows."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from pipeline.build import check_study
from pipeline.cohort import Cohort
from pipeline.features import Matrix, build_matrix
from pipeline.models.boosting import Boosting
from pipeline.models.combination import Opinion, combine
from pipeline.models.crossfit import CrossFit, cross_fit
from pipeline.models.demographics import demographics_of, predict_from_demographics
from pipeline.models.glass_box import explain_glass_box, one_feature_a_tree
from pipeline.models.rivals import ModelKind, Rivals, fit_rivals
from pipeline.splits import Folds, assign_folds
from pipeline.study import Study, load_study
from tests.conftest import WriteStudy
from tests.synthetic import SECTIONS

Array = npt.NDArray[np.float64]
N = 3000
AGE, SEX, LACTATE, WARD = range(4)


@pytest.fixture(scope="module")
def made() -> tuple[Matrix, Folds]:
    """Features of the tiny study for patients that never were, and folds."""
    rng = np.random.default_rng(5)
    columns = [rng.uniform(20, 90, N), rng.integers(0, 2, N), rng.lognormal(0.7, 0.6, N), rng.integers(0, 3, N)]
    return np.column_stack(columns).astype(np.float32), rng.integers(0, 3, N)


@pytest.fixture(scope="module")
def cohort(tiny_study: Study) -> Cohort:
    return check_study(tiny_study)


@pytest.fixture(scope="module")
def rivals(tiny_study: Study, cohort: Cohort, quick: Boosting) -> dict[str, Rivals]:
    matrix, folds = build_matrix(tiny_study, cohort.subjects), assign_folds(tiny_study, cohort.targets)
    found = {}
    for target in tiny_study.targets:
        observed = cohort.targets[target.id].to_numpy(float)
        fit = cross_fit(tiny_study, target, matrix, observed, folds, boosting=replace(quick, refits=0))
        found[target.id] = fit_rivals(tiny_study, fit, cohort, matrix, folds, boosting=quick)
    return found


def _happens(margin: Array, *, seed: int = 6) -> Array:
    return (np.random.default_rng(seed).random(len(margin)) < 1 / (1 + np.exp(-margin))).astype(float)


def _fit_on(
    study: Study, columns: list[int], made: tuple[Matrix, Folds], observed: Array, boosting: Boosting
) -> CrossFit:
    """A model that sees only these columns: the others are missing everywhere."""
    matrix = np.full_like(made[0], np.nan)
    matrix[:, columns] = made[0][:, columns]
    return cross_fit(study, study.target("death"), matrix, observed, made[1], boosting=replace(boosting, refits=0))


def test_each_target_has_the_rivals_that_its_study_allows(rivals: dict[str, Rivals]) -> None:
    kinds = {t: {m.model_id: m.kind for m in r.models} for t, r in rivals.items()}
    simpler = {"age_sex_diagnosis": ModelKind.RIVAL, "glass_box": ModelKind.RIVAL}
    # The nurse is the only baseline: all together would be the same once more.
    assert kinds == {"death": {**simpler, "xgboost_plus_nurse": ModelKind.COMBINATION}, "cost": simpler}
    labels = {m.model_id: m.label for m in rivals["death"].models}
    assert labels["age_sex_diagnosis"] == "Age and sex alone"
    assert labels["xgboost_plus_nurse"] == "This model and the nurse together"


def test_rivals_speak_of_every_patient_also_of_those_whose_amount_was_never_observed(
    rivals: dict[str, Rivals], cohort: Cohort
) -> None:
    assert cohort.targets["cost"].isna().any()
    for rival in [*rivals["death"].models, *rivals["cost"].models]:
        assert np.isfinite(rival.prediction.estimate).all(), rival.model_id
    for rival in rivals["cost"].models:
        assert np.isfinite(rival.prediction.log_prediction).all()
        assert (rival.prediction.bounds[:, 2] < rival.prediction.bounds[:, 3]).all()


def test_a_bent_effect_of_age_is_found(tiny_study: Study, made: tuple[Matrix, Folds]) -> None:
    matrix, folds = made
    # The young and the old die; in the middle they do not. A straight line would find nothing.
    margin = 0.004 * (matrix[:, AGE].astype(float) - 55) ** 2 - 2
    observed = _happens(margin)
    said = predict_from_demographics(
        tiny_study, tiny_study.target("death"), pd.DataFrame(index=range(N)), matrix, observed, folds, n_inner=3
    )
    assert roc_auc_score(observed, said.estimate) > roc_auc_score(observed, margin) - 0.01
    assert said.estimate.mean() == pytest.approx(observed.mean(), abs=0.01)


def test_diagnosis_sex_and_an_age_that_is_missing_are_taken_as_they_are(
    tiny_study: Study, made: tuple[Matrix, Folds]
) -> None:
    matrix, folds = made[0].copy(), made[1]
    missing = np.random.default_rng(8).random(N) < 0.2
    matrix[missing, AGE] = np.nan
    band = np.where(made[0][:, AGE] < 65, "under 65", "65 and over").astype(object)
    band[missing] = "missing"
    subjects = pd.DataFrame({"age_band": band})
    margin = np.where(missing, 1.0, -1.0) + np.where(matrix[:, SEX] == 1, 1.0, 0.0)
    observed = _happens(margin)
    study = tiny_study.model_copy(update={"diagnosis": "age_band"})
    said = predict_from_demographics(study, study.target("death"), subjects, matrix, observed, folds, n_inner=3)
    for group in np.unique(margin):
        own = margin == group
        assert said.estimate[own].mean() == pytest.approx(1 / (1 + np.exp(-group)), abs=0.05)


def test_what_a_study_lacks_is_left_out(
    tiny_study: Study, write_study: WriteStudy, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert demographics_of(tiny_study) == ["age", "sex"]
    features = SECTIONS["features"]
    assert isinstance(features, list)
    bare = load_study(write_study(tmp_path_factory.mktemp("bare"), features=features[2:], headline=[]))
    assert demographics_of(bare) == []


def test_the_glass_box_cannot_learn_what_two_features_only_do_together(
    tiny_study: Study, made: tuple[Matrix, Folds], quick: Boosting
) -> None:
    matrix, folds = made
    together = (matrix[:, AGE] > 55) ^ (matrix[:, SEX] == 1)
    observed = _happens(np.where(together, 2.0, -2.0))
    full = cross_fit(tiny_study, tiny_study.target("death"), matrix, observed, folds, boosting=replace(quick, refits=0))
    simple = cross_fit(
        tiny_study, tiny_study.target("death"), matrix, observed, folds, boosting=one_feature_a_tree(quick)
    )
    assert roc_auc_score(observed, full.estimate) > 0.8
    assert roc_auc_score(observed, simple.estimate) < 0.6


def test_what_a_feature_adds_in_the_glass_box_depends_on_nothing_else(
    tiny_study: Study, made: tuple[Matrix, Folds], quick: Boosting
) -> None:
    matrix, folds = made
    observed = _happens(0.05 * (matrix[:, AGE].astype(float) - 55) + 0.8 * (matrix[:, WARD] == 2))
    fit = cross_fit(tiny_study, tiny_study.target("death"), matrix, observed, folds, boosting=one_feature_a_tree(quick))
    contributions = explain_glass_box(tiny_study, fit, matrix, folds)
    assert contributions.shape == matrix.shape
    for fold in range(3):
        own = folds == fold
        # One mean margin a fold: the rest is the sum of the contributions.
        assert np.ptp(fit.margin[own] - contributions[own].sum(axis=1)) < 1e-4
        for position in (SEX, WARD):
            for value in np.unique(matrix[own, position]):
                same = own & (matrix[:, position] == value)
                assert np.ptp(contributions[same, position]) < 1e-5
        order = np.argsort(matrix[own, AGE])
        old, young = contributions[own, AGE][order][-50:], contributions[own, AGE][order][:50]
        assert old.min() > 0.5
        assert young.max() < -0.5


def test_together_model_and_baseline_know_what_each_knows(
    tiny_study: Study, made: tuple[Matrix, Folds], quick: Boosting
) -> None:
    rng = np.random.default_rng(9)
    seen = 1.2 * (made[0][:, AGE].astype(float) - 55) / 20
    hidden = rng.normal(0, 1.2, N)
    observed = _happens(seen + hidden)
    fit = _fit_on(tiny_study, [AGE], made, observed, quick)
    nurse = tiny_study.baselines[0]
    # The nurse sees what the model does not, and says it far too boldly.
    values = 1 / (1 + np.exp(-(2 * hidden + 1)))
    said = combine(fit, [Opinion(nurse, values)], observed, made[1])
    reached = roc_auc_score(observed, said.estimate)
    assert reached > roc_auc_score(observed, seen + hidden) - 0.01
    assert reached > max(roc_auc_score(observed, fit.estimate), roc_auc_score(observed, values)) + 0.05
    # Right in size too, though the nurse was not.
    high = said.estimate > 0.8
    assert observed[high].mean() == pytest.approx(said.estimate[high].mean(), abs=0.03)
    # In what unit a score is counted makes no difference.
    score = nurse.model_copy(update={"risk": None, "score": "x"})
    as_score = [combine(fit, [Opinion(score, unit * hidden)], observed, made[1]).margin for unit in (1, 1000)]
    np.testing.assert_allclose(as_score[0], as_score[1], atol=1e-4)
    assert roc_auc_score(observed, as_score[0]) == pytest.approx(reached, abs=0.005)


def test_a_baseline_that_knows_nothing_changes_next_to_nothing(
    tiny_study: Study, made: tuple[Matrix, Folds], quick: Boosting
) -> None:
    observed = _happens((made[0][:, AGE].astype(float) - 55) / 20)
    fit = _fit_on(tiny_study, [AGE], made, observed, quick)
    noise = np.random.default_rng(10).random(N)
    said = combine(fit, [Opinion(tiny_study.baselines[0], noise)], observed, made[1])
    assert np.corrcoef(said.margin, fit.margin)[0, 1] > 0.99


def test_a_combination_is_silent_where_the_baseline_is_and_altogether_where_too_few_have_it(
    tiny_study: Study, made: tuple[Matrix, Folds], quick: Boosting
) -> None:
    observed = _happens((made[0][:, AGE].astype(float) - 55) / 20)
    fit = _fit_on(tiny_study, [AGE], made, observed, quick)
    values = np.random.default_rng(11).random(N)
    values[::3] = np.nan
    # A certain physician is not infinitely sure.
    values[1], values[2] = 0.0, 1.0
    said = combine(fit, [Opinion(tiny_study.baselines[0], values)], observed, made[1])
    np.testing.assert_array_equal(np.isfinite(said.estimate), np.isfinite(values))
    values[60:] = np.nan
    assert np.isnan(combine(fit, [Opinion(tiny_study.baselines[0], values)], observed, made[1]).margin).all()
