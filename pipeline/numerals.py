"""Numbers as people read them: at most three significant digits, a true minus, intervals as "33 to 50"."""

import math

MINUS = "−"
NOTHING = "–"


def format_number(value: float, *, decimals: int | None = None) -> str:
    """`value` with thousands separators; three significant digits unless `decimals` says otherwise."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if decimals is None:
        value = _round_significant(value, 3)
        decimals = max(0, 2 - _magnitude(value))
    text = f"{abs(value):,.{min(decimals, 4)}f}"
    return (MINUS if value < 0 and float(text.replace(",", "")) != 0 else "") + text


def format_signed(value: float, *, decimals: int = 1) -> str:
    """`value` with its sign, "+9.3" or "−7.0"; zero has none."""
    text = format_number(value, decimals=decimals)
    return text if text.startswith((MINUS, NOTHING)) or not text.strip("0.,") else f"+{text}"


def format_count(value: float) -> str:
    """A whole number with thousands separators."""
    return format_number(value, decimals=0)


def format_of_100(risk: float) -> str:
    """A risk (0 to 1) as a natural frequency: "41"; the ends are never rounded to none or all."""
    if not math.isfinite(risk):
        return NOTHING
    per_100 = 100 * risk
    if per_100 < 1:
        return "less than 1"
    if per_100 > 99:
        return "more than 99"
    return f"{per_100:.0f}"


def format_dollars(value: float) -> str:
    """An amount of dollars: "$8,640", "$41.2k", "$286M"."""
    if not math.isfinite(value):
        return NOTHING
    amount = _round_significant(abs(value), 3)
    sign = MINUS if value < 0 and round(amount) else ""
    for size, unit, letter in ((1e9, 1e9, "B"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if amount >= size:
            return f"{sign}${format_number(amount / unit)}{letter}"
    return f"{sign}${format_number(amount, decimals=0)}"


def format_amount(value: float, unit: str) -> str:
    """An amount in its unit: dollars with their sign, anything else followed by the unit."""
    return format_dollars(value) if unit == "USD" else f"{format_number(value)} {unit}"


def format_interval(lower: float, upper: float, *, decimals: int | None = None) -> str:
    """ "33 to 50"."""
    return f"{format_number(lower, decimals=decimals)} to {format_number(upper, decimals=decimals)}"


def format_ratio(estimate: float, lower: float, upper: float) -> str:
    """A ratio with its interval: "0.96 (0.80 to 1.13)"."""
    return f"{format_number(estimate, decimals=2)} ({format_interval(lower, upper, decimals=2)})"


def _magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def _round_significant(value: float, digits: int) -> float:
    return round(value, digits - 1 - _magnitude(value)) if value else 0.0
