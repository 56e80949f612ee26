"""The matrix that models read."""

import numpy as np
import pandas as pd

from pipeline.features import build_dmatrix, build_matrix
from pipeline.study import Study

SUBJECTS = pd.DataFrame(
    {
        "age": [40.0, np.nan, 70.5],
        "sex": ["female", "male", None],
        "lactate": [1.5, 0.5, np.nan],
        "ward": ["icu", None, "medical"],
    }
)


def test_levels_are_coded_by_their_position_in_the_study_and_gaps_are_nan(tiny_study: Study) -> None:
    expected = [[40, 1, 1.5, 2], [np.nan, 0, 0.5, np.nan], [70.5, np.nan, np.nan, 0]]
    matrix = build_matrix(tiny_study, SUBJECTS)
    np.testing.assert_array_equal(matrix, np.array(expected, dtype=np.float32))
    assert matrix.dtype == np.float32


def test_a_code_means_the_same_whatever_levels_the_patients_have(tiny_study: Study) -> None:
    whole = build_matrix(tiny_study, SUBJECTS)
    for i in range(len(SUBJECTS)):
        np.testing.assert_array_equal(build_matrix(tiny_study, SUBJECTS.iloc[[i]])[0], whole[i])


def test_a_level_that_the_study_does_not_know_is_missing(tiny_study: Study) -> None:
    matrix = build_matrix(tiny_study, SUBJECTS.assign(ward=["garden", "icu", "ICU"]))
    np.testing.assert_array_equal(matrix[:, 3], np.array([np.nan, 2, np.nan], dtype=np.float32))


def test_a_feature_that_nobody_has_is_a_column_of_gaps(tiny_study: Study) -> None:
    matrix = build_matrix(tiny_study, SUBJECTS.assign(lactate=None, ward=None))
    assert np.isnan(matrix[:, 2:]).all()


def test_the_order_is_that_of_the_study_and_not_of_the_frame(tiny_study: Study) -> None:
    np.testing.assert_array_equal(
        build_matrix(tiny_study, SUBJECTS[["ward", "lactate", "sex", "age"]]), build_matrix(tiny_study, SUBJECTS)
    )


def test_xgboost_is_told_names_and_which_features_are_categories(tiny_study: Study) -> None:
    data = build_dmatrix(tiny_study, build_matrix(tiny_study, SUBJECTS), np.array([0.0, 1.0, 0.0]))
    assert data.feature_names == ["age", "sex", "lactate", "ward"]
    assert data.feature_types == ["q", "c", "q", "c"]
    assert data.num_nonmissing() == 8
    assert data.get_label().tolist() == [0.0, 1.0, 0.0]
