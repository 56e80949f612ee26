"""The study model: what a study file may not say."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.errors import StudyError
from pipeline.paths import DATA
from pipeline.study import Feature, Study, Target, columns_in, load_study
from pipeline.study.model import Attribute, Baseline, quote
from tests.conftest import WriteStudy
from tests.synthetic import with_item


def _feature(**changes: object) -> Feature:
    return Feature.model_validate({"id": "x", "label": "Blood X", "concept": "Blood", "kind": "number", **changes})


def _problem(write_study: WriteStudy, folder: Path, **sections: Any) -> str:
    with pytest.raises(StudyError) as caught:
        load_study(write_study(folder, **sections))
    return str(caught.value)


def test_the_embedded_studies_are_valid() -> None:
    repaired, as_filed = load_study("support2"), load_study("support2-as-filed")
    assert repaired.repairs
    assert not as_filed.repairs
    assert [f.id for f in repaired.features] == [f.id for f in as_filed.features]
    assert repaired.source_path == as_filed.source_path


def test_race_income_and_schooling_are_audited_and_never_features() -> None:
    study = load_study("support2")
    columns = {f.column for f in study.features}
    assert not columns & {"race", "income", "edu"}
    assert {a.id for a in study.subgroups} >= {"race", "income", "education"}


def test_every_column_of_support2_is_declared_and_none_that_looks_past_day_3_is_a_feature() -> None:
    study = load_study("support2")
    header = study.source_path.read_text(encoding="utf-8").splitlines()[0].split(",")
    assert {f.column for f in study.features} | {e.column for e in study.excluded} == set(header)
    later = {"death", "hospdead", "slos", "d.time", "charges", "totcst", "totmcst", "avtisst", "dnr", "dnrday", "sfdm2"}
    leaking = {"adlp", "adls", "surv2m", "surv6m", "prg2m", "prg6m"}
    assert not {f.column for f in study.features} & (later | leaking)
    assert all(e.why for e in study.excluded)


def test_the_checksum_that_support2_declares_is_that_of_its_file() -> None:
    study = load_study("support2")
    assert hashlib.sha256(study.source_path.read_bytes()).hexdigest() == study.source.sha256


def test_a_feature_takes_its_column_from_its_id_and_its_term_from_its_label() -> None:
    feature = _feature()
    assert (feature.column, feature.term) == ("x", "blood X")
    named = _feature(column="x.1", term="the X")
    assert (named.column, named.term) == ("x.1", "the X")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"plausible": [5, 1]}, "lower end first"),
        ({"plausible": [float("nan"), 1]}, "finite number"),
        ({"plausible": [0, float("inf")]}, "finite number"),
        ({"kind": "category", "levels": {"a": "A", "missing": "M"}}, "cannot be declared"),
        ({"normal": [0, 3], "plausible": [1, 9]}, "inside the plausible range"),
        ({"normal": [2, 10], "plausible": [1, 9]}, "inside the plausible range"),
        ({"modifiable": True}, "needs a plausible range"),
        ({"levels": {"a": "A"}}, "a number has none"),
        ({"kind": "category"}, "needs `levels`"),
        ({"kind": "binary", "levels": {"a": "A", "b": "B", "c": "C"}}, "two `levels`"),
        ({"kind": "category", "levels": {"a": "A"}, "invalid": [0]}, "are for numbers"),
        ({"kind": "category", "levels": {"a": "A"}, "modifiable": True}, "are for numbers"),
        ({"id": "Blood X"}, "pattern"),
        ({"id": "1x"}, "pattern"),
        ({"label": "  "}, "at least 1 character"),
        ({"decimals": 9}, "less than or equal to 4"),
    ],
)
def test_a_feature_that_contradicts_itself_is_refused(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        _feature(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"event": None},
        {"happened": None},
        {"value": "x"},
        {"kind": "cost"},
        {"kind": "cost", "event": None, "value": "x"},
    ],
)
def test_a_target_has_what_its_kind_needs_and_nothing_else(changes: dict[str, object]) -> None:
    outcome = {"id": "t", "kind": "outcome", "label": "T", "event": "x = 1", "happened": "died"}
    assert Target.model_validate(outcome).sql == "x = 1"
    with pytest.raises(ValidationError):
        Target.model_validate({**outcome, **changes})


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"reference": "z"}, "one of the levels"),
        ({"reference": "missing"}, "one of the levels"),
        ({"levels": {"a": "A", "missing": "M"}}, "cannot be declared"),
        ({"value": "x"}, "and not both"),
        ({"column": None}, "needs `column` or `value`"),
        ({"levels": {"a": "A"}}, "at least 2"),
        ({"levels": {"a": "A", "b × c": "B by C"}}, "between the levels of two attributes"),
    ],
)
def test_an_attribute_declares_its_levels_and_a_reference_that_is_never_missing(
    changes: dict[str, object], complaint: str
) -> None:
    attribute = {"id": "x", "label": "X", "column": "x", "levels": {"a": "A", "b": "B"}, "reference": "a"}
    assert Attribute.model_validate(attribute).sql == '"x"'
    with pytest.raises(ValidationError, match=complaint):
        Attribute.model_validate({**attribute, **changes})


def test_a_baseline_is_a_risk_or_a_score() -> None:
    assert Baseline(id="b", target="t", label="B", score="aps").sql == "aps"
    for both in ({}, {"risk": "x", "score": "y"}):
        with pytest.raises(ValidationError, match="needs `risk` or `score`"):
            Baseline.model_validate({"id": "b", "target": "t", "label": "B", **both})


@pytest.mark.parametrize("event", ["died = 1 and AGE > 60", 'died = 1 and "age" > 60', "abs(age) > 60"])
def test_a_feature_that_is_also_a_target_is_refused(write_study: WriteStudy, tmp_path: Path, event: str) -> None:
    problem = _problem(write_study, tmp_path, **with_item("targets", 0, event=event))
    assert "a feature cannot be part of a target: ['age'] is in `features` and in target 'death'" in problem


def test_the_name_of_a_feature_in_quoted_text_is_no_use_of_it(write_study: WriteStudy, tmp_path: Path) -> None:
    path = write_study(tmp_path, **with_item("targets", 0, event="died = 1 and nurse_risk <> 'age'"))
    assert load_study(path).target("death").event


@pytest.mark.parametrize(
    ("section", "position", "changes", "complaint"),
    [
        ("targets", 1, {"id": "death"}, "ids must be unique"),
        ("features", 0, {"id": "death", "column": "age"}, "ids must be unique"),
        ("baselines", 0, {"id": "lactate"}, "ids must be unique"),
        ("subgroups", 1, {"id": "ward"}, "ids must be unique"),
        ("baselines", 0, {"target": "discharge"}, "`baselines` names ['discharge']"),
        ("excluded", 0, {"column": "ward"}, "a column cannot be a feature and excluded: ['ward']"),
    ],
)
def test_names_that_clash_or_lead_nowhere_are_refused(
    write_study: WriteStudy, tmp_path: Path, section: str, position: int, changes: dict[str, object], complaint: str
) -> None:
    assert complaint in _problem(write_study, tmp_path, **with_item(section, position, **changes))


@pytest.mark.parametrize(
    ("sections", "complaint"),
    [
        ({"thresholds": {"cost": [0.5]}}, "`thresholds` names ['cost']"),
        ({"thresholds": {"death": [1.0]}}, "less than 1"),
        ({"headline": ["height"]}, "`headline` names ['height']"),
        ({"diagnosis": "ward"}, "`diagnosis` names ['ward']"),
        ({"targets": []}, "at least 1 item"),
        ({"splits": {"folds": 1, "seed": 1}}, "greater than or equal to 2"),
        ({"splits": {"folds": 5}}, "seed: Field required"),
        ({"source": {"kind": "csv", "path": "x.csv", "sha256": "abc"}}, "pattern"),
        ({"id": "Tiny Study"}, "pattern"),
    ],
)
def test_sections_that_cannot_be_are_refused(
    write_study: WriteStudy, tmp_path: Path, sections: dict[str, Any], complaint: str
) -> None:
    assert complaint in _problem(write_study, tmp_path, **sections)


def test_an_attribute_called_all_is_refused_since_totals_of_everybody_are_called_that(
    write_study: WriteStudy, tmp_path: Path
) -> None:
    assert "all" in _problem(write_study, tmp_path, **with_item("subgroups", 1, id="all"))


def test_a_baseline_of_an_amount_is_refused_since_it_is_measured_as_a_risk(
    write_study: WriteStudy, tmp_path: Path
) -> None:
    assert "baselines" in _problem(write_study, tmp_path, **with_item("baselines", 0, target="cost"))


def test_the_hash_of_a_study_is_of_what_it_says_and_not_of_its_layout(write_study: WriteStudy, tmp_path: Path) -> None:
    path = write_study(tmp_path / "a")
    first = load_study(path)
    path.write_text("# a comment\n\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert load_study(path).sha256 == first.sha256
    assert load_study(write_study(tmp_path / "b")).sha256 == first.sha256
    assert load_study(write_study(tmp_path / "c", era="2002")).sha256 != first.sha256


def test_parts_of_a_study_are_found_by_id(tiny_study: Study) -> None:
    assert tiny_study.target("cost").unit == "USD"
    assert tiny_study.feature("ward").concept == "Place"
    assert tiny_study.attribute("age_band").reference == "under 65"
    assert tiny_study.concepts == ["Person", "Blood", "Place"]


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("death = 1", {"death"}),
        ("DEATH = 1", {"death"}),
        ('death = 1 and "d.time" <= 180', {"death", "d.time"}),
        ("d.time <= 180", set()),
        ("'death' || sex", {"sex"}),
        ("'it''s death' || sex", {"sex"}),
        ('"say ""hi""" > 1', {'say "hi"'}),
        ("deathly + sex2", set()),
        ("nullif(totcst, 0)", {"totcst"}),
        ("case when sex = 'death' then 1 end", {"sex"}),
        ("", set()),
    ],
)
def test_columns_are_found_in_expressions_as_sql_reads_them(sql: str, found: set[str]) -> None:
    assert columns_in(sql, ["death", "d.time", "sex", "totcst", 'say "hi"']) == found


def test_quoted_identifiers_double_their_quotes() -> None:
    assert quote("d.time") == '"d.time"'
    assert quote('a"b') == '"a""b"'


def test_the_embedded_study_is_where_the_checkout_says() -> None:
    assert load_study("support2").folder == DATA / "support2"
