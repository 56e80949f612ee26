"""The palettes are readable, mean one thing each, and are what Streamlit is told."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from dashboard.charts.palette import DARK, LIGHT, Palette, palette

CONFIG = Path(__file__).parents[3] / ".streamlit" / "config.toml"
THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
TEXT_ROLES = ("text", "muted", "accent", "raises_text", "lowers_text", "status_text")


def luminance(colour: str) -> float:
    """Return the relative luminance of #RRGGBB (WCAG 2.2)."""
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def read_config() -> dict[str, Any]:
    """Return the Streamlit settings of the checkout."""
    return tomllib.loads(CONFIG.read_text(encoding="utf-8"))


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


@THEMES
@pytest.mark.parametrize("role", TEXT_ROLES)
def test_text_is_readable_on_background_and_tint(theme: Palette, role: str) -> None:
    assert contrast(getattr(theme, role), theme.background) >= 4.5
    assert contrast(getattr(theme, role), theme.tint) >= 4.5


@THEMES
@pytest.mark.parametrize("role", ["raises", "lowers", "status"])
def test_text_is_readable_on_its_chip(theme: Palette, role: str) -> None:
    text, chip = getattr(theme, f"{role}_text"), getattr(theme, f"{role}_chip")
    assert contrast(text, chip) >= 4.5
    assert contrast(theme.text, chip) >= 4.5


@THEMES
@pytest.mark.parametrize("role", ["accent", "interval", "raises", "lowers"])
def test_marks_stand_out_from_the_background(theme: Palette, role: str) -> None:
    assert contrast(getattr(theme, role), theme.background) >= 3


@THEMES
def test_raises_and_lowers_share_no_colour_with_anything_else(theme: Palette) -> None:
    meant = {theme.raises, theme.raises_text, theme.raises_chip, theme.lowers, theme.lowers_text, theme.lowers_chip}
    others = [value for role, value in vars(theme).items() if not role.startswith(("raises", "lowers"))]
    colours = {colour for value in others for colour in ([value] if isinstance(value, str) else value)}
    assert len(meant) == 6
    assert not meant & colours


@THEMES
def test_the_risk_scale_moves_steadily_away_from_the_background(theme: Palette) -> None:
    ratios = [contrast(step, theme.background) for step in theme.risk_scale]
    assert len(ratios) == 10
    assert ratios == sorted(ratios)


@THEMES
def test_bars_use_steps_three_to_eight_of_the_risk_scale(theme: Palette) -> None:
    assert theme.risk_colour(0.0) == theme.risk_scale[2]
    assert theme.risk_colour(1.0) == theme.risk_scale[7]
    assert theme.risk_colour(-1) == theme.risk_scale[2]
    assert theme.risk_colour(0.5) == theme.risk_scale[5]


def test_only_dark_is_dark() -> None:
    assert palette("dark") is DARK
    assert palette("light") is LIGHT
    assert palette(None) is LIGHT


@pytest.mark.parametrize(("name", "theme"), [("light", LIGHT), ("dark", DARK)])
def test_streamlit_is_told_the_same_colours(name: str, theme: Palette) -> None:
    told = read_config()["theme"][name]
    expected = {
        "primaryColor": theme.accent,
        "backgroundColor": theme.background,
        "secondaryBackgroundColor": theme.tint,
        "textColor": theme.text,
        "borderColor": theme.border,
        "orangeColor": theme.raises,
        "orangeTextColor": theme.raises_text,
        "orangeBackgroundColor": theme.raises_chip,
        "blueColor": theme.lowers,
        "blueTextColor": theme.lowers_text,
        "blueBackgroundColor": theme.lowers_chip,
        "yellowTextColor": theme.status_text,
        "yellowBackgroundColor": theme.status_chip,
        "violetTextColor": theme.accent,
        "grayTextColor": theme.muted,
    }
    assert {key: told[key] for key in expected} == expected


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("hue", ["orange", "blue", "violet", "yellow", "gray"])
def test_badges_are_readable(name: str, hue: str) -> None:
    told = read_config()["theme"][name]
    assert contrast(told[f"{hue}TextColor"], told[f"{hue}BackgroundColor"]) >= 4.5


def test_the_server_keeps_to_itself() -> None:
    told = read_config()
    assert told["server"]["address"] == "127.0.0.1"
    assert told["server"]["headless"] is True
    assert told["server"]["maxUploadSize"] <= 5
    assert told["client"]["showErrorDetails"] == "none"
    assert told["browser"]["gatherUsageStats"] is False
    assert told["runner"]["magicEnabled"] is False
