"""What the pages say of groups: which can be judged, which are in line, and the sentences about them."""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pandas as pd

from dashboard.presentation.measures import (
    MEASURES,
    TOO_FEW,
    WITHHELD,
    Measure,
    Measured,
    Scale,
    count_words,
    explain_withheld,
    read_number,
    upper_first,
)
from pipeline.evaluate.judgement import (
    COVERAGE_BOUND,
    FALSE_DISCOVERIES,
    FEWEST_FOR_RATIO,
    FEWEST_FOR_SLOPE,
    JUDGED,
    RATIO_BOUNDS,
    SLOPE_BOUND,
    Family,
)
from pipeline.govern.words import name_level
from pipeline.numerals import NOTHING, format_count, format_number, format_of_100, format_ratio
from pipeline.study.model import Kind, Study, Target

# More would not be read.
_MOST_NOTABLE = 12

FOR_OUTCOMES = ("observed_expected", "calibration_slope", "auroc", "sensitivity", "ppv", "flag_rate")
FOR_AMOUNTS = ("predictive_ratio", "r2", "interval_coverage_90")


class Verdict(StrEnum):
    """What can be said of a group."""

    IN_LINE = "in line"
    MISSES = "misses"
    SHOWN = "shown"
    TOO_FEW = "too few"
    WITHHELD = "withheld"


def measures_for(target: Target, thresholds: list[float]) -> list[str]:
    """The measures by which groups can be compared; those at a threshold only where the study names one."""
    measures = FOR_OUTCOMES if target.kind is Kind.OUTCOME else FOR_AMOUNTS
    return [metric for metric in measures if thresholds or not MEASURES[metric].at_threshold]


def is_ratio(measure: Measure) -> bool:
    """Whether twice as much and half as much are equally far from right."""
    return measure.scale is Scale.RATIO


def name_axis(measure: Measure, all_patients: float) -> str:
    """The title of the axis, with what its ends mean, or what the line is."""
    ends = {
        "observed_expected": "below 1: fewer events than predicted; above: more",
        "calibration_slope": "below 1: too extreme; above: too timid",
        "predictive_ratio": "below 1: projected too low; above: too high",
    }.get(measure.metric)
    of_100 = ", of 100 patients" if measure.is_of_100 else ""
    line = f"line: {measure.format_right()} was promised" if measure.right else None
    line = line or f"line: all patients, {measure.format(all_patients)}"
    return f"{measure.name}{of_100} ({ends or line})"


def name_counts(target: Target) -> str:
    """The heading of the column beside the patients."""
    if target.kind is Kind.OUTCOME:
        return "Events"
    return "Mean, $" if target.unit == "USD" else f"Mean, {target.unit}"


def tell_patients(study: Study, target: Target, threshold: float | None) -> str:
    """Whom the numbers are of, under the plot."""
    at = f", flagged at a risk of {format_of_100(threshold)} of 100 or more" if threshold is not None else ""
    noun = study.subject.noun
    recorded = "" if target.kind is Kind.OUTCOME else f" whose amount was recorded, {target.year or study.era}"
    return f"{target.label}, all {noun}s{recorded}{at}; each {noun} counts once under every attribute. 95% intervals."


def judge_groups(table: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    """A row a group of `get_subgroups`, as the forest plot takes it, with `verdict` and `sentence`.

    group, level, n, n_events, estimate, lower, upper (of 100 for shares), suppressed, flagged, text, in_full, verdict;
    compared, chance and detectable in words. Groups too small to judge keep their counts and lose their estimate: they
    are never counted as in line.
    """
    rows = []
    for row in table.to_dict("records"):
        own = Measured(*(read_number(row[name]) for name in ("estimate", "lower", "upper", "n", "n_events")))
        judgement = str(row["judgement"])
        suppressed, flag = bool(row["suppressed"]), bool(row["flag"])
        verdict = _verdict(measure, judgement, suppressed=suppressed, flag=flag)
        shown = verdict in (Verdict.IN_LINE, Verdict.MISSES, Verdict.SHOWN)
        text = own.text(measure) if shown else WITHHELD if verdict is Verdict.WITHHELD else judgement
        scale = measure.factor if shown else math.nan
        scaled = (scale * own.estimate, scale * own.lower, scale * own.upper)
        counts = (math.nan, math.nan) if verdict is Verdict.WITHHELD else (own.n, own.n_events)
        # A reason is for the table: beside the plot there is no room for it.
        marks = (
            verdict is Verdict.WITHHELD,
            verdict is Verdict.MISSES,
            text if shown or verdict is Verdict.WITHHELD else text.split(":")[0],
            text,
            verdict,
            *(_compare(row) if shown else (NOTHING, NOTHING, NOTHING)),
        )
        rows.append((row["attribute_label"], row["level_label"], *counts, *scaled, *marks))
    columns = (
        "group level n n_events estimate lower upper suppressed flagged text in_full verdict compared chance detectable"
    )
    return pd.DataFrame(rows, columns=columns.split())


def tell_groups(judged: pd.DataFrame, measure: Measure) -> str:
    """The takeaway: "Risks fit 24 of 26 groups; 2 are clearly off"."""
    counts = {verdict: int((judged["verdict"] == verdict).sum()) for verdict in Verdict}
    if measure.right is None:
        sentence = _tell_range(judged[judged["verdict"] == Verdict.SHOWN], measure)
    else:
        sentence = _tell_verdicts(measure, counts[Verdict.IN_LINE], counts[Verdict.MISSES])
    few, withheld = counts[Verdict.TOO_FEW], counts[Verdict.WITHHELD]
    sentence += f"; {few} too few to judge" if few else ""
    return sentence + (f"; {withheld} withheld" if withheld else "")


def tell_chance(judged: pd.DataFrame, measure: Measure) -> str:
    """How many of the marks may be chance."""
    looked_at = int(judged["verdict"].isin([Verdict.IN_LINE, Verdict.MISSES, Verdict.SHOWN]).sum())
    sentence = f"{count_words(looked_at, 'group')} {'is' if looked_at == 1 else 'are'} looked at"
    if measure.right is None:
        return f"{sentence}. There is no right value: a difference between groups is not an error by itself."
    by_chance = f"{100 * FALSE_DISCOVERIES[Family.ATTRIBUTE]:.0f} of 100"
    return (
        f"{sentence}. Of all marks, under every measure and target, at most about {by_chance} are expected by chance."
    )


def tell_miss(measure: Measure, estimate: float, happened: str | None) -> str:
    """What it means that a group is off; `estimate` as `judge_groups` gives it."""
    above = estimate > (measure.right or 0.0) * measure.factor
    if measure.metric == "calibration_slope":
        return (
            "Too timid: real risks differ more than the model says."
            if above
            else "Too extreme: real risks differ less than the model says."
        )
    if measure.metric == "observed_expected":
        return (
            f"Risks are too {'low' if above else 'high'}: {_percent(estimate)} "
            f"{'more' if above else 'fewer'} {happened or 'had the event'} than predicted."
        )
    if measure.metric == "predictive_ratio":
        return f"Projected {_percent(estimate)} too {'high' if above else 'low'}."
    return f"{'More' if above else 'Fewer'} patients inside their interval than it promises."


def select_notable(judged: pd.DataFrame, measure: Measure, *, most: int = _MOST_NOTABLE) -> pd.DataFrame:
    """The groups worth a word: those clearly off, worst first; without a right value both ends."""
    if measure.right is not None:
        right = measure.right * measure.factor
        missing = judged[judged["verdict"] == Verdict.MISSES]
        distance = (missing["estimate"] / right).map(lambda ratio: abs(math.log(ratio)) if ratio > 0 else math.inf)
        return missing.loc[distance.sort_values(ascending=False, kind="stable").index].head(most)
    shown = judged[judged["verdict"] == Verdict.SHOWN].sort_values("estimate", kind="stable")
    half = min(most // 2, len(shown) // 2)
    return pd.concat([shown.head(half), shown.tail(half)])


def tell_notable(judged: pd.DataFrame, measure: Measure) -> str:
    """The title over the notable groups."""
    missing = int((judged["verdict"] == Verdict.MISSES).sum())
    if measure.right is None:
        return "The lowest and the highest groups"
    if not missing:
        return "No group is clearly off"
    if missing > _MOST_NOTABLE:
        return f"The {_MOST_NOTABLE} furthest off of {missing} groups that are clearly off"
    return "The group that is clearly off" if missing == 1 else f"The {missing} groups that are clearly off"


def build_notable_table(judged: pd.DataFrame, measure: Measure, happened: str | None) -> pd.DataFrame:
    """The notable groups in words: group, estimate with its interval, patients, what it means."""
    notable = select_notable(judged, measure)
    table = {
        "Group": [name_level(group, level) for level, group in zip(notable["level"], notable["group"], strict=True)],
        "Patients": [format_count(n) for n in notable["n"]],
        "Estimate (95% interval)": list(notable["text"]),
    }
    if measure.right is not None:
        table["What it means"] = [tell_miss(measure, estimate, happened) for estimate in notable["estimate"]]
    return pd.DataFrame(table)


def build_group_table(judged: pd.DataFrame, measure: Measure, happened: str | None) -> pd.DataFrame:
    """The table alternative of the forest plot, everything in words."""
    events = {} if judged["n_events"].isna().all() else {"Events": [format_count(n) for n in judged["n_events"]]}
    flags = [
        f"◆ {tell_miss(measure, estimate, happened)}" if flagged else ""
        for estimate, flagged in zip(judged["estimate"], judged["flagged"], strict=True)
    ]
    return pd.DataFrame(
        {
            "Attribute": judged["group"],
            "Group": judged["level"],
            "Patients": [format_count(n) for n in judged["n"]],
            **events,
            f"{measure.name} (95% interval)": judged["in_full"],
            "Times the reference group": judged["compared"],
            **({"Chance (q)": judged["chance"]} if measure.right is not None else {}),
            **({"Smallest ratio it could show": judged["detectable"]} if is_ratio(measure) else {}),
            **({"Clearly off": flags} if measure.right is not None else {}),
        }
    )


def _compare(row: Mapping[Any, Any]) -> tuple[str, str, str]:
    """The ratio to the reference group with its interval, q, and the smallest ratio that the group could show."""
    ratio, lower, upper, q, detectable = (
        read_number(row[name]) for name in ("ratio", "ratio_lower", "ratio_upper", "q_value", "detectable")
    )
    return (
        "reference" if row["reference"] else format_ratio(ratio, lower, upper) if math.isfinite(ratio) else NOTHING,
        NOTHING if not math.isfinite(q) else "<0.01" if q < 0.005 else format_number(q, decimals=2),
        format_number(detectable, decimals=2) if math.isfinite(detectable) else NOTHING,
    )


def tell_rules(measure: Measure) -> str:
    """When a group is too small to be judged by the measure."""
    rule = {
        "calibration_slope": f"fewer than {FEWEST_FOR_SLOPE} patients with the event, or without it",
        **dict.fromkeys(
            ("observed_expected", "auroc"), f"fewer than {FEWEST_FOR_RATIO} patients with the event, or without it"
        ),
        "sensitivity": f"fewer than {FEWEST_FOR_RATIO} patients with the event",
    }.get(measure.metric, f"fewer than {FEWEST_FOR_RATIO} patients")
    return (
        f"“{TOO_FEW}” means {rule}: such a group is neither in line nor out of line. {upper_first(explain_withheld())}."
    )


def tell_mark(measure: Measure) -> str:
    """What a marked group is: off by enough to matter, and by more than chance explains."""
    if measure.right is None:
        return "No group is marked: there is no right value."
    return (
        f"{tell_bound(measure).rstrip('.')}, and chance is ruled out with all other groups, measures and targets in "
        "mind (Benjamini & Hochberg)."
    )


def tell_bound(measure: Measure) -> str:
    """How far off a marked estimate is, whatever else is asked of it."""
    if measure.right is None:
        return "Nothing is marked: there is no right value."
    bound = {
        "calibration_slope": f"is more than {SLOPE_BOUND} from 1",
        "interval_coverage_80": f"is more than {100 * COVERAGE_BOUND:.0f} of 100 off",
        "interval_coverage_90": f"is more than {100 * COVERAGE_BOUND:.0f} of 100 off",
    }.get(measure.metric, f"is below {RATIO_BOUNDS[0]} or above {RATIO_BOUNDS[1]}")
    return (
        f"◆ marks a group that is clearly off: its estimate {bound}, and its interval misses {measure.format_right()}."
    )


def build_notes(levels: pd.DataFrame) -> dict[str, str]:
    """What a reader should know, by the label of the attribute."""
    noted = levels.dropna(subset=["attribute_note"]).drop_duplicates("attribute")
    return dict(zip(noted["attribute_label"], noted["attribute_note"], strict=True))


def _verdict(measure: Measure, judgement: str, *, suppressed: bool, flag: bool) -> Verdict:
    if suppressed:
        return Verdict.WITHHELD
    if judgement != JUDGED:
        return Verdict.TOO_FEW
    if measure.right is None:
        return Verdict.SHOWN
    return Verdict.MISSES if flag else Verdict.IN_LINE


def _tell_verdicts(measure: Measure, in_line: int, misses: int) -> str:
    judged = in_line + misses
    if not judged:
        return "No group can be judged by this measure"
    subject = {
        "observed_expected": "Risks fit",
        "calibration_slope": "The spread of risks fits",
        "predictive_ratio": "Projections fit",
    }.get(measure.metric, f"{measure.format_right()}% intervals hold what they promise in")
    if not misses:
        return f"{subject} {'all ' if judged > 1 else ''}{count_words(judged, 'group')} that can be judged"
    return f"{subject} {in_line} of {judged} groups; {misses} {'is' if misses == 1 else 'are'} clearly off"


def _tell_range(shown: pd.DataFrame, measure: Measure) -> str:
    if shown.empty:
        return f"{measure.name}: no group can be shown"
    ordered = shown.sort_values("estimate", kind="stable")
    first, last = ordered.iloc[0], ordered.iloc[-1]
    low, high = (measure.format(row["estimate"] / measure.factor) for row in (first, last))
    of_100 = " of 100" if measure.is_of_100 else ""
    return f"{measure.name}: from {low}{of_100} in {first['level']} to {high} in {last['level']}"


def _percent(ratio: float) -> str:
    return f"{format_number(100 * abs(ratio - 1), decimals=0)}%" if math.isfinite(ratio) else NOTHING
