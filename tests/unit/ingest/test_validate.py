"""Typing and rules: what is kept, what is set to missing, and what is written down about it."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.errors import DataError, StudyError
from pipeline.ingest.source import Source, read_source
from pipeline.ingest.validate import KEPT, SET_TO_MISSING, check_columns
from pipeline.study import Study, load_study
from tests.conftest import WriteStudy
from tests.synthetic import (
    ROW_AGE_130,
    ROW_LACTATE_TEXT,
    ROW_LACTATE_ZERO,
    ROW_WARD_GARDEN,
    SECTIONS,
    build_frame,
    with_item,
)

HEADER = list(build_frame().columns)


def _source(write_study: WriteStudy, folder: Path, frame: pd.DataFrame, **sections: Any) -> Source:
    return read_source(load_study(write_study(folder, frame=frame, **sections)))


def _quarantine(source: Source) -> list[tuple[object, ...]]:
    sql = "select source_row, subject_key, column_name, value, rule, action from quarantine order by all"
    return source.con.execute(sql).fetchall()


def _typed(source: Source, column: str) -> list[object]:
    return [value for (value,) in source.con.execute(f'select "{column}" from typed order by source_row').fetchall()]


def test_a_value_that_breaks_a_rule_is_recorded_with_row_patient_value_and_action(tiny_study: Study) -> None:
    source = read_source(tiny_study)
    assert _quarantine(source) == [
        (ROW_LACTATE_ZERO, "p0006", "lactate", "0", "impossible, a code for missing", SET_TO_MISSING),
        (ROW_LACTATE_TEXT, "p0008", "lactate", "high", "not a number", SET_TO_MISSING),
        (ROW_AGE_130, "p0010", "age", "130", "outside the plausible range 18 to 110", KEPT),
        (ROW_WARD_GARDEN, "p0013", "ward", "garden", "unknown category", SET_TO_MISSING),
    ]
    assert source.con.execute("select distinct source_table from quarantine").fetchall() == [("tiny.csv",)]


def test_what_is_set_to_missing_is_missing_and_what_is_kept_stays(tiny_study: Study) -> None:
    source = read_source(tiny_study)
    lactate, age, ward = (_typed(source, column) for column in ("lactate", "age", "ward"))
    assert lactate[ROW_LACTATE_ZERO - 1] is None
    assert lactate[ROW_LACTATE_TEXT - 1] is None
    assert age[ROW_AGE_130 - 1] == 130
    assert ward[ROW_WARD_GARDEN - 1] is None
    assert sum(value is None for value in (*lactate, *age, *ward)) == 3


@pytest.mark.parametrize(
    ("text", "typed", "rule"),
    [
        ("2.5", 2.5, None),
        (" 2.5 ", 2.5, None),
        ("1e1", 10, None),
        ("0.1", 0.1, None),
        ("20", 20, None),
        ("", None, None),
        ("0", None, "impossible, a code for missing"),
        ("0.000", None, "impossible, a code for missing"),
        ("-0", None, "impossible, a code for missing"),
        ("0.09", 0.09, "outside the plausible range 0.1 to 20"),
        ("20.01", 20.01, "outside the plausible range 0.1 to 20"),
        ("-3", -3, "outside the plausible range 0.1 to 20"),
        ("2,5", None, "not a number"),
        ("NA", None, "not a number"),
        ("nan", None, "not a number"),
        ("inf", None, "not a number"),
        ("1e999", None, "not a number"),
    ],
)
def test_a_number_is_judged_by_its_value_and_breaks_one_rule_at_most(
    write_study: WriteStudy, tmp_path: Path, text: str, typed: float | None, rule: str | None
) -> None:
    frame = build_frame().astype({"lactate": object})
    frame.loc[99, "lactate"] = text
    source = _source(write_study, tmp_path, frame)
    assert _typed(source, "lactate")[99] == typed
    assert [row[4] for row in _quarantine(source) if row[0] == 100] == ([rule] if rule else [])


def test_a_feature_without_rules_takes_any_number(write_study: WriteStudy, tmp_path: Path) -> None:
    frame = build_frame().assign(lactate=-1e6)
    bare = with_item("features", 2, invalid=[], plausible=None, normal=None, modifiable=False)
    source = _source(write_study, tmp_path, frame, **bare)
    assert set(_typed(source, "lactate")) == {-1e6}
    assert not [row for row in _quarantine(source) if row[2] == "lactate"]


def test_a_level_may_hold_quotes_and_braces(write_study: WriteStudy, tmp_path: Path) -> None:
    levels = {"medical": "m", "surgical": "s", "icu": "i", "the 'garden'": "g", "{shed}": "h"}
    frame = build_frame()
    frame.loc[[12, 13], "ward"] = ["the 'garden'", "{shed}"]
    source = _source(write_study, tmp_path, frame, **with_item("features", 3, levels=levels))
    assert _typed(source, "ward")[12:14] == ["the 'garden'", "{shed}"]


def test_a_column_that_is_no_feature_is_a_number_where_every_value_is_one(
    write_study: WriteStudy, tmp_path: Path
) -> None:
    frame = build_frame().assign(grade="3", comment="3")
    frame.loc[7, "comment"] = "three"
    items = SECTIONS["excluded"]
    assert isinstance(items, list)
    excluded = [*items, {"column": "grade", "why": "-"}, {"column": "comment", "why": "-"}]
    source = _source(write_study, tmp_path, frame, excluded=excluded)
    assert set(_typed(source, "grade")) == {3.0}
    assert set(_typed(source, "comment")) == {"3", "three"}


def test_every_value_of_a_real_file_is_judged_as_a_plain_loop_judges_it(small_study: Study) -> None:
    text = pd.read_csv(small_study.source_path, dtype=str, keep_default_na=False)
    expected = []
    for feature in (f for f in small_study.features if not f.is_categorical):
        for row, value in enumerate(text[feature.column].str.strip(), start=1):
            if value and float(value) in feature.invalid:
                expected.append((row, feature.column, float(value), SET_TO_MISSING))
            elif value and feature.plausible and not feature.plausible[0] <= float(value) <= feature.plausible[1]:
                expected.append((row, feature.column, float(value), KEPT))
    broken = _quarantine(read_source(small_study))
    found = [(row, column, float(str(value)), action) for row, _, column, value, _, action in broken]
    assert sorted(found) == sorted(expected)
    assert {action for *_, action in expected} == {KEPT, SET_TO_MISSING}


def test_a_column_of_the_study_that_the_file_lacks_is_named(tiny_study: Study) -> None:
    with pytest.raises(DataError) as caught:
        check_columns(tiny_study, [c for c in HEADER if c not in ("lactate", "ward")], file="tiny.csv")
    assert "expected column 'lactate', 'ward' in tiny.csv" in str(caught.value)
    assert "got: columns pid, age, sex, died" in str(caught.value)


def test_a_column_of_the_file_that_the_study_does_not_declare_is_named(tiny_study: Study) -> None:
    with pytest.raises(StudyError) as caught:
        check_columns(tiny_study, [*HEADER, "postcode", "phone"], file="tiny.csv")
    assert "got: 2 that are not: postcode, phone" in str(caught.value)
    assert "`excluded:` with a reason" in str(caught.value)


@pytest.mark.parametrize(
    ("section", "position", "changes"),
    [
        ("targets", 0, {"event": 'died = 1 or "ward no" = 7'}),
        ("targets", 1, {"value": 'cost_usd + "ward no"'}),
        ("subgroups", 1, {"value": "case when \"ward no\" = 7 then 'under 65' else '65 and over' end"}),
        ("baselines", 0, {"risk": 'nurse_risk + "ward no" / 100'}),
    ],
)
def test_a_column_that_only_an_expression_uses_is_declared_by_it(
    write_study: WriteStudy, tmp_path: Path, section: str, position: int, changes: dict[str, object]
) -> None:
    study = load_study(write_study(tmp_path, **with_item(section, position, **changes)))
    check_columns(study, [*HEADER, "ward no"], file="tiny.csv")


@pytest.mark.parametrize(
    ("pid", "expected", "found"),
    [
        (None, "expected a 'pid' in every row", "got: 1 without, the first in row 5"),
        ("p0004", "expected each 'pid' once", "got: 'p0004' 2 times"),
    ],
)
def test_a_subject_without_an_id_of_its_own_is_refused(
    write_study: WriteStudy, tmp_path: Path, pid: str | None, expected: str, found: str
) -> None:
    frame = build_frame()
    frame.loc[4, "pid"] = pid
    with pytest.raises(DataError) as caught:
        _source(write_study, tmp_path, frame)
    assert expected in str(caught.value)
    assert found in str(caught.value)
