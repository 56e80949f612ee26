"""Growing trees: the number of rounds, and what an inner margin may know."""

import json

import numpy as np
import pytest

from pipeline.features import Matrix
from pipeline.models.boosting import Boosting, fit_booster, fit_inner, label_of, predict_margin
from pipeline.models.link import Link
from pipeline.splits import inner_folds
from pipeline.study import Study

QUICK = Boosting(max_rounds=40, patience=10, inner_folds=3, refits=3)


def _simulate(n: int = 300) -> tuple[Matrix, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    age, sex, lactate = rng.uniform(20, 90, n), rng.integers(0, 2, n), rng.uniform(0, 9, n)
    matrix = np.column_stack([age, sex, lactate, rng.integers(0, 3, n)])
    matrix[:7, 2] = np.nan
    signal = 0.05 * (matrix[:, 0] - 55) + 0.8 * (matrix[:, 3] == 2)
    event = (rng.random(n) < 1 / (1 + np.exp(-signal))).astype(float)
    amount = np.exp(8 + 0.5 * signal + rng.normal(0, 0.3, n))
    return matrix.astype(np.float32), event, amount


def test_trees_are_fitted_to_the_event_or_to_the_logarithm_of_the_amount() -> None:
    assert label_of(np.array([0.0, 1.0]), Link.LOGIT).tolist() == [0, 1]
    assert label_of(np.array([1.0, np.e]), Link.LOG).tolist() == pytest.approx([0, 1])


@pytest.mark.parametrize("link", list(Link))
def test_a_booster_has_exactly_the_rounds_that_were_asked_for_and_starts_at_the_mean(
    tiny_study: Study, link: Link
) -> None:
    matrix, event, amount = _simulate()
    label = label_of(event if link is Link.LOGIT else amount, link)
    booster = fit_booster(tiny_study, matrix, label, link=link, boosting=QUICK, rounds=7, seed=1)
    assert booster.num_boosted_rounds() == 7
    learner = json.loads(booster.save_config())["learner"]["learner_model_param"]
    base = float(learner["base_score"].strip("[]"))
    assert base == pytest.approx(label.mean(), rel=1e-5)


def test_a_model_learns_what_the_simulation_put_in(tiny_study: Study) -> None:
    matrix, event, _ = _simulate(2000)
    booster = fit_booster(tiny_study, matrix, event, link=Link.LOGIT, boosting=QUICK, rounds=40, seed=1)
    old, young = np.array([[85, 0, 4, 0]], dtype=np.float32), np.array([[25, 0, 4, 0]], dtype=np.float32)
    icu = np.array([[25, 0, 4, 2]], dtype=np.float32)
    margins = [float(predict_margin(tiny_study, booster, row)[0]) for row in (young, icu, old)]
    assert margins == sorted(margins)


def test_an_inner_margin_does_not_depend_on_the_patients_own_label(tiny_study: Study) -> None:
    matrix, event, _ = _simulate()
    changed = event.copy()
    changed[10] = 1 - changed[10]
    # The number of rounds is chosen on all labels. With so few of them, more is always better, so it stays the same.
    few = Boosting(max_rounds=5, patience=5, inner_folds=3)
    before, after = (
        fit_inner(tiny_study, matrix, label, link=Link.LOGIT, boosting=few, seed=4) for label in (event, changed)
    )
    assert before.rounds == after.rounds == 5
    folds = inner_folds(len(event), folds=3, seed=4)
    np.testing.assert_array_equal(before.margin[folds == folds[10]], after.margin[folds == folds[10]])
    assert (before.margin[folds != folds[10]] != after.margin[folds != folds[10]]).any()


def test_the_number_of_rounds_is_the_one_with_the_lowest_mean_loss_of_the_inner_folds(tiny_study: Study) -> None:
    matrix, event, _ = _simulate()
    # Nothing is drawn at random, so that a fold grown alone gives the same trees.
    patient = Boosting(max_rounds=60, patience=100, inner_folds=3, subsample=1.0, colsample_bytree=1.0)
    found = fit_inner(tiny_study, matrix, event, link=Link.LOGIT, boosting=patient, seed=4)
    folds = inner_folds(len(event), folds=3, seed=4)
    losses, margins = np.empty((60, 3)), np.empty((60, len(event)))
    for fold in range(3):
        own = folds == fold
        booster = fit_booster(
            tiny_study, matrix[~own], event[~own], link=Link.LOGIT, boosting=patient, rounds=60, seed=4
        )
        for used in range(1, 61):
            margin = predict_margin(tiny_study, booster[:used], matrix[own])
            losses[used - 1, fold] = np.mean(np.logaddexp(0, margin) - event[own] * margin)
            margins[used - 1, own] = margin
    assert losses.mean(axis=1)[found.rounds - 1] == pytest.approx(losses.mean(axis=1).min(), abs=1e-7)
    assert 1 < found.rounds < 60
    np.testing.assert_allclose(found.margin, margins[found.rounds - 1], atol=1e-6)


def test_growing_stops_once_the_loss_has_not_fallen_for_a_while(tiny_study: Study) -> None:
    matrix, _, _ = _simulate()
    noise = np.random.default_rng(2).integers(0, 2, len(matrix)).astype(float)
    impatient = Boosting(max_rounds=10**6, patience=5, inner_folds=3)
    # Without the stop this would never end.
    assert fit_inner(tiny_study, matrix, noise, link=Link.LOGIT, boosting=impatient, seed=1).rounds < 100
