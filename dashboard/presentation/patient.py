"""What the page of one patient says: values, reasons and sentences from what the release holds of them."""

import math
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.explain.share import share_difference
from pipeline.explain.words import (
    Reason,
    Value,
    build_reasons,
    describe_value,
    describe_value_in_full,
    explain_gap,
    is_missing,
    position_of,
    write_paragraph,
)
from pipeline.ingest.validate import SET_TO_MISSING
from pipeline.models.link import link_of
from pipeline.numerals import format_amount, format_interval, format_number, format_of_100
from pipeline.store.tables.patients import REFUSED
from pipeline.study.model import Kind, Study, Target

NOT_MEASURED = "not measured in a quick build"
# Concepts that move an estimate by less are put together in the waterfall.
_SMALLEST_SHARE = 0.02


_BOUNDS = ("lower_80", "upper_80", "lower_90", "upper_90", "band_lower", "band_upper")


@dataclass(frozen=True)
class Estimate:
    """One target's estimate of one patient; risks as of 100 patients, amounts in their unit.

    Bounds are NaN where a quick build did not measure them; the calibration band is NaN for an amount.
    """

    target: Target
    value: float
    lower_80: float
    upper_80: float
    lower_90: float
    upper_90: float
    band_lower: float
    band_upper: float
    base: float
    fold: int

    @property
    def is_risk(self) -> bool:
        return self.target.kind is Kind.OUTCOME

    def format(self, value: float) -> str:
        """A value on this estimate's scale: "41", "$41.2k", "12.3 days"."""
        return format_of_100(value / 100) if self.is_risk else format_amount(value, self.target.unit or "")

    @property
    def has_interval(self) -> bool:
        return math.isfinite(self.lower_90) and math.isfinite(self.upper_90)

    @property
    def interval(self) -> str:
        """The 90% interval: "31 to 52", or that there is none."""
        return self._range(self.lower_90, self.upper_90)

    @property
    def narrower(self) -> str:
        """The 80% interval."""
        return self._range(self.lower_80, self.upper_80)

    @property
    def band(self) -> str:
        """The calibration band, which has no level; empty for an amount. Narrow bands need a decimal to be bands."""
        if not math.isfinite(self.band_lower):
            return ""
        ends = format_of_100(self.band_lower / 100), format_of_100(self.band_upper / 100)
        return (
            f"{ends[0]} to {ends[1]}"
            if ends[0] != ends[1]
            else format_interval(self.band_lower, self.band_upper, decimals=1)
        )

    @property
    def certainty(self) -> str:
        """The interval with what it is and its level, in a phrase."""
        if not self.has_interval:
            return f"interval {NOT_MEASURED}"
        return f"{self.interval} in 90% of rebuilds" if self.is_risk else f"90% interval: {self.interval}"

    def _range(self, lower: float, upper: float) -> str:
        if not math.isfinite(lower) or not math.isfinite(upper):
            return NOT_MEASURED
        ends = self.format(lower), self.format(upper)
        return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def read_estimate(study: Study, row: pd.Series, base_value: float) -> Estimate:
    """The estimate in a row of `prediction`; `base_value` is the margin that contributions start from."""
    target = study.target(str(row["target_id"]))
    scale = 100.0 if target.kind is Kind.OUTCOME else 1.0
    link = link_of(target.kind)
    return Estimate(
        target=target,
        value=scale * float(row["estimate"]),
        **{name: scale * _number(row[name]) for name in _BOUNDS},
        base=scale * float(link.inverse(np.array([base_value]))[0]),
        fold=int(row["fold"]),
    )


def _number(value: float | None) -> float:
    return math.nan if value is None or pd.isna(value) else float(value)


def read_refusal(rows: pd.DataFrame) -> str | None:
    """Why the patient of these rows of `prediction` is not scored, and what would mend it; None where they are."""
    reasons = rows.loc[rows["status"] == REFUSED, "reason"]
    return None if reasons.empty else str(reasons.iloc[0])


def shorten_refusal(reason: str) -> str:
    """The first thing that a reason says, for a cell of the list: "14 of 24 features are missing (at most 10)"."""
    return re.split(r"; |\. ", reason.removeprefix("Not scored: "), maxsplit=1)[0].removesuffix(".")


def read_values(study: Study, subject: pd.Series, repairs: pd.DataFrame, quarantine: pd.DataFrame) -> dict[str, Value]:
    """The patient's values by feature; a value that is absent for a reason of its own says it."""
    absent = set(repairs.loc[repairs["result"] == "absent", "repair_id"])
    removed = quarantine[quarantine["action"] == SET_TO_MISSING]
    words = {str(row.feature_id): f"removed: {_quote(row.value)} is {row.rule}" for row in removed.itertuples()}
    for repair in study.repairs:
        if repair.id in absent:
            words |= {f.id: repair.absent_value for f in study.features if f.column in repair.realign}
    return {f.id: explain_gap(subject[f.id], words.get(f.id)) for f in study.features}


def _quote(value: object) -> str:
    """A value as it stands in a file, made harmless: pages render Markdown, and a file may hold anything."""
    return re.sub(r"[^\w .,+/-]", "?", str(value))[:20]


def share_points(estimate: Estimate, explanation: pd.DataFrame) -> list[float]:
    """The contributions as shares of estimate − base, in deaths per 100, dollars or days; they add up to it."""
    link = link_of(estimate.target.kind)
    contributions = explanation["contribution"].to_numpy(np.float64)[None, :]
    base = explanation["base_value"].to_numpy(np.float64)[:1]
    scale = 100.0 if estimate.is_risk else 1.0
    return [float(p) for p in scale * share_difference(contributions, base, link=link)[0]]


def tell_answer(study: Study, estimate: Estimate, era: str) -> str:
    """The sentence beside the big number."""
    if estimate.is_risk:
        number = estimate.format(estimate.value)
        about = "" if "than" in number else "about "
        return (
            f"of 100 {study.subject.noun}s with this estimate in {study.short_title}, {era}, "
            f"{about}{number} {estimate.target.happened}"
        )
    what = estimate.target.happened or _lower(estimate.target.label)
    return f"{what} projected for this {study.subject.noun}, {estimate.target.year or era}"


def tell_interval(estimate: Estimate) -> str:
    """What the headline interval is, in a sentence."""
    if not estimate.has_interval:
        what = "How far it moves if the model were rebuilt" if estimate.is_risk else "The prediction interval"
        return f"{what}: {NOT_MEASURED}."
    if estimate.is_risk:
        return f"If the model were rebuilt: {estimate.interval}, in 90% of rebuilds on resampled patients."
    return f"90% prediction interval: {estimate.interval}; 80%: {estimate.narrower}."


def tell_errors(study: Study, group_label: str) -> str:
    """Whose errors an amount's intervals are made from: `group_label` is a diagnosis, or empty for everybody."""
    of = f"{study.subject.noun}s with {_lower(group_label)}" if group_label else f"all {study.subject.noun}s"
    return f"Both are made from how far the model missed for {of}."


def tell_band(study: Study, estimate: Estimate) -> str:
    """What the calibration band says, in a sentence; empty for an amount. It has no level, and none may be added."""
    if not estimate.band:
        return ""
    return (
        f"Calibration: {estimate.band} of 100 such {study.subject.noun}s. This is how well {study.subject.noun}s with "
        "such an estimate pin down their event rate; it is no range for this one."
    )


def tell_instability(same_first_share: float, top5_overlap: float) -> str:
    """A warning where the reasons are not the same when the model is rebuilt."""
    others = round(100 * (1 - same_first_share))
    stay = f"about {format_number(5 * top5_overlap, decimals=1)} of the five main ones stay"
    first = f"in {others} of 100 rebuilds another reason comes first, and " if others else ""
    return f"The reasons below change when the model is rebuilt: {first}{stay}."


def tell_coverage(overall: float, group_label: str, group: float) -> str:
    """How often the 90% prediction interval held, over all patients and for those with the same diagnosis."""
    sentence = f"Measured on patients the model never saw, the 90% interval held for {100 * overall:.0f} of 100"
    if group_label and np.isfinite(group):
        sentence += f", and for {100 * group:.0f} of 100 with {_lower(group_label)}"
    return sentence + "."


def tell_comparison(study: Study, estimate: Estimate, average: float, group_label: str, group_average: float) -> str:
    """How the estimate compares with the average patient, and the average with the same diagnosis."""
    of_100 = " of 100" if estimate.is_risk else ""
    sentence = f"The average {study.subject.noun} here: {estimate.format(average)}{of_100}."
    if group_label:
        sentence += f" The average with {_lower(group_label)}: {estimate.format(group_average)}{of_100}."
    return sentence


def tell_position(estimate: Estimate, average: float) -> str:
    """A title: "Higher than the average patient's 47 of 100"."""
    of_100 = " of 100" if estimate.is_risk else ""
    shown, usual = estimate.format(estimate.value), estimate.format(average)
    if shown == usual:
        return f"The same as the average patient's {usual}{of_100}"
    return f"{'Higher' if estimate.value > average else 'Lower'} than the average patient's {usual}{of_100}"


def tell_reasons(study: Study, estimate: Estimate, values: dict[str, Value], points: list[float]) -> str:
    """The paragraph of reasons, as Markdown."""
    unit = estimate.target.unit or ""
    start = f"{estimate.format(estimate.base)}{' of 100' if estimate.is_risk else ''}".replace("$", "\\$")
    reasons = build_reasons(study, values, points)
    return write_paragraph(
        reasons, start=f"the model's starting point of {start}", unit=unit, smallest=_smallest(estimate)
    )


def build_waterfall(
    study: Study, estimate: Estimate, values: dict[str, Value], points: list[float], opened: str | None
) -> pd.DataFrame:
    """label, value, level: concepts by size, the opened one followed by its features, small ones put together last."""
    reasons = build_reasons(study, values, points)
    smallest = _smallest(estimate)
    shown = [r for r in reasons if abs(r.points) >= smallest or r.concept == opened]
    rows: list[tuple[str, float, str]] = []
    for reason in shown:
        rows.append((reason.concept, reason.points, "concept"))
        if reason.concept == opened:
            own = [(p, f) for p, f in zip(points, study.features, strict=True) if f.concept == opened]
            rows += [(describe_value(f, values[f.id]), p, "feature") for p, f in sorted(own, key=lambda x: -abs(x[0]))]
    rest = [r.points for r in reasons if r not in shown]
    if rest:
        rows.append(("Everything else", sum(rest), "concept"))
    return pd.DataFrame(rows, columns=["label", "value", "level"])


def openable_concepts(study: Study, estimate: Estimate, values: dict[str, Value], points: list[float]) -> list[str]:
    """The concepts that the waterfall shows, largest first."""
    smallest = _smallest(estimate)
    return [r.concept for r in build_reasons(study, values, points) if abs(r.points) >= smallest]


def tell_largest(reasons: list[Reason], estimate: Estimate) -> str:
    """The waterfall's title: "Main illness takes off most: 12 of 100"."""
    largest = reasons[0]
    verb = "adds" if largest.points > 0 else "takes off"
    return (
        f"{largest.concept} {verb} most: {estimate.format(abs(largest.points))}{' of 100' if estimate.is_risk else ''}"
    )


def count_values(study: Study, values: dict[str, Value]) -> str:
    """The title of the values: "6 values outside the normal range, 5 not measured"."""
    outside = sum(position_of(f, values[f.id]) in ("low", "high") for f in study.features)
    gaps = sum(is_missing(values[f.id]) for f in study.features)
    noun = "value" if outside == 1 else "values"
    return (
        f"{outside} {noun} outside the normal range, {gaps} missing"
        if gaps
        else f"{outside} {noun} outside the normal range"
    )


def build_value_table(study: Study, values: dict[str, Value], points: list[float]) -> pd.DataFrame:
    """The table alternative: measurement, finding, points, largest first."""
    rows = [(f.label, describe_value_in_full(f, values[f.id]), p) for f, p in zip(study.features, points, strict=True)]
    table = pd.DataFrame(rows, columns=["Measurement", "Finding", "Points"])
    return table.sort_values("Points", key=abs, ascending=False, ignore_index=True).round({"Points": 2})


def build_plain_value_table(study: Study, values: dict[str, Value]) -> pd.DataFrame:
    """The table alternative where there is no estimate: measurement, finding, in the study's order."""
    rows = [(f.label, describe_value_in_full(f, values[f.id])) for f in study.features]
    return pd.DataFrame(rows, columns=["Measurement", "Finding"])


def _smallest(estimate: Estimate) -> float:
    return 1.0 if estimate.is_risk else _SMALLEST_SHARE * estimate.value


def _lower(label: str) -> str:
    return label[:1].lower() + label[1:]
