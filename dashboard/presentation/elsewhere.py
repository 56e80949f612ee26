"""What the board's page says of places and times that a model was not trained on."""

import math

import pandas as pd

from dashboard.presentation.measures import (
    MEASURES,
    TOO_FEW,
    WITHHELD,
    Measure,
    Measured,
    count_words,
    lower_first,
    read_number,
    upper_first,
)
from pipeline.evaluate.judgement import COVERAGE_BOUND, RATIO_BOUNDS, SLOPE_BOUND
from pipeline.govern.words import tell_training
from pipeline.numerals import format_number
from pipeline.study.model import Kind, Target

FOR_OUTCOMES = ("observed_expected", "calibration_slope", "auroc")
_OFF = {"observed_expected": ("fewer", "more"), "predictive_ratio": ("too low", "too high")}
_SUBJECTS = {"observed_expected": "events against those predicted,", "predictive_ratio": "projections"}
FOR_AMOUNTS = ("predictive_ratio", "r2_log", "interval_coverage_90")


def measures_for(target: Target, validation: pd.DataFrame) -> list[Measure]:
    """The measures that were taken elsewhere."""
    wanted = FOR_OUTCOMES if target.kind is Kind.OUTCOME else FOR_AMOUNTS
    return [MEASURES[metric] for metric in wanted if (validation["metric"] == metric).any()]


def build_forest_frame(validation: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    """A row a level, as the forest plot takes it: group, level, n, n_events, estimate, lower, upper, flagged, text."""
    rows = []
    for row in validation[validation["metric"] == measure.metric].to_dict("records"):
        own = Measured(*(read_number(row[name]) for name in ("estimate", "lower", "upper", "n", "n_events")))
        hidden = bool(row.get("suppressed", False))
        heading = str(row["attribute_label"])
        text = WITHHELD if hidden else own.text(measure) if math.isfinite(own.estimate) else TOO_FEW
        scaled = (measure.factor * value for value in (own.estimate, own.lower, own.upper))
        trained = upper_first(tell_training(str(row["trained_on"])).removeprefix("trained on "))
        marks = (hidden, is_off(measure, own), text, trained)
        rows.append((heading, row["level_label"], own.n, own.n_events, *scaled, *marks))
    columns = "group level n n_events estimate lower upper suppressed flagged text trained"
    return pd.DataFrame(rows, columns=columns.split())


def tell_elsewhere(frame: pd.DataFrame, measure: Measure, at_home: float) -> str:
    """The takeaway: from which to which value the measure runs where the model was never trained."""
    shown = frame.dropna(subset=["estimate"])
    if shown.empty:
        return "Nothing can be said of places that the model was not trained on"
    low, high = (measure.format(value / measure.factor) for value in (shown["estimate"].min(), shown["estimate"].max()))
    if measure.metric in _OFF:
        ends = [_tell_off(measure.metric, shown["estimate"].agg(end)) for end in ("min", "max")]
        told = ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
        return f"Where the model has never been: {_SUBJECTS[measure.metric]} {told}"
    of_100 = " of 100" if measure.is_of_100 else ""
    told = low if low == high else f"{low} to {high}"
    compared = f", against {measure.format(at_home)} where it has" if math.isfinite(at_home) else ""
    return f"Where the model has never been: {lower_first(measure.name)} {told}{of_100}{compared}"


def _tell_off(metric: str, ratio: float) -> str:
    """ "11% fewer", "33% too low"."""
    percent = format_number(100 * abs(ratio - 1), decimals=0)
    fewer, more = _OFF[metric]
    return "as many" if percent == "0" else f"{percent}% {more if ratio > 1 else fewer}"


def tell_training_of(frame: pd.DataFrame) -> str:
    """What the models were trained on: "Site: trained without the site; study phase: trained on I only."."""
    said = []
    for group, rows in frame.groupby("group", sort=False):
        trained = str(rows["trained"].iloc[0])
        said.append(f"{group}: trained on {lower_first(trained) if trained.startswith('All') else trained}")
    return f"{'; '.join(said)}."


def tell_misses(frame: pd.DataFrame, measure: Measure) -> str:
    """How many levels are clearly off."""
    if measure.right is None:
        return ""
    missing = int(frame["flagged"].sum())
    if not missing:
        return f"No test of {len(frame)} is clearly off."
    return f"{missing} of {count_words(len(frame), 'test')} {'is' if missing == 1 else 'are'} clearly off (◆)."


def build_table(frame: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    """The table alternative."""
    return pd.DataFrame(
        {
            "Tried on": frame["level"],
            "Trained on": frame["trained"],
            "Patients": [f"{n:,.0f}" if math.isfinite(n) else WITHHELD for n in frame["n"]],
            f"{measure.name} (95% interval)": frame["text"],
        }
    )


def is_off(measure: Measure, own: Measured) -> bool:
    """Whether the interval misses the right value and the estimate is off by more than matters, as for groups."""
    if measure.right is None or not math.isfinite(own.lower + own.upper):
        return False
    misses = round(own.lower, 2) > measure.right or round(own.upper, 2) < measure.right
    if measure.metric == "calibration_slope":
        return misses and abs(own.estimate - 1) > SLOPE_BOUND
    if measure.is_of_100:
        return misses and abs(own.estimate - measure.right) > COVERAGE_BOUND
    return misses and not RATIO_BOUNDS[0] <= own.estimate <= RATIO_BOUNDS[1]
