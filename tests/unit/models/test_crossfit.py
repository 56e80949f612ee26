"""Cross-fitting: who trains what, and that models keep out of each other's way."""

import numpy as np
import pandas as pd
import pytest

from pipeline.build import check_study
from pipeline.features import Matrix, build_matrix
from pipeline.models.artefacts import load_booster, model_file, save_models
from pipeline.models.boosting import Boosting, predict_margin
from pipeline.models.crossfit import FINAL, CrossFit, cross_fit
from pipeline.models.intervals import IntervalKind
from pipeline.splits import Folds, assign_folds
from pipeline.study import Study

Case = tuple[Matrix, pd.DataFrame, Folds]


@pytest.fixture(scope="module")
def case(tiny_study: Study) -> Case:
    cohort = check_study(tiny_study)
    return build_matrix(tiny_study, cohort.subjects), cohort.targets, assign_folds(tiny_study, cohort.targets)


@pytest.fixture(scope="module")
def fits(tiny_study: Study, case: Case, quick: Boosting) -> dict[str, CrossFit]:
    matrix, targets, folds = case
    return {
        t.id: cross_fit(tiny_study, t, matrix, targets[t.id].to_numpy(float), folds, boosting=quick)
        for t in tiny_study.targets
    }


def test_each_fold_is_scored_by_the_model_that_was_trained_on_the_others(
    tiny_study: Study, case: Case, fits: dict[str, CrossFit]
) -> None:
    matrix, targets, folds = case
    for target_id, fit in fits.items():
        seen = targets[target_id].notna().to_numpy()
        assert [m.fold for m in fit.models] == [0, 1, 2]
        for model in fit.models:
            own = folds == model.fold
            assert model.n_train == (seen & ~own).sum()
            margin = model.recalibration.apply(predict_margin(tiny_study, model.booster, matrix[own]))
            np.testing.assert_array_equal(fit.margin[own], margin)
        assert fit.final.fold == FINAL
        assert fit.final.n_train == seen.sum()


def test_every_patient_has_an_estimate_inside_an_interval_inside_a_wider_one(fits: dict[str, CrossFit]) -> None:
    for fit in fits.values():
        lower_80, upper_80, lower_90, upper_90 = fit.bounds.T
        assert np.isfinite(fit.margin).all()
        assert np.isfinite(fit.bounds).all()
        np.testing.assert_allclose(fit.link.forward(fit.estimate), fit.margin, rtol=1e-9, atol=1e-9)
        assert ((lower_90 <= lower_80) & (lower_80 <= upper_80) & (upper_80 <= upper_90)).all()
    death = fits["death"]
    assert ((death.bounds[:, 0] <= death.estimate) & (death.estimate <= death.bounds[:, 1])).all()


def test_each_kind_of_target_has_the_interval_that_means_something_for_it(fits: dict[str, CrossFit]) -> None:
    assert fits["death"].interval_kind is IntervalKind.MODEL_INSTABILITY
    assert fits["cost"].interval_kind is IntervalKind.CONFORMAL_PREDICTION


def test_patients_without_a_cost_are_scored_and_never_trained_on(case: Case, fits: dict[str, CrossFit]) -> None:
    unobserved = case[1]["cost"].isna().to_numpy()
    assert unobserved.any()
    assert np.isfinite(fits["cost"].estimate[unobserved]).all()


def test_the_predicted_logarithm_is_a_line_through_the_boosters_margin(
    tiny_study: Study, case: Case, fits: dict[str, CrossFit]
) -> None:
    matrix, _, folds = case
    assert np.isnan(fits["death"].log_prediction).all()
    cost = fits["cost"]
    for model in cost.models:
        assert model.log_recalibration is not None
        raw = predict_margin(tiny_study, model.booster, matrix[folds == model.fold])
        np.testing.assert_allclose(cost.log_prediction[folds == model.fold], model.log_recalibration.apply(raw))


def test_the_same_seed_gives_the_same_predictions(
    tiny_study: Study, case: Case, fits: dict[str, CrossFit], quick: Boosting
) -> None:
    matrix, targets, folds = case
    again = cross_fit(
        tiny_study, tiny_study.target("death"), matrix, targets["death"].to_numpy(float), folds, boosting=quick
    )
    np.testing.assert_array_equal(again.margin, fits["death"].margin)
    np.testing.assert_array_equal(again.bounds, fits["death"].bounds)


def test_saved_models_give_the_same_margin_when_loaded_again(
    tiny_study: Study, case: Case, fits: dict[str, CrossFit], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("models")
    tables = save_models(fits.values(), folder)
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        p.removeprefix("models/") for p in tables["model"]["file"]
    )
    assert len(tables["model"]) == 2 * 4
    for target_id, fit in fits.items():
        for model in [*fit.models, fit.final]:
            loaded = load_booster(folder, target_id, model.fold)
            np.testing.assert_array_equal(
                predict_margin(tiny_study, loaded, case[0]), predict_margin(tiny_study, model.booster, case[0])
            )


def test_model_files_are_named_for_target_and_fold() -> None:
    assert model_file("death", 2) == "death_fold2.ubj"
    assert model_file("death", FINAL) == "death_final.ubj"


def test_conformal_scores_are_saved_for_amounts_at_both_levels(
    fits: dict[str, CrossFit], tmp_path_factory: pytest.TempPathFactory
) -> None:
    scores = save_models(fits.values(), tmp_path_factory.mktemp("models"))["conformal_score"]
    assert set(scores["target_id"]) == {"cost"}
    assert sorted(scores["fold"].unique()) == [-1, 0, 1, 2]
    assert sorted(scores["level"].unique()) == [0.8, 0.9]
    final = fits["cost"].final.conformal
    assert final is not None
    assert scores.query("fold == -1")["upper"].tolist() == list(final.upper)
