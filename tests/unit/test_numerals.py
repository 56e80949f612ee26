"""Numbers as people read them."""

import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.numerals import (
    MINUS,
    NOTHING,
    format_amount,
    format_count,
    format_dollars,
    format_interval,
    format_number,
    format_of_100,
    format_ratio,
    format_signed,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.00"),
        (0.0123, "0.0123"),
        (0.41, "0.410"),
        (1.5, "1.50"),
        (41.26, "41.3"),
        (123.4, "123"),
        (1234, "1,230"),
        (1_234_567, "1,230,000"),
        (-7.04, f"{MINUS}7.04"),
        (math.nan, NOTHING),
        (math.inf, NOTHING),
    ],
)
def test_a_number_has_three_significant_digits(value: float, text: str) -> None:
    assert format_number(value) == text


@pytest.mark.parametrize(("value", "text"), [(9.996, "10.0"), (99.96, "100"), (0.9996, "1.00"), (999.7, "1,000")])
def test_a_number_that_rounds_up_to_a_power_of_ten_keeps_three_digits(value: float, text: str) -> None:
    assert format_number(value) == text


@given(st.floats(min_value=1e-3, max_value=1e12))
@example(9.996)
@example(99.96)
def test_no_number_shows_more_than_three_significant_digits(value: float) -> None:
    digits = re.sub(r"[.,]", "", format_number(value)).lstrip("0")
    if value < 999.5:
        assert len(digits) <= 3
    assert digits.rstrip("0") == digits[:3].rstrip("0")


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(62.4, 0, "62"), (7.3496, 2, "7.35"), (-0.04, 1, "0.0"), (-0.06, 1, f"{MINUS}0.1"), (12345.6, 1, "12,345.6")],
)
def test_decimals_can_be_asked_for_and_zero_has_no_minus(value: float, decimals: int, text: str) -> None:
    assert format_number(value, decimals=decimals) == text


@pytest.mark.parametrize(
    ("value", "text"), [(9.3, "+9.3"), (-7, f"{MINUS}7.0"), (0, "0.0"), (0.04, "0.0"), (-0.04, "0.0"), (10, "+10.0")]
)
def test_a_signed_number_shows_its_sign_and_zero_has_none(value: float, text: str) -> None:
    assert format_signed(value) == text


def test_a_signed_number_that_is_not_there_is_a_dash_alone() -> None:
    assert format_signed(math.nan) == NOTHING


def test_counts_are_whole_with_thousands_separators() -> None:
    assert format_count(9105) == "9,105"


@pytest.mark.parametrize(
    ("risk", "text"),
    [
        (0.0, "less than 1"),
        (0.0099, "less than 1"),
        (0.01, "1"),
        (0.414, "41"),
        (0.99, "99"),
        (0.9901, "more than 99"),
        (1.0, "more than 99"),
        (math.nan, NOTHING),
    ],
)
def test_a_risk_is_a_natural_frequency_and_never_none_or_all(risk: float, text: str) -> None:
    assert format_of_100(risk) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "$0"),
        (42, "$42"),
        (8640, "$8,640"),
        (8647, "$8,650"),
        (41_234, "$41.2k"),
        (412_345, "$412k"),
        (1_234_567, "$1.23M"),
        (286_000_000, "$286M"),
        (2_860_000_000, "$2.86B"),
        (-41_234, f"{MINUS}$41.2k"),
        (math.nan, NOTHING),
    ],
)
def test_dollars_have_three_digits_and_a_unit(value: float, text: str) -> None:
    assert format_dollars(value) == text


@pytest.mark.parametrize(("value", "text"), [(9_996, "$10.0k"), (99_960, "$100k"), (999_600, "$1.00M")])
def test_dollars_that_round_up_to_a_power_of_ten_keep_three_digits(value: float, text: str) -> None:
    assert format_dollars(value) == text


def test_dollars_that_round_to_nothing_have_no_minus() -> None:
    assert format_dollars(-0.2) == "$0"


def test_amounts_name_their_unit() -> None:
    assert format_amount(12.34, "days") == "12.3 days"
    assert format_amount(12.34, "USD") == "$12"


def test_intervals_and_ratios_are_written_in_words() -> None:
    assert format_interval(33.2, 50.4, decimals=0) == "33 to 50"
    assert format_ratio(0.957, 0.801, 1.129) == "0.96 (0.80 to 1.13)"
