"""Cross-fitting: who trains what, and that models keep out of each other's way."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.build import check_study
from pipeline.features import Matrix, build_matrix
from pipeline.models.artefacts import load_booster, load_quantiles, model_file, quantile_file, save_models
from pipeline.models.boosting import Boosting, predict_margin
from pipeline.models.crossfit import FINAL, CrossFit, cross_fit
from pipeline.models.intervals import IntervalKind, instability_bounds
from pipeline.models.quantiles import predict_quantiles
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
    files = pd.concat([tables["model"]["file"], tables["model"]["quantile_file"].dropna()])
    assert sorted(p.name for p in folder.iterdir()) == sorted(files.str.removeprefix("models/"))
    assert len(tables["model"]) == 2 * 4
    for target_id, fit in fits.items():
        for model in [*fit.models, fit.final]:
            loaded = load_booster(folder, target_id, model.fold)
            np.testing.assert_array_equal(
                predict_margin(tiny_study, loaded, case[0]), predict_margin(tiny_study, model.booster, case[0])
            )
            if model.quantiles:
                np.testing.assert_array_equal(
                    predict_quantiles(tiny_study, load_quantiles(folder, target_id, model.fold), case[0]),
                    predict_quantiles(tiny_study, model.quantiles, case[0]),
                )


def test_model_files_are_named_for_target_and_fold() -> None:
    assert model_file("death", 2) == "death_fold2.ubj"
    assert model_file("death", FINAL) == "death_final.ubj"
    assert quantile_file("cost", 2) == "cost_fold2_quantiles.ubj"


def test_conformal_scores_are_saved_for_amounts_at_both_levels(
    fits: dict[str, CrossFit], tmp_path_factory: pytest.TempPathFactory
) -> None:
    scores = save_models(fits.values(), tmp_path_factory.mktemp("models"))["conformal_score"]
    assert set(scores["target_id"]) == {"cost"}
    assert sorted(scores["fold"].unique()) == [-1, 0, 1, 2]
    assert sorted(scores["level"].unique()) == [0.8, 0.9]
    # The tiny study has no class that is large enough.
    assert scores["diagnosis"].isna().all()
    final = fits["cost"].final.conformal
    assert final is not None
    assert scores.query("fold == -1")["upper"].tolist() == list(final[None].upper)


def test_a_calibration_band_is_saved_for_outcomes_as_its_steps(
    fits: dict[str, CrossFit], case: Case, quick: Boosting, tmp_path_factory: pytest.TempPathFactory
) -> None:
    steps = save_models(fits.values(), tmp_path_factory.mktemp("models"))["calibration_step"]
    assert set(steps["target_id"]) == {"death"}
    death = fits["death"]
    for fold in range(3):
        own = steps[steps["fold"] == fold]
        parts = range(quick.inner_folds)
        assert sorted(own["inner_fold"].unique()) == list(parts)
        for margin, band in zip(death.margin[case[2] == fold], death.band[case[2] == fold], strict=True):
            below = own[(own["end"] == "lower") & (own["margin"] <= margin)].groupby("inner_fold")["risk"].max()
            above = own[(own["end"] == "upper") & (own["margin"] >= margin)].groupby("inner_fold")["risk"].min()
            ends = [below.reindex(parts, fill_value=0.0).mean(), above.reindex(parts, fill_value=1.0).mean()]
            assert band.tolist() == pytest.approx(ends)


def test_only_risks_have_a_calibration_band(fits: dict[str, CrossFit]) -> None:
    lower, upper = fits["death"].band.T
    assert ((lower >= 0) & (lower < upper) & (upper <= 1)).all()
    assert np.isnan(fits["cost"].band).all()


def test_every_target_keeps_its_rebuilds_and_their_leading_features(
    fits: dict[str, CrossFit], case: Case, quick: Boosting
) -> None:
    n = len(case[0])
    for fit in fits.values():
        assert fit.rebuilt.shape == (quick.refits, n)
        assert fit.top_features.shape == (quick.refits, n, 4)
        assert np.isfinite(fit.rebuilt).all()
        # They are of the same patient: rebuilds differ less than patients do.
        assert fit.rebuilt.std(axis=0).mean() < 0.8 * fit.margin.std()
        assert np.corrcoef(fit.rebuilt.mean(axis=0), fit.margin)[0, 1] > 0.8


def test_bounds_of_a_risk_come_from_the_rebuilds_that_are_kept(fits: dict[str, CrossFit]) -> None:
    death = fits["death"]
    np.testing.assert_array_equal(death.bounds, instability_bounds(death.margin, death.rebuilt))


def test_a_model_tells_who_trained_it_and_their_inner_margins(case: Case, fits: dict[str, CrossFit]) -> None:
    _, targets, folds = case
    for target_id, fit in fits.items():
        seen = targets[target_id].notna().to_numpy()
        for model in [*fit.models, fit.final]:
            np.testing.assert_array_equal(model.train_rows, np.flatnonzero(seen & (folds != model.fold)))
            assert model.inner_margin.shape == model.train_rows.shape
            # Recalibrated: what it predicts for its training rows is right in total.
            observed = targets[target_id].to_numpy(float)[model.train_rows]
            assert fit.link.inverse(model.inner_margin).sum() == pytest.approx(observed.sum(), rel=1e-4)


def test_without_refits_risks_have_no_interval_and_all_else_is_the_same(
    tiny_study: Study, case: Case, fits: dict[str, CrossFit], quick: Boosting
) -> None:
    matrix, targets, folds = case
    for target_id, fit in fits.items():
        observed = targets[target_id].to_numpy(float)
        boosting = replace(quick, refits=0)
        quickest = cross_fit(tiny_study, tiny_study.target(target_id), matrix, observed, folds, boosting=boosting)
        for name in ("margin", "estimate", "band", "log_prediction"):
            np.testing.assert_array_equal(getattr(quickest, name), getattr(fit, name))
        assert quickest.rebuilt.shape == (0, len(matrix))
        assert quickest.top_features.shape == (0, len(matrix), 4)
        if target_id == "death":
            assert np.isnan(quickest.bounds).all()
        else:
            np.testing.assert_array_equal(quickest.bounds, fit.bounds)


def test_a_large_class_has_an_interval_of_its_own_and_changes_nobody_elses(
    tiny_study: Study, case: Case, fits: dict[str, CrossFit], quick: Boosting, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix, targets, folds = case
    monkeypatch.setattr("pipeline.models.intervals.FEWEST_OF_A_CLASS", 60)
    classes = np.where(matrix[:, 3] == 0, "medical", "other")
    classes[matrix[:, 3] == 2] = "icu"
    observed = targets["cost"].to_numpy(float)
    fit = cross_fit(tiny_study, tiny_study.target("cost"), matrix, observed, folds, boosting=quick, classes=classes)
    assert all(set(model.conformal or {}) == {None, "medical"} for model in fit.models)
    same = (fit.bounds == fits["cost"].bounds).all(axis=1)
    assert same[classes != "medical"].all()
    assert not same[classes == "medical"].any()
