"""The measures of performance: their names, plain words for them, and how their numbers are written."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pandas as pd

from pipeline.evaluate.disclosure import SMALLEST_CELL
from pipeline.govern.words import lower_first as lower_first
from pipeline.numerals import NOTHING, format_amount, format_number

# How the release names our own models, and the patients whom every baseline could score.
OURS, ALL, ALL_BASELINES = "xgboost", "all", "all_baselines"
WITHHELD = f"withheld: under {SMALLEST_CELL}"
TOO_FEW = "too few to judge"


class Scale(StrEnum):
    """How the numbers of a measure are written."""

    RATIO = "two decimals"
    SCORE = "three decimals"
    OF_100 = "out of 100"
    AMOUNT = "in the target's unit"


@dataclass(frozen=True)
class Measure:
    """A measure: its technical name, what it says in plain words, and the value that would be right, if there is one.

    `{happened}` in the words stands for the event, as in "died within 180 days".
    """

    metric: str
    name: str
    plain: str
    reading: str
    scale: Scale
    right: float | None = None
    at_threshold: bool = False

    def describe(self, happened: str | None) -> str:
        """The plain words for one outcome."""
        return self.plain.format(happened=happened or "had the event")

    def format(self, value: float, unit: str | None = None) -> str:
        """A value as it is read: "0.96", "0.785", "72", "$19.1k"."""
        if value is None or not math.isfinite(value):
            return NOTHING
        if self.scale is Scale.AMOUNT:
            return format_amount(value, unit or "")
        if self.scale is Scale.OF_100:
            return format_number(100 * value, decimals=0 if abs(100 * value) >= 9.95 else 1)
        return format_number(value, decimals=2 if self.scale is Scale.RATIO else 3)

    def format_right(self) -> str:
        """The value that would be right: "1", "90"."""
        return NOTHING if self.right is None else format_number(self.factor * self.right, decimals=0)

    @property
    def is_of_100(self) -> bool:
        return self.scale is Scale.OF_100

    @property
    def factor(self) -> float:
        """What a stored value is multiplied by to be drawn and read."""
        return 100.0 if self.is_of_100 else 1.0


@dataclass(frozen=True)
class Measured:
    """One measure of one model on some patients, with its 95% interval."""

    estimate: float
    lower: float
    upper: float
    n: float
    n_events: float

    def interval(self, measure: Measure, unit: str | None = None) -> str:
        """ "0.77 to 0.80"."""
        return f"{measure.format(self.lower, unit)} to {measure.format(self.upper, unit)}"

    def text(self, measure: Measure, unit: str | None = None) -> str:
        """ "0.785 (0.773 to 0.796)"; a dash where it could not be estimated."""
        if not math.isfinite(self.estimate):
            return NOTHING
        estimate = measure.format(self.estimate, unit)
        # A measure that has no interval (the calibration error) is told without one.
        return f"{estimate} ({self.interval(measure, unit)})" if math.isfinite(self.lower) else estimate


Key = tuple[str, float | None]

MEASURES: dict[str, Measure] = {
    m.metric: m
    for m in (
        Measure(
            "auroc",
            "AUROC",
            "telling apart who {happened}",
            "Of two patients, one with the event and one without, how often the one with it has the higher risk: 0.5 "
            "is tossing a coin, 1 is always.",
            Scale.SCORE,
        ),
        Measure(
            "calibration_slope",
            "Calibration slope",
            "spread of the risks",
            "1 is right. Above 1 the risks are too timid: real risks differ more than the model says. Below 1 they are "
            "too extreme.",
            Scale.RATIO,
            right=1.0,
        ),
        Measure(
            "observed_expected",
            "Observed ÷ expected",
            "events for each expected one",
            "1 is right. 1.10 means that a tenth more patients had the event than the risks add up to.",
            Scale.RATIO,
            right=1.0,
        ),
        Measure(
            "brier",
            "Brier score",
            "distance from what happened",
            "The mean squared distance between risk and outcome; lower is better, 0 is perfect.",
            Scale.SCORE,
        ),
        Measure(
            "auprc",
            "Average precision",
            "how pure the highest risks are",
            "The higher the better; guessing gives the event rate. It is higher where the event is common, so compare "
            "it on the same patients only.",
            Scale.SCORE,
        ),
        Measure(
            "calibration_intercept",
            "Calibration intercept",
            "shift of all risks",
            "0 is right. Above 0 risks are too low altogether, below too high, on the logit scale.",
            Scale.RATIO,
            right=0.0,
        ),
        Measure(
            "ece",
            "Calibration error (ECE)",
            "mean distance of risk and event rate",
            "Over ten equal groups by risk; 0 is right. With few patients chance alone keeps it above 0.",
            Scale.SCORE,
        ),
        Measure(
            "sensitivity",
            "Sensitivity",
            "of 100 patients who {happened}, how many were flagged",
            "Of 100 patients with the event, how many were at or above the threshold.",
            Scale.OF_100,
            at_threshold=True,
        ),
        Measure(
            "specificity",
            "Specificity",
            "of 100 others, how many were not flagged",
            "Of 100 patients without the event, how many were below the threshold.",
            Scale.OF_100,
            at_threshold=True,
        ),
        Measure(
            "ppv",
            "Right when flagged (PPV)",
            "of 100 flagged patients, how many {happened}",
            "Of 100 patients at or above the threshold, how many had the event. It is higher in groups where the event "
            "is common.",
            Scale.OF_100,
            at_threshold=True,
        ),
        Measure(
            "number_needed_to_evaluate",
            "Number needed to evaluate",
            "flagged patients for each one who {happened}",
            "How many flagged patients have to be looked at to find one with the event: 1 ÷ PPV.",
            Scale.RATIO,
            at_threshold=True,
        ),
        Measure(
            "npv",
            "Right when not flagged (NPV)",
            "of 100 patients not flagged, how many were without the event",
            "Of 100 patients below the threshold, how many did not have the event.",
            Scale.OF_100,
            at_threshold=True,
        ),
        Measure(
            "flag_rate",
            "Flagged",
            "of 100 patients, how many are flagged",
            "Of 100 patients, how many are at or above the threshold. Groups differ because their risks do: a "
            "difference is no error by itself.",
            Scale.OF_100,
            at_threshold=True,
        ),
        Measure(
            "net_benefit",
            "Net benefit",
            "right flags for 100 patients, less the wrong ones at the threshold's exchange rate",
            "Compare it with flagging everybody and with flagging nobody (0), for the same patients only.",
            Scale.OF_100,
            at_threshold=True,
        ),
        Measure(
            "r2",
            "R²",
            "share of the differences explained",
            "1 is perfect; 0 is no better than giving everybody the mean. A few very large amounts weigh heavily.",
            Scale.SCORE,
        ),
        Measure(
            "r2_log",
            "R² of the logarithm",
            "share of the relative differences explained",
            "As R², but twice as much counts the same for small and large amounts.",
            Scale.SCORE,
        ),
        Measure(
            "mae",
            "Mean absolute error",
            "how far off the projection of one patient is, on average",
            "Large even where totals are right: one patient's amount is hard to foresee.",
            Scale.AMOUNT,
        ),
        Measure(
            "predictive_ratio",
            "Projected ÷ observed",
            "projected for each one observed",
            "1 is right. 1.15 means that the group was projected 15% too high.",
            Scale.RATIO,
            right=1.0,
        ),
        Measure(
            "interval_coverage_80",
            "Coverage of the 80% interval",
            "inside their 80% interval",
            "Of 100 patients; 80 is what the interval promises.",
            Scale.OF_100,
            right=0.8,
        ),
        Measure(
            "interval_coverage_90",
            "Coverage of the 90% interval",
            "inside their 90% interval",
            "Of 100 patients; 90 is what the interval promises.",
            Scale.OF_100,
            right=0.9,
        ),
    )
}


def read_measured(performance: pd.DataFrame, model_id: str = OURS) -> dict[Key, Measured]:
    """What a table of performance says of one model, by metric and threshold (None where it has no meaning)."""
    own = performance[performance["model_id"] == model_id]
    return {
        (str(row["metric"]), None if pd.isna(row["threshold"]) else float(row["threshold"])): Measured(
            *(read_number(row[name]) for name in ("estimate", "lower", "upper", "n", "n_events"))
        )
        for row in own.to_dict("records")
    }


def read_number(value: Any) -> float:
    """A number of a table, NaN where there is none."""
    return math.nan if pd.isna(value) else float(value)


def explain_withheld() -> str:
    """Why a group is withheld."""
    return (
        f"withheld groups have fewer than {SMALLEST_CELL} patients, events or patients without, or would give such a "
        "group away; withheld does not mean zero"
    )


def join_words(words: Iterable[str]) -> str:
    """ "a, b and c"."""
    listed = list(words)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}" if listed else ""


def count_words(count: int, noun: str) -> str:
    """ "1 group", "8 groups"."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def upper_first(text: str) -> str:
    """A phrase at the start of a sentence."""
    return text[:1].upper() + text[1:]
