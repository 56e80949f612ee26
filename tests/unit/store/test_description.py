"""The tables that say what a study is."""

import pandas as pd
import pytest

from pipeline.store.description import describe_study
from pipeline.study import Study

SUBJECTS = pd.DataFrame(
    {
        "age": [40.0, None, 70.0, 80.0],
        "sex": ["male", "female", "male", "missing"],
        "lactate": [None, None, 1.0, 2.0],
        "ward": ["icu", "icu", "icu", "medical"],
        "age_band": ["under 65", "under 65", "65 and over", "65 and over"],
    }
)


@pytest.fixture(scope="module")
def tables(tiny_study: Study) -> dict[str, pd.DataFrame]:
    return describe_study(tiny_study, SUBJECTS)


def test_features_are_described_in_the_models_order(tables: dict[str, pd.DataFrame]) -> None:
    feature = tables["feature"]
    assert feature["feature_id"].tolist() == ["age", "sex", "lactate", "ward"]
    assert feature["position"].tolist() == [0, 1, 2, 3]
    assert feature["missing_share"].tolist() == [0.25, 0.25, 0.5, 0]
    lactate = feature.set_index("feature_id").loc["lactate"]
    assert (lactate["normal_low"], lactate["normal_high"], lactate["plausible_high"]) == (0.5, 2, 20)
    assert lactate["modifiable"]


def test_codes_of_levels_are_their_positions(tables: dict[str, pd.DataFrame]) -> None:
    ward = tables["feature_level"].query("feature_id == 'ward'")
    assert ward[["code", "level"]].to_numpy().tolist() == [[0, "medical"], [1, "surgical"], [2, "icu"]]


def test_levels_keep_the_order_of_the_study_and_one_is_the_reference(tables: dict[str, pd.DataFrame]) -> None:
    levels = tables["attribute_level"]
    assert levels["position"].tolist() == list(range(len(levels)))
    assert levels["attribute"].tolist() == ["sex", "sex", "sex", "age_band", "age_band"]
    assert levels["level"].tolist() == ["male", "female", "missing", "under 65", "65 and over"]
    assert levels["reference"].tolist() == [True, False, False, True, False]


def test_not_recorded_is_a_level_only_where_somebody_has_it(tables: dict[str, pd.DataFrame]) -> None:
    missing = tables["attribute_level"].query("level == 'missing'")
    assert missing[["attribute", "level_label"]].to_numpy().tolist() == [["sex", "Not recorded"]]


def test_baselines_exclusions_thresholds_and_statements_are_told(tables: dict[str, pd.DataFrame]) -> None:
    assert tables["baseline"][["model_id", "target_id", "kind"]].to_numpy().tolist() == [["nurse", "death", "risk"]]
    assert tables["excluded_column"]["column_name"].tolist() == ["pid", "died", "cost_usd", "nurse_risk"]
    assert tables["threshold"].to_numpy().tolist() == [["death", 0.3]]
    assert tables["statement"]["field"].tolist() == ["intended_use", "intended_users", "cautioned", "funding"]


def test_a_study_without_baselines_and_thresholds_has_empty_tables(tiny_study: Study) -> None:
    bare = tiny_study.model_copy(update={"baselines": [], "thresholds": {}})
    tables = describe_study(bare, SUBJECTS)
    assert list(tables["baseline"]) == ["model_id", "target_id", "label", "kind", "note"]
    assert tables["baseline"].empty
    assert tables["threshold"].empty
