"""Global importance by hand."""

import math

import numpy as np
import pytest

from pipeline.explain.importance import build_concept_importance, build_feature_importance, sum_by_concept
from pipeline.study import Study

# Four patients; age and sex are one concept and pull against each other.
CONTRIBUTIONS = np.array([[1.0, -1.0, 0.0, 0.2], [2.0, -2.0, 0.0, -0.2], [3.0, -3.0, 0.0, 0.2], [2.0, -2.0, 0.0, -0.2]])


def test_the_importance_of_a_feature_is_its_mean_and_mean_absolute_contribution(tiny_study: Study) -> None:
    table = build_feature_importance(tiny_study, CONTRIBUTIONS, target_id="death").set_index("feature_id")
    assert list(table.index) == ["age", "sex", "lactate", "ward"]
    assert set(table["target_id"]) == {"death"}
    assert set(table["population"]) == {"all"}
    assert table["mean"].tolist() == pytest.approx([2, -2, 0, 0])
    assert table["mean_absolute"].tolist() == pytest.approx([2, 2, 0, 0.2])


def test_its_interval_is_that_of_a_mean(tiny_study: Study) -> None:
    row = build_feature_importance(tiny_study, CONTRIBUTIONS, target_id="death").set_index("feature_id").loc["age"]
    # The variance of 1, 2, 3, 2 is 2/3; of a mean of four, 1/6.
    half = 1.959964 * math.sqrt(1 / 6)
    assert (row["mean_lower"], row["mean_upper"]) == pytest.approx((2 - half, 2 + half))
    assert (row["mean_absolute_lower"], row["mean_absolute_upper"]) == pytest.approx((2 - half, 2 + half))


def test_features_of_a_concept_add_up_before_the_absolute_is_taken(tiny_study: Study) -> None:
    table = build_concept_importance(tiny_study, CONTRIBUTIONS, target_id="death").set_index("concept")
    assert list(table.index) == ["Person", "Blood", "Place"]
    assert table["mean_absolute"].tolist() == pytest.approx([0, 0, 0.2])


def test_concepts_hold_every_contribution_once(tiny_study: Study) -> None:
    by_concept = sum_by_concept(tiny_study, CONTRIBUTIONS)
    np.testing.assert_allclose(sum(by_concept.values()), CONTRIBUTIONS.sum(axis=1))
