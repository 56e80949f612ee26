"""What the pages say of groups: which can be judged, which are in line, and the sentences about them."""

import math
from enum import StrEnum

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
from pipeline.numerals import NOTHING, format_count, format_number, format_of_100
from pipeline.study.model import Kind, Study, Target

# Events, and patients without the event. With fewer a slope says nothing: measured on SUPPORT2, its interval ran from
# 0.87 to 1.50 in a group with 68 events.
_FEWEST_FOR_SLOPE = 100
# The standard error of observed/expected is about 1/√events: 22% of it at 20. Totals of fewer patients are no better.
_FEWEST_FOR_RATIO = 20
# Of intervals at 95%, the share that misses the truth by chance.
_MISSES_BY_CHANCE = 0.05
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


def can_judge(metric: str, n: float, n_events: float) -> bool:
    """Whether a group is large enough for the measure to say anything about it."""
    if metric == "calibration_slope":
        return min(n_events, n - n_events) >= _FEWEST_FOR_SLOPE
    if metric == "observed_expected":
        return n_events >= _FEWEST_FOR_RATIO
    return n >= _FEWEST_FOR_RATIO


def judge_groups(table: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    """A row a group of `get_subgroups`, as the forest plot takes it, with `verdict` and `sentence`.

    group, level, n, n_events, estimate, lower, upper (of 100 for shares), suppressed, flagged, text, verdict. Groups
    too small to judge keep their counts and lose their estimate: they are never counted as in line.
    """
    rows = []
    for row in table.to_dict("records"):
        own = Measured(*(read_number(row[name]) for name in ("estimate", "lower", "upper", "n", "n_events")))
        verdict = _verdict(measure, own, suppressed=bool(row["suppressed"]), flag=bool(row["flag"]))
        shown = verdict in (Verdict.IN_LINE, Verdict.MISSES, Verdict.SHOWN)
        text = own.text(measure) if shown else WITHHELD if verdict is Verdict.WITHHELD else TOO_FEW
        scale = measure.factor if shown else math.nan
        scaled = (scale * own.estimate, scale * own.lower, scale * own.upper)
        counts = (math.nan, math.nan) if verdict is Verdict.WITHHELD else (own.n, own.n_events)
        marks = (verdict is Verdict.WITHHELD, verdict is Verdict.MISSES, text, verdict)
        rows.append((row["attribute_label"], row["level_label"], *counts, *scaled, *marks))
    columns = "group level n n_events estimate lower upper suppressed flagged text verdict"
    return pd.DataFrame(rows, columns=columns.split())


def tell_groups(judged: pd.DataFrame, measure: Measure) -> str:
    """The takeaway: "Risks fit 24 of 26 groups; 2 have an interval that misses 1"."""
    counts = {verdict: int((judged["verdict"] == verdict).sum()) for verdict in Verdict}
    if measure.right is None:
        sentence = _tell_range(judged[judged["verdict"] == Verdict.SHOWN], measure)
    else:
        sentence = _tell_verdicts(measure, counts[Verdict.IN_LINE], counts[Verdict.MISSES])
    few, withheld = counts[Verdict.TOO_FEW], counts[Verdict.WITHHELD]
    sentence += f"; {few} too few to judge" if few else ""
    return sentence + (f"; {withheld} withheld" if withheld else "")


def tell_chance(judged: pd.DataFrame, measure: Measure) -> str:
    """How many intervals would miss although nothing is wrong."""
    looked_at = int(judged["verdict"].isin([Verdict.IN_LINE, Verdict.MISSES, Verdict.SHOWN]).sum())
    sentence = f"{count_words(looked_at, 'group')} {'is' if looked_at == 1 else 'are'} looked at"
    if measure.right is None:
        return f"{sentence}. There is no right value: a difference between groups is not an error by itself."
    expected = _MISSES_BY_CHANCE * looked_at
    about = "fewer than one" if expected < 0.75 else f"about {expected:.0f}"
    return f"{sentence}, so about one interval in 20 would miss by chance: here {about}."


def tell_miss(measure: Measure, estimate: float, happened: str | None) -> str:
    """What it means that a group's interval misses the right value; `estimate` as `judge_groups` gives it."""
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
    """The groups worth a word: those whose interval misses, worst first; without a right value both ends."""
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
        return f"No interval misses {measure.format_right()}"
    whose = f"whose interval misses {measure.format_right()}"
    if missing > _MOST_NOTABLE:
        return f"The {_MOST_NOTABLE} furthest off of {missing} groups {whose}"
    return f"The group {whose}" if missing == 1 else f"The {missing} groups {whose}"


def build_notable_table(judged: pd.DataFrame, measure: Measure, happened: str | None) -> pd.DataFrame:
    """The notable groups in words: group, estimate with its interval, patients, what it means."""
    notable = select_notable(judged, measure)
    table = {
        "Group": [f"{group}: {level}" for level, group in zip(notable["level"], notable["group"], strict=True)],
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
            f"{measure.name} (95% interval)": judged["text"],
            **({"Interval misses": flags} if measure.right is not None else {}),
        }
    )


def tell_rules(measure: Measure) -> str:
    """When a group is too small to be judged by the measure."""
    rule = {
        "calibration_slope": f"fewer than {_FEWEST_FOR_SLOPE} patients with the event, or without it",
        "observed_expected": f"fewer than {_FEWEST_FOR_RATIO} events",
    }.get(measure.metric, f"fewer than {_FEWEST_FOR_RATIO} patients")
    return (
        f"“{TOO_FEW}” means {rule}: such a group is neither in line nor out of line. {upper_first(explain_withheld())}."
    )


def build_notes(levels: pd.DataFrame) -> dict[str, str]:
    """What a reader should know, by the label of the attribute."""
    noted = levels.dropna(subset=["attribute_note"]).drop_duplicates("attribute")
    return dict(zip(noted["attribute_label"], noted["attribute_note"], strict=True))


def _verdict(measure: Measure, own: Measured, *, suppressed: bool, flag: bool) -> Verdict:
    if suppressed:
        return Verdict.WITHHELD
    if not can_judge(measure.metric, own.n, own.n_events) or not math.isfinite(own.estimate):
        return Verdict.TOO_FEW
    if measure.right is None:
        return Verdict.SHOWN
    return Verdict.MISSES if flag or _misses_promise(measure, own) else Verdict.IN_LINE


def _misses_promise(measure: Measure, own: Measured) -> bool:
    """Whether the interval of a coverage, as displayed, misses what was promised; the release flags only ratios."""
    if not measure.is_of_100 or measure.right is None:
        return False
    promised = round(100 * measure.right)
    return round(100 * own.lower) > promised or round(100 * own.upper) < promised


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
    verb = "has" if misses == 1 else "have"
    return f"{subject} {in_line} of {judged} groups; {misses} {verb} an interval that misses {measure.format_right()}"


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
