"""Values and contributions in words."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.explain.words import (
    HIGH,
    LOW,
    LOWERS,
    NORMAL,
    RAISES,
    Missing,
    Reason,
    build_reasons,
    describe_subject,
    describe_value,
    describe_value_in_full,
    format_normal,
    format_value,
    list_reasons,
    position_of,
    write_paragraph,
)
from pipeline.numerals import MINUS
from pipeline.study import Feature, Study

PH = Feature.model_validate(
    {
        "id": "ph",
        "label": "Arterial pH",
        "concept": "Breathing",
        "kind": "number",
        "normal": [7.35, 7.45],
        "plausible": [6.7, 7.9],
        "decimals": 2,
        "term": "arterial pH",
        "low": "low arterial pH",
        "missing": "no blood gas ordered",
    }
)
PRESSURE = Feature.model_validate(
    {
        "id": "meanbp",
        "label": "Mean blood pressure",
        "concept": "Circulation",
        "unit": "mmHg",
        "kind": "number",
        "normal": [70, 100],
        "plausible": [20, 200],
        "low": "low blood pressure",
    }
)
COMA = Feature.model_validate(
    {"id": "scoma", "label": "Coma score", "concept": "Brain", "kind": "integer", "normal": [0, 0], "unit": "points"}
)
BARE = Feature.model_validate({"id": "hday", "label": "Hospital day", "concept": "Stay", "kind": "integer"})
PATIENT: dict[str, float | str | Missing | None] = {"age": 75.9, "sex": "male", "lactate": 8.04, "ward": "icu"}


@pytest.mark.parametrize(
    ("value", "position"),
    [
        # Files store 7.35 as 7.3496; 7.3449 is shown as 7.34.
        (7.3496, NORMAL),
        (7.3449, LOW),
        (7.35, NORMAL),
        (7.45, NORMAL),
        (7.4549, NORMAL),
        (7.4551, HIGH),
        (None, None),
        (math.nan, None),
        (Missing("lost"), None),
    ],
)
def test_a_value_is_low_or_high_as_it_is_displayed(value: float | Missing | None, position: str | None) -> None:
    assert position_of(PH, value) == position


def test_a_value_without_a_normal_range_has_no_position() -> None:
    assert position_of(BARE, 40) is None


@given(st.floats(6.0, 8.5))
def test_a_value_called_low_never_reads_as_one_inside_the_range(value: float) -> None:
    shown = float(format_value(PH, value))
    position = position_of(PH, value)
    assert (position == LOW) == (shown < 7.35)
    assert (position == HIGH) == (shown > 7.45)


@pytest.mark.parametrize(
    ("feature", "value", "text"),
    [
        (PRESSURE, 61.6, "62 mmHg"),
        (PH, 7.3496, "7.35"),
        (PH, None, "no blood gas ordered"),
        (PH, math.nan, "no blood gas ordered"),
        (PRESSURE, None, "not measured"),
        (PRESSURE, Missing("missing in the public file"), "missing in the public file"),
    ],
)
def test_values_have_their_unit_and_missing_ones_their_words(
    feature: Feature, value: float | Missing | None, text: str
) -> None:
    assert format_value(feature, value) == text


def test_ages_are_years_lived_and_levels_have_names(tiny_study: Study) -> None:
    assert format_value(tiny_study.feature("age"), 75.9) == "75 years"
    assert format_value(tiny_study.feature("ward"), "icu") == "intensive care"
    assert format_value(tiny_study.feature("ward"), "garden") == "garden"


@pytest.mark.parametrize(
    ("feature", "value", "short", "full"),
    [
        (PRESSURE, 62.0, "low blood pressure 62", "low blood pressure (62 mmHg, normal 70 to 100)"),
        (PRESSURE, 80.0, "mean blood pressure 80", "mean blood pressure (80 mmHg, normal 70 to 100)"),
        # No word for a high one: its plain name.
        (PRESSURE, 130.0, "mean blood pressure 130", "mean blood pressure (130 mmHg, normal 70 to 100)"),
        (PH, 7.1, "low arterial pH 7.10", "low arterial pH (7.10, normal 7.35 to 7.45)"),
        (PH, None, "arterial pH: no blood gas ordered", "arterial pH: no blood gas ordered"),
        (COMA, 0.0, "coma score 0", "coma score (0 points, normal 0)"),
        (BARE, 3.0, "hospital day 3", "hospital day 3"),
    ],
)
def test_a_value_is_described_in_short_and_in_full(feature: Feature, value: float, short: str, full: str) -> None:
    assert describe_value(feature, value) == short
    assert describe_value_in_full(feature, value) == full


def test_the_normal_range_is_written_as_an_interval_or_a_dash() -> None:
    assert format_normal(PH) == "7.35 to 7.45"
    assert format_normal(COMA) == "0"
    assert format_normal(BARE) == "–"


def test_a_patient_is_headed_by_age_and_the_headline_levels(tiny_study: Study) -> None:
    assert describe_subject(tiny_study, PATIENT) == "75-year-old man"
    headed = tiny_study.model_copy(update={"headline": ["age", "sex", "ward"]})
    assert describe_subject(headed, PATIENT) == "75-year-old man, intensive care"
    assert describe_subject(headed, {**PATIENT, "age": None}) == "not measured, man, intensive care"


def test_reasons_of_a_list_are_the_largest_first_with_a_sign_each(tiny_study: Study) -> None:
    assert list_reasons(tiny_study, PATIENT, [0.1, 9.0, 0.5, -0.4]) == [
        "▲ high lactate 8.0",
        "▼ intensive care",
        "▲ age 75",
    ]
    assert list_reasons(tiny_study, PATIENT, [0.1, 9.0, 0.5, -0.4], most=1) == ["▲ high lactate 8.0"]


def test_what_moves_nothing_is_no_reason(tiny_study: Study) -> None:
    assert list_reasons(tiny_study, PATIENT, [0.0, 0.0, 0.0, -0.2]) == ["▼ intensive care"]


def test_a_missing_value_can_be_a_reason_and_says_what_is_missing(tiny_study: Study) -> None:
    assert list_reasons(tiny_study, {**PATIENT, "lactate": Missing("lost in the file")}, [0.0, 0.0, 0.3, 0.0]) == [
        "▲ lactate: lost in the file"
    ]


def test_reasons_add_up_by_concept_and_name_what_carries_them(tiny_study: Study) -> None:
    reasons = build_reasons(tiny_study, PATIENT, [5.0, -1.0, -6.0, 0.5])
    assert [(r.concept, r.points) for r in reasons] == [("Blood", -6.0), ("Person", 4.0), ("Place", 0.5)]
    assert reasons[0].findings == ["high lactate (8.0 mmol/L, normal 0.5 to 2.0)"]
    # Sex pulls the other way and is not named.
    assert reasons[1].findings == ["age 75"]


@given(st.lists(st.floats(-20, 20), min_size=4, max_size=4))
def test_reasons_keep_the_sum_of_the_points(tiny_study: Study, points: list[float]) -> None:
    reasons = build_reasons(tiny_study, PATIENT, points)
    assert sum(r.points for r in reasons) == pytest.approx(sum(points), abs=1e-9)
    assert [abs(r.points) for r in reasons] == sorted((abs(r.points) for r in reasons), reverse=True)


def _reasons(points: list[float]) -> list[Reason]:
    named = [Reason(concept=f"Concept {i}", points=p, findings=[f"finding {i}"]) for i, p in enumerate(points)]
    return sorted(named, key=lambda r: -abs(r.points))


def test_a_paragraph_tells_the_start_the_reasons_up_the_reasons_down_and_the_rest() -> None:
    text = write_paragraph(_reasons([9.3, -7.0, 3.2, 2.0, 1.4, -1.2, -0.6]), start="33 of 100", unit="", smallest=0.5)
    assert text == (
        "Starting from 33 of 100, :orange[▲ **the main reasons to expect more**] are "
        "**concept 0 +9**, finding 0; **concept 2 +3**, finding 2; **concept 3 +2**, finding 3. "
        f":blue[▼ **Reasons to expect less**]: **concept 1 {MINUS}7**, finding 1; **concept 5 {MINUS}1**, finding 5. "
        "Everything else adds +0.8."
    )


def test_a_paragraph_without_reasons_says_so() -> None:
    text = write_paragraph(_reasons([0.1, -0.1]), start="33 of 100", unit="", smallest=0.5)
    assert text == "Starting from 33 of 100, nothing recorded moves the estimate much."


def test_dollars_in_a_paragraph_are_no_formula() -> None:
    text = write_paragraph(_reasons([12_345.0, -900.0]), start="\\$20.0k", unit="USD", smallest=100)
    assert "**concept 0 +\\$12.3k**" in text
    assert f"**concept 1 {MINUS}\\$900**" in text
    assert not re.search(r"(?<!\\)\$", text)


@given(
    points=st.lists(st.floats(-40, 40), min_size=1, max_size=9),
    scale=st.sampled_from([(1.0, ""), (500.0, "USD"), (1.0, "days")]),
)
def test_every_reason_in_a_paragraph_stands_on_its_own_side_with_its_own_sign(
    points: list[float], scale: tuple[float, str]
) -> None:
    factor, unit = scale
    reasons = _reasons([factor * p for p in points])
    text = write_paragraph(reasons, start="x", unit=unit, smallest=0.5 * factor)
    up, _, down = text.partition(f":blue[{LOWERS}")
    if f":orange[{RAISES}" not in text:
        up = ""
    by_name = {f"concept {i}": factor * p for i, p in enumerate(points)}
    for side, sign, mark in ((up, 1, r"\+"), (down, -1, MINUS)):
        for name, first in re.findall(r"\*\*(concept \d+) (.)", side):
            assert math.copysign(1, by_name[name]) == sign
            assert re.fullmatch(mark, first)
    named = set(re.findall(r"concept \d+", text))
    assert len(named) <= 5
    largest = max(points, key=abs)
    if abs(largest) >= 0.5:
        assert f"concept {points.index(largest)}" in named or sum(abs(p) == abs(largest) for p in points) > 1


@given(st.lists(st.integers(-40, 40), min_size=1, max_size=9))
def test_what_a_paragraph_names_and_the_rest_add_up_to_the_whole(points: list[int]) -> None:
    text = write_paragraph(_reasons([float(p) for p in points]), start="x", unit="", smallest=0.5)
    numbers = re.findall(rf"(?:concept \d+|else adds) ([+{MINUS}]\d+)", text)
    assert sum(int(number.replace(MINUS, "-")) for number in numbers) == sum(points)
