"""Who is in, under which pseudonym, with which levels, targets and baselines."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from pipeline.build import check_study
from pipeline.cohort import Cohort, pseudonym
from pipeline.errors import DataError, StudyError
from pipeline.study import Study, load_study
from tests.conftest import WriteStudy
from tests.synthetic import SECTIONS, build_frame, with_item

SALT = b"a salt"


def _cohort(
    write_study: WriteStudy, folder: Path, *, frame: pd.DataFrame | None = None, salt: bytes = SALT, **sections: Any
) -> Cohort:
    return check_study(load_study(write_study(folder, frame=frame, **sections)), salt=salt)


def test_a_pseudonym_is_stable_and_another_under_another_salt_or_study() -> None:
    first = pseudonym("support2", "4711", salt=SALT)
    assert first == pseudonym("support2", "4711", salt=SALT)
    others = {
        pseudonym("support2", "4711", salt=b"another salt"),
        pseudonym("other", "4711", salt=SALT),
        pseudonym("support2", "4712", salt=SALT),
    }
    assert len({first, *others}) == 4


def test_a_pseudonym_has_no_letter_that_is_mistaken_for_a_digit() -> None:
    made = [pseudonym("s", str(i), salt=SALT) for i in range(500)]
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}", p) for p in made)
    assert len(set(made)) == 500


def test_the_order_of_pseudonyms_tells_nothing_of_the_order_of_the_file() -> None:
    made = pd.Series([pseudonym("s", str(i), salt=SALT) for i in range(5000)])
    # Under independence the rank correlation of 5,000 pairs has a standard deviation of 0.014.
    assert abs(spearmanr(made.rank(), np.arange(5000)).statistic) < 0.06
    assert abs(spearmanr(made.rank()[1:], made.rank()[:-1]).statistic) < 0.06


def test_the_cohort_shows_the_pseudonym_and_never_the_id_of_the_file(tiny_study: Study) -> None:
    cohort = check_study(tiny_study, salt=SALT)
    assert list(cohort.subjects["subject_id"]) == [
        pseudonym("tiny", f"p{i:04d}", salt=SALT) for i in range(1, len(cohort.subjects) + 1)
    ]
    for frame in (cohort.subjects, cohort.quarantine, cohort.subject_repairs):
        assert "subject_key" not in frame.columns
        assert not frame.astype("str").isin([f"p{i:04d}" for i in range(1, 241)]).any().any()


def test_each_step_of_the_population_is_counted(write_study: WriteStudy, tmp_path: Path) -> None:
    frame = build_frame()
    steps = [{"keep": "age >= 40", "why": "grown"}, {"keep": "nurse_risk < 0.5 or sex = 'male'", "why": "some"}]
    cohort = _cohort(write_study, tmp_path, frame=frame, population=steps)
    old = frame[frame["age"].astype(float) >= 40]
    both = old[(old["nurse_risk"] < 0.5) | (old["sex"] == "male")]
    assert cohort.attrition.to_dict("list") == {
        "step": ["rows in the source", "age >= 40", "nurse_risk < 0.5 or sex = 'male'"],
        "why": ["one row a patient", "grown", "some"],
        "n_before": [240, 240, len(old)],
        "n_after": [240, len(old), len(both)],
    }
    assert len(cohort.subjects) == len(cohort.targets) == len(cohort.baselines) == len(both)
    assert list(cohort.subjects["age"]) == [float(age) for age in both["age"]]


def test_who_has_no_value_for_a_condition_is_out(write_study: WriteStudy, tmp_path: Path) -> None:
    frame = build_frame()
    frame.loc[:9, "age"] = None
    cohort = _cohort(write_study, tmp_path, frame=frame)
    assert cohort.attrition["n_after"].tolist() == [240, 230]


def test_a_population_step_that_keeps_nobody_is_named(write_study: WriteStudy, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        _cohort(write_study, tmp_path, population=[{"keep": "age > 200", "why": "none"}])
    assert "got: nobody after 'age > 200'" in str(caught.value)


@pytest.mark.parametrize(
    ("section", "position", "changes", "what"),
    [
        ("population", 0, {"keep": "agee > 3"}, "population step 'agee > 3'"),
        ("targets", 0, {"event": "dead = 1"}, "target 'death'"),
        ("targets", 1, {"value": "cost_usd +"}, "target 'cost'"),
        ("targets", 1, {"value": "pid"}, "target 'cost'"),
        ("subgroups", 1, {"value": "no_such(age)"}, "subgroup 'age_band'"),
        ("baselines", 0, {"risk": "1 - surv"}, "baseline 'nurse'"),
        ("baselines", 0, {"risk": "(select max(value) from read_csv('/etc/hostname'))"}, "baseline 'nurse'"),
    ],
)
def test_an_expression_that_cannot_be_computed_is_named(
    write_study: WriteStudy, tmp_path: Path, section: str, position: int, changes: dict[str, Any], what: str
) -> None:
    excluded = [{"column": c, "why": "-"} for c in ("pid", "died", "cost_usd", "nurse_risk")]
    with pytest.raises(StudyError, match=f"expected {re.escape(what)} to be an SQL expression") as caught:
        _cohort(write_study, tmp_path, excluded=excluded, **with_item(section, position, **changes))
    assert "got: " in str(caught.value)


def test_targets_are_what_their_expressions_say(write_study: WriteStudy, tmp_path: Path) -> None:
    frame = build_frame()
    cohort = _cohort(write_study, tmp_path, frame=frame)
    assert cohort.targets["death"].tolist() == frame["died"].tolist()
    costs = [cost if cost else None for cost in frame["cost_usd"]]
    assert [None if np.isnan(c) else c for c in cohort.targets["cost"]] == costs
    assert None in costs
    assert cohort.baselines["nurse"].tolist() == frame["nurse_risk"].tolist()


@pytest.mark.parametrize(("died", "found"), [(0, "got: 0 events among 240"), (1, "got: 240 events among 240")])
def test_a_target_with_one_class_is_refused(write_study: WriteStudy, tmp_path: Path, died: int, found: str) -> None:
    with pytest.raises(DataError, match="with and without the event of target 'death'") as caught:
        _cohort(write_study, tmp_path, frame=build_frame().assign(died=died))
    assert found in str(caught.value)


@pytest.mark.parametrize("amount", [0.0, -5.0])
def test_an_amount_at_or_below_zero_is_refused(write_study: WriteStudy, tmp_path: Path, amount: float) -> None:
    frame = build_frame()
    frame.loc[3, "cost_usd"] = amount
    with pytest.raises(DataError, match="expected finite amounts above zero in target 'cost'") as caught:
        _cohort(write_study, tmp_path, frame=frame, **with_item("targets", 1, value="cost_usd"))
    assert "nullif" in str(caught.value)


def test_an_amount_that_never_varies_is_refused(write_study: WriteStudy, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="amounts that vary in target 'cost'"):
        _cohort(write_study, tmp_path, frame=build_frame().assign(cost_usd=7.5))


def test_an_undeclared_level_is_refused_and_shown(write_study: WriteStudy, tmp_path: Path) -> None:
    value = "case when age < 65 then 'young' else '65 and over' end"
    with pytest.raises(DataError, match="'age_band' to take the levels under 65, 65 and over") as caught:
        _cohort(write_study, tmp_path, **with_item("subgroups", 1, value=value))
    assert "got: 'young' in " in str(caught.value)


def test_levels_that_a_file_writes_as_whole_numbers_are_declared_as_such(
    write_study: WriteStudy, tmp_path: Path
) -> None:
    frame = build_frame().assign(unit_no=np.arange(240) % 2 + 1)
    attribute = {
        "id": "unit",
        "label": "Unit",
        "column": "unit_no",
        "levels": {"1": "One", "2": "Two"},
        "reference": "1",
    }
    cohort = _cohort(write_study, tmp_path, frame=frame, subgroups=[attribute])
    assert cohort.subjects["unit"].value_counts().to_dict() == {"1": 120, "2": 120}


def test_an_attribute_that_was_not_recorded_has_the_level_missing(write_study: WriteStudy, tmp_path: Path) -> None:
    value = "case when age < 30 then null when age < 65 then 'under 65' else '65 and over' end"
    frame = build_frame()
    cohort = _cohort(write_study, tmp_path, frame=frame, **with_item("subgroups", 1, value=value))
    assert (cohort.subjects["age_band"] == "missing").sum() == (frame["age"].astype(float) < 30).sum() > 0


def test_an_attribute_that_is_a_feature_too_keeps_its_level_missing(write_study: WriteStudy, tmp_path: Path) -> None:
    frame = build_frame()
    frame.loc[:29, "sex"] = None
    cohort = _cohort(write_study, tmp_path, frame=frame)
    assert (cohort.subjects["sex"] == "missing").sum() == 30


def test_quarantined_values_are_named_by_pseudonym_and_those_of_nobody_by_none(
    write_study: WriteStudy, tmp_path: Path
) -> None:
    cohort = _cohort(write_study, tmp_path, population=[{"keep": "age < 100", "why": "not the one of 130"}])
    by_row = cohort.quarantine.set_index("source_row")["subject_id"]
    assert by_row[6] == pseudonym("tiny", "p0006", salt=SALT)
    assert pd.isna(by_row[10])


def test_repairs_are_counted_by_result(small_study: Study) -> None:
    cohort = check_study(small_study)
    alignment = pd.read_csv(small_study.folder / "alignment.csv")
    absent = (alignment["physiology_sno"] == -1).sum()
    unchanged = (alignment["physiology_sno"] == alignment["sno"]).sum()
    assert cohort.repairs.set_index("result")["n"].to_dict() == {
        "absent": absent,
        "moved": len(alignment) - absent - unchanged,
        "unchanged": unchanged,
    }
    assert min(absent, unchanged) > 10
    assert set(cohort.repairs["why"]) == {small_study.repairs[0].why}


def test_the_small_study_has_every_level_of_every_subgroup(small_study: Study) -> None:
    cohort = check_study(small_study)
    for attribute in small_study.subgroups:
        assert set(cohort.subjects[attribute.id]) - {"missing"} == set(attribute.levels)
    assert "missing" in set(cohort.subjects["race"])


def test_the_synthetic_frame_is_what_the_tests_above_take_it_for() -> None:
    frame = build_frame()
    assert list(frame["pid"]) == [f"p{i:04d}" for i in range(1, 241)]
    assert SECTIONS["id"] == "tiny"
    assert 40 < frame["died"].sum() < 200
    assert (frame["cost_usd"] == 0).sum() > 3
