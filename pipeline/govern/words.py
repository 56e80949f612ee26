"""Words for findings: what a group is called, and a row's numbers in a sentence."""

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.numerals import format_count, format_number
from pipeline.study.model import BETWEEN

Tables = Mapping[str, pd.DataFrame]
Row = Mapping[Any, Any]


def tell_metric(row: Row) -> str:
    """What is off, and how far: "risks are too low, 12% more events than predicted"."""
    metric, estimate = str(row["metric"]), float(row["estimate"])
    percent = f"{abs(estimate - 1) * 100:.0f}%"
    if metric == "observed_expected":
        way, than = ("low", "more") if estimate > 1 else ("high", "fewer")
        return f"risks are too {way}, {percent} {than} events than predicted"
    if metric == "predictive_ratio":
        return f"projected {percent} too {'high' if estimate > 1 else 'low'}"
    if metric == "calibration_slope":
        return "risks are too timid" if estimate > 1 else "risks are too extreme"
    level = metric.removeprefix("interval_coverage_")
    return f"the {level}% interval covers {100 * estimate:.0f} of 100 patients"


def name_target(tables: Tables, target_id: object) -> str:
    """The label of a target."""
    labels = dict(zip(tables["target"]["target_id"], tables["target"]["label"], strict=True))
    return str(labels[target_id])


def name_level(attribute_label: str, level_label: str) -> str:
    """ "Race as recorded: Asian", or the level alone where it says what it is of: "Site 5", "Race not recorded"."""
    words = re.findall(r"\w{4,}", re.sub(r"\(.*?\)", "", attribute_label))
    said = any(word.lower() in level_label.lower() for word in words)
    return level_label if said else f"{attribute_label}: {level_label}"


def shorten_conditions(conditions: str) -> str:
    """Conditions joined by " · ", without the attributes that their levels name anyway."""
    parts = (part.split(": ", 1) for part in conditions.split(" · "))
    return " · ".join(name_level(*part) if len(part) == 2 else part[0] for part in parts)


def lower_first(text: str) -> str:
    """A label within a sentence: its first letter small, unless the word is an acronym."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def name_model(label: str) -> str:
    """A model within a sentence: "the patient's physician", "the mean of SUPPORT model and physician"."""
    return f"the {lower_first(label)}" if label.startswith("Mean of ") else lower_first(label)


def tell_combined(label: str) -> str:
    """What a combination does: "this model and the patient's physician together do better than this model alone"."""
    return f"{lower_first(label)} do better than this model alone"


def tell_training(trained_on: str) -> str:
    """What a model was trained on that is tried on a group: everybody else, or the levels that the study names."""
    return "trained on all other patients" if trained_on == "others" else f"trained on {trained_on} only"


def name_group(tables: Tables, attribute: str, level: str) -> str:
    """ "Race as recorded: Asian"; a pair is told by both of its halves."""
    levels = tables["attribute_level"]
    labels = {
        (a, v): name_level(str(name), str(said))
        for a, v, name, said in zip(
            levels["attribute"], levels["level"], levels["attribute_label"], levels["level_label"], strict=True
        )
    }
    halves = zip(attribute.split(BETWEEN), level.split(BETWEEN), strict=True)
    return " · ".join(labels.get(half, ": ".join(half)) for half in halves)


def tell_difference(row: Row) -> str:
    """ "0.012 (95%: 0.004 to 0.020)"."""
    values = [format_number(float(row[name]), decimals=3) for name in ("difference", "lower", "upper")]
    return f"{values[0]} (95%: {values[1]} to {values[2]})"


def tell_interval(row: Row) -> str:
    """ "Observed ÷ expected 1.12 (95%: 1.03 to 1.22)"."""
    names = {
        "observed_expected": "Observed ÷ expected",
        "calibration_slope": "Calibration slope",
        "predictive_ratio": "Projected ÷ observed",
    }
    values = [format_number(float(row[name]), decimals=2) for name in ("estimate", "lower", "upper")]
    name = names.get(str(row["metric"]), "Share inside")
    return f"{name} {values[0]} (95%: {values[1]} to {values[2]})"


def tell_counts(row: Row) -> str:
    """ "260 patients, 98 events"."""
    events = row["n_events"]
    told = f"{format_count(float(row['n']))} patients"
    return told if pd.isna(events) else f"{told}, {format_count(float(events))} events"
