"""What the board's page says of how sure estimates are, each kind of uncertainty by its own name."""

import math

import pandas as pd

from dashboard.presentation.measures import MEASURES, count_words, lower_first, read_number
from pipeline.numerals import NOTHING, format_count, format_number

KINDS = {
    "model_instability": "if the model were rebuilt",
    "conformal_prediction": "for one patient's amount",
}
THREE_KINDS = (
    ("If the model were rebuilt", "how far a risk moves when the model is trained on resampled patients"),
    ("Calibration", "between which two values the risk lies that fits earlier patients with the same estimate"),
    ("Prediction", "between which two values one patient's amount will lie"),
)
# Both ends of what a 90% interval may cover before it is called off: ten groups in a hundred either way.
_CLOSE = 0.05
# The interval of totals that is shown; the others are in the table behind the button.
SHOWN_LEVEL = 0.9


def tell_intervals(quality: pd.DataFrame) -> str:
    """The takeaway: whether intervals hold what they promise, over all patients together."""
    shown = quality.dropna(subset=["coverage"])
    if shown.empty:
        return "No interval was measured in this release"
    off = shown[(shown["coverage"] - shown["level"] / 100).abs() > _CLOSE]
    if off.empty:
        return f"All {count_words(len(shown), 'interval')} hold what they promise, over all patients together"
    return f"{len(off)} of {count_words(len(shown), 'interval')} do not hold what they promise"


def build_interval_table(quality: pd.DataFrame) -> pd.DataFrame:
    """A row a target and level, in words."""
    rows = [
        (
            row["label"],
            f"{row['level']}%, {KINDS.get(row['interval_kind'], row['interval_kind'])}",
            _of_100(row["coverage"], row["coverage_lower"], row["coverage_upper"]),
            _tell_width(row),
            format_count(read_number(row["n"])),
        )
        for row in quality.to_dict("records")
    ]
    return pd.DataFrame(
        rows, columns=["Estimate", "Interval", "Held, of 100 (95%)", "Width, in the middle", "Patients"]
    )


def tell_totals(coverage: pd.DataFrame) -> str:
    """The takeaway on totals of groups: how often the 90% interval of a group held what was observed."""
    own = coverage[coverage["level"] == SHOWN_LEVEL]
    random, formed = (own[own["group_kind"] == kind] for kind in ("random", "attribute"))
    if random.empty or formed.empty:
        return "Too little was observed to say how often totals of groups hold"
    low, high = 100 * random["coverage"].min(), 100 * random["coverage"].max()
    held = format_number(100 * float(formed["coverage"].iloc[0]), decimals=0)
    span = f"{low:.0f}" if round(low) == round(high) else f"{low:.0f} to {high:.0f}"
    return f"90% intervals of totals held for {span} of 100 random groups, and for {held} of 100 formed by an attribute"


def build_total_table(coverage: pd.DataFrame) -> pd.DataFrame:
    """A row a kind of group and level, in words."""
    rows = [
        (
            f"random, {row['size']:.0f} patients" if row["group_kind"] == "random" else "formed by an attribute",
            f"{100 * row['level']:.0f}%",
            _of_100(row["coverage"], row["lower"], row["upper"]),
            f"{row['n_groups']:,.0f}",
        )
        for row in coverage.to_dict("records")
    ]
    return pd.DataFrame(rows, columns=["Groups", "Interval", "Held, of 100 (95%)", "Groups tried"])


def tell_effects(effects: pd.DataFrame) -> str:
    """How much groups differ beyond chance."""
    shown = effects[effects["sd"] > 0]
    if shown.empty:
        return "Groups differ from what is predicted by no more than chance"
    first = shown.iloc[0]
    return f"Groups by {lower_first(str(first['attribute_label']))} differ most: typically ±{_percent(first['sd'])}"


def build_effect_table(effects: pd.DataFrame) -> pd.DataFrame:
    """A row an attribute: the typical difference between observed and predicted beyond chance."""
    spread = [f"±{_percent(sd)}" if sd > 0 else "none shown" for sd in effects["sd"]]
    return pd.DataFrame({"Groups by": effects["attribute_label"], "Beyond chance they typically differ by": spread})


def tell_repeats(spread: pd.DataFrame) -> str:
    """The takeaway on other assignments of patients to folds."""
    if spread.empty:
        return "The spread over repeated cross-fitting was not measured in this release"
    repeats = int(spread["n_repeats"].max())
    wide = (spread["upper"] - spread["lower"]).to_numpy(float)
    share = float(pd.Series((spread["high"] - spread["low"]).to_numpy(float) / wide).median())
    how = "little" if share < 0.5 else "noticeably"
    return f"Had patients been divided otherwise for training, the figures would move {how}: tried {repeats} times"


def build_repeat_table(spread: pd.DataFrame) -> pd.DataFrame:
    """A row a metric: the estimate with its bootstrap interval, and its range over repeats."""
    rows = []
    for row in spread.to_dict("records"):
        measure = MEASURES.get(str(row["metric"]))
        if measure is None:
            continue
        value, low, high, least, most = (
            measure.format(read_number(row[name])) for name in ("estimate", "lower", "upper", "low", "high")
        )
        rows.append((measure.name, f"{value} ({low} to {high})", f"{least} to {most}"))
    return pd.DataFrame(rows, columns=["Measure", "Estimate (95% interval)", "Divided otherwise"])


def _percent(share: float) -> str:
    return f"{format_number(100 * share, decimals=0 if share >= 0.0095 else 1)}%"


def _of_100(estimate: float, lower: float, upper: float) -> str:
    if not math.isfinite(read_number(estimate)):
        return NOTHING
    values = [format_number(100 * read_number(v), decimals=0) for v in (estimate, lower, upper)]
    return f"{values[0]} ({values[1]} to {values[2]})"


def _tell_width(row: dict[object, object]) -> str:
    width = read_number(row["width"])
    if not math.isfinite(width):
        return NOTHING
    if row["kind"] == "outcome":
        return f"{format_number(100 * width, decimals=1)} points of 100"
    return f"upper end is {format_number(width, decimals=1)} times the lower"
