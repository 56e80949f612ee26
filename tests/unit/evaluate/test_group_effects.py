"""How far groups differ beyond chance, and what a selection's make-up adds to its interval."""

import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar

from pipeline.evaluate.group_effects import Levels, compute_between_sd, selection_sd
from pipeline.paths import CHECKOUT

EFFECTS = {"ward": 0.3, "sex": 0.1}
COHORT = {"ward": {"a": 0.5, "b": 0.5}, "sex": {"f": 0.25, "m": 0.75}}


def test_the_between_sd_is_the_moment_estimate_of_a_worked_example() -> None:
    # Weights 4, 4 and 8; mean 0.5; Q = 4 * 0.25 + 4 * 0.25 + 0; C = 16 - 96 / 16 = 10.
    sd = compute_between_sd(np.array([0.0, 1.0, 0.5]), np.array([0.25, 0.25, 0.125]))
    assert sd == 0.0
    sd = compute_between_sd(np.array([-1.0, 2.0, 0.5]), np.array([0.25, 0.25, 0.125]))
    assert sd == pytest.approx(math.sqrt((18 - 2) / 10))


@pytest.mark.parametrize("sd", [0.0, 0.2, 0.5])
def test_the_between_sd_finds_a_known_one_and_agrees_with_likelihood(sd: float) -> None:
    rng = np.random.default_rng(5)
    variances = rng.uniform(0.005, 0.02, 400)
    values = rng.normal(0.1, np.sqrt(variances + sd**2))
    found = compute_between_sd(values, variances)

    def minus_likelihood(other: float) -> float:
        whole = variances + other**2
        mean = np.average(values, weights=1 / whole)
        return float(np.sum(np.log(whole) + (values - mean) ** 2 / whole))

    likeliest = minimize_scalar(minus_likelihood, bounds=(0, 2), method="bounded").x
    assert found == pytest.approx(sd, abs=0.04)
    assert found == pytest.approx(likeliest, abs=0.04)


def test_one_level_says_nothing_and_equal_levels_say_none() -> None:
    assert math.isnan(compute_between_sd(np.array([0.3]), np.array([0.1])))
    assert math.isnan(compute_between_sd(np.array([]), np.array([])))
    assert compute_between_sd(np.zeros(3), np.zeros(3)) == 0.0


def test_a_selection_like_the_cohort_deviates_by_nothing_and_a_level_by_its_distance() -> None:
    assert selection_sd(EFFECTS, COHORT, COHORT) == 0.0
    only_a = {"ward": {"a": 1.0}, "sex": COHORT["sex"]}
    assert selection_sd(EFFECTS, only_a, COHORT) == pytest.approx(0.3 * math.sqrt(0.25 + 0.25))
    women_of_a = {"ward": {"a": 1.0}, "sex": {"f": 1.0}}
    assert selection_sd(EFFECTS, women_of_a, COHORT) == pytest.approx(math.sqrt(0.09 * 0.5 + 0.01 * 2 * 0.75**2))


def test_an_attribute_whose_sd_is_not_known_adds_nothing() -> None:
    assert selection_sd({"ward": math.nan}, {"ward": {"a": 1.0}}, COHORT) == 0.0
    assert selection_sd({}, {}, {}) == 0.0


def test_the_selection_sd_is_that_of_simulated_effects() -> None:
    rng = np.random.default_rng(8)
    u = rng.normal(0, 0.3, (20_000, 3))
    own, whole = np.array([0.7, 0.3, 0.0]), np.array([0.2, 0.2, 0.6])
    expected = (u @ (own - whole)).std()
    shares = [dict(zip("abc", of.tolist(), strict=True)) for of in (own, whole)]
    assert selection_sd({"ward": 0.3}, {"ward": shares[0]}, {"ward": shares[1]}) == pytest.approx(expected, rel=0.02)


def test_shares_are_of_the_projected_total_of_those_chosen() -> None:
    frame = pd.DataFrame({"ward": ["a", "a", "b", "b"], "sex": ["f", "m", "f", "m"]})
    levels = Levels(frame)
    shares = levels.compute_shares(np.array([1.0, 3.0, 4.0, np.nan]), np.array([True, True, True, False]))
    assert shares == {"ward": {"a": 0.5, "b": 0.5}, "sex": {"f": 0.625, "m": 0.375}}
    assert levels.members("ward", "a").tolist() == [True, True, False, False]
    assert not levels.members("ward", "c").any()
    assert Levels(frame[[]]).compute_shares(np.ones(4), np.ones(4, dtype=bool)) == {}


def test_pages_can_import_it_without_the_libraries_for_training() -> None:
    code = (
        "import sys, pipeline.evaluate.group_effects; "
        "print(sorted({'shap', 'xgboost', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
