"""Conditions: for whom they hold, and how they are said."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.build import check_study
from pipeline.evaluate.conditions import Condition, build_conditions
from pipeline.study import Study, load_study
from tests.conftest import WriteStudy
from tests.synthetic import with_item


def _by_words(study: Study, subjects: pd.DataFrame, *, fewest: int = 1) -> dict[str, Condition]:
    return {c.words: c for c in build_conditions(study, subjects, fewest=fewest)}


def test_levels_categories_ranges_and_gaps_become_conditions_in_plain_words(tiny_study: Study) -> None:
    subjects = check_study(tiny_study).subjects
    found = _by_words(tiny_study, subjects)
    lactate = subjects["lactate"]
    expected = {
        "Sex: Women": subjects["sex"] == "female",
        "Age: 65 and over": subjects["age_band"] == "65 and over",
        "Ward: intensive care": subjects["ward"] == "icu",
        "lactate below 0.5 mmol/L": lactate < 0.5,
        "lactate 0.5 to 2.0 mmol/L": (lactate >= 0.5) & (lactate <= 2),
        "lactate above 2.0 mmol/L": lactate > 2,
        "lactate: not recorded": lactate.isna(),
        "ward: not recorded": subjects["ward"].isna(),
    }
    for words, members in expected.items():
        assert found[words].members.tolist() == members.tolist()


def test_numbers_without_a_normal_range_are_cut_into_thirds_that_miss_nobody(tiny_study: Study) -> None:
    subjects = check_study(tiny_study).subjects
    ages = [c for words, c in _by_words(tiny_study, subjects).items() if words.startswith("age ")]
    assert len(ages) == 3
    together = np.sum([c.members for c in ages], axis=0)
    assert (together == subjects["age"].notna()).all()
    assert all(60 <= c.members.sum() <= 100 for c in ages)


def test_one_set_of_subjects_is_one_condition(tiny_study: Study) -> None:
    # Sex is a feature and an attribute.
    found = build_conditions(tiny_study, check_study(tiny_study).subjects, fewest=1)
    assert len({c.members.tobytes() for c in found}) == len(found)
    assert sum("ex: " in c.words for c in found) == 2


def test_conditions_about_the_same_column_exclude_each_other(tiny_study: Study) -> None:
    found = _by_words(tiny_study, check_study(tiny_study).subjects)
    old = next(c for words, c in found.items() if words.startswith("age above"))
    assert old.excludes(found["Age: 65 and over"])
    assert old.excludes(old)
    assert not old.excludes(found["Sex: Women"])


def test_rare_conditions_and_those_that_hold_for_nearly_all_are_left_out(tiny_study: Study) -> None:
    found = _by_words(tiny_study, check_study(tiny_study).subjects, fewest=30)
    assert "lactate: not recorded" not in found
    assert "lactate below 0.5 mmol/L" not in found
    assert all(30 <= c.members.sum() <= 210 for c in found.values())


def test_a_normal_range_of_one_value_is_said_as_that_value(tmp_path: Path, write_study: WriteStudy) -> None:
    study = load_study(write_study(tmp_path, **with_item("features", 2, normal=[0.5, 0.5])))
    assert "lactate 0.5 mmol/L" in _by_words(study, check_study(study).subjects, fewest=0)


def test_a_feature_without_any_value_gives_no_range(tiny_study: Study) -> None:
    subjects = check_study(tiny_study).subjects.assign(lactate=np.nan)
    assert not [c for c in build_conditions(tiny_study, subjects, fewest=1) if "lactate" in c.words]
