"""The small pictures: what they draw, and that they hold no text."""

import base64
import math
import xml.etree.ElementTree as ElementTree
from collections import Counter

import pytest

from dashboard.charts.palette import DARK, LIGHT
from dashboard.components.pictures import icon_array, list_bar, range_position

SVG = "{http://www.w3.org/2000/svg}"
PREFIX = "data:image/svg+xml;base64,"


def read(uri: str) -> ElementTree.Element:
    """Return the root of the SVG in a data URI."""
    assert uri.startswith(PREFIX)
    return ElementTree.fromstring(base64.b64decode(uri.removeprefix(PREFIX)))  # noqa: S314, our own picture


def fills(uri: str) -> Counter[str]:
    """Return how many people of an icon array have each fill."""
    return Counter(person.attrib["fill"] for person in read(uri))


def test_of_100_people_39_are_solid_and_15_dashed() -> None:
    counted = fills(icon_array(39, 26, 54, palette=LIGHT))
    assert counted == {LIGHT.accent: 26, LIGHT.risk_scale[5]: 13, "none": 15, LIGHT.empty: 46}


def test_dashed_people_follow_the_solid_ones() -> None:
    people = list(read(icon_array(39, 26, 54, palette=LIGHT)))
    assert [place for place, person in enumerate(people) if "stroke-dasharray" in person.attrib] == list(range(39, 54))


def test_without_an_interval_everyone_is_solid_or_pale() -> None:
    assert fills(icon_array(39.4, math.nan, math.nan, palette=DARK)) == {DARK.accent: 39, DARK.empty: 61}


@pytest.mark.parametrize(("value", "solid"), [(-5, 0), (0, 0), (100, 100), (250, 100)])
def test_people_never_exceed_100(value: float, solid: int) -> None:
    assert fills(icon_array(value, math.nan, math.nan, palette=LIGHT))[LIGHT.accent] == solid


def boxes(uri: str) -> list[ElementTree.Element]:
    """Return the rectangles of a picture."""
    return read(uri).findall(f"{SVG}rect")


def test_the_bar_is_as_long_as_the_risk_and_coloured_by_it() -> None:
    track, bar = boxes(list_bar(0.75, 0.68, 0.81, 0.5, palette=LIGHT, width=200))
    assert (track.attrib["width"], track.attrib["fill"]) == ("200.0", LIGHT.empty)
    assert (bar.attrib["width"], bar.attrib["fill"]) == ("150.0", LIGHT.risk_colour(0.75))


def test_the_bar_keeps_to_its_size_and_has_a_tick_at_the_threshold() -> None:
    root = read(list_bar(0.2, None, None, 0.5, palette=LIGHT))
    assert (root.attrib["width"], root.attrib["height"]) == ("138", "26")
    (tick,) = root.findall(f"{SVG}line")
    assert tick.attrib["x1"] == tick.attrib["x2"] == "69.0"


def test_the_whisker_changes_colour_at_the_end_of_the_bar() -> None:
    lines = read(list_bar(0.75, 0.6, 0.9, None, palette=LIGHT)).findall(f"{SVG}line")
    assert [line.attrib["stroke"] for line in lines] == [LIGHT.background, LIGHT.text, LIGHT.background, LIGHT.text]


def test_on_a_pale_bar_the_whole_whisker_is_dark() -> None:
    lines = read(list_bar(0.1, 0.05, 0.2, None, palette=LIGHT)).findall(f"{SVG}line")
    assert {line.attrib["stroke"] for line in lines} == {LIGHT.text}


def test_a_refused_patient_has_an_empty_track() -> None:
    assert len(list(read(list_bar(None, None, math.nan, None, palette=DARK)))) == 1


def test_a_value_lies_where_it_should_with_the_normal_range_as_a_band() -> None:
    root = read(range_position(140, (135, 145), (110, 170), palette=LIGHT, width=112))
    (band,), (dot,) = root.findall(f"{SVG}rect"), root.findall(f"{SVG}circle")
    assert float(dot.attrib["cx"]) == 56
    assert float(band.attrib["x"]) + float(band.attrib["width"]) / 2 == pytest.approx(56, abs=0.1)
    assert dot.attrib["fill"] == LIGHT.text


@pytest.mark.parametrize(("value", "edge"), [(1, 0), (900, 112)])
def test_a_value_beyond_the_plausible_range_sits_at_its_end(value: float, edge: float) -> None:
    (dot,) = read(range_position(value, None, (110, 170), palette=LIGHT, width=112)).findall(f"{SVG}circle")
    assert float(dot.attrib["cx"]) == pytest.approx(edge, abs=6)


def test_a_value_that_was_not_measured_has_no_dot() -> None:
    root = read(range_position(None, (135, 145), (110, 170), palette=LIGHT))
    assert not root.findall(f"{SVG}circle")
    assert root.findall(f"{SVG}rect")


def test_pictures_hold_no_text() -> None:
    uris = [icon_array(39, 26, 54, palette=LIGHT), list_bar(0.5, 0.4, 0.6, 0.5, palette=LIGHT)]
    uris.append(range_position(140, (135, 145), (110, 170), palette=LIGHT))
    assert not [element for uri in uris for element in read(uri).iter() if element.tag == f"{SVG}text"]
