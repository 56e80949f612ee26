"""What the pages say of projected amounts (cost, days): totals, groups, tenths, and the sentences about them."""

import math

import pandas as pd

from dashboard.presentation.measures import (
    MEASURES,
    TOO_FEW,
    WITHHELD,
    Key,
    Measured,
    count_words,
    lower_first,
    read_number,
    upper_first,
)
from pipeline.evaluate.judgement import JUDGED
from pipeline.numerals import NOTHING, format_amount, format_count, format_number, format_ratio
from pipeline.study.model import Study, Target

DOLLARS = "USD"
Figure = tuple[str, str, str]

# The size of a group that a coverage is told of, and how many attributes are named.
_USUAL_SIZE = 100
_NAMED = 2

_RATIO = MEASURES["predictive_ratio"]
_COVERAGE = MEASURES["interval_coverage_90"]


def money_year(target: Target) -> str:
    """The year of the money, to stand beside it: "nominal, 1989-94"; empty for anything but money."""
    return target.year or "" if target.unit == DOLLARS else ""


def unit_prefix(target: Target) -> str:
    """What the axes of charts put before a number."""
    return "$" if target.unit == DOLLARS else ""


def name_axis(target: Target, what: str = "Mean") -> str:
    """The title of an axis: "Mean cost per patient, nominal, 1989-94", "Mean per patient, days"."""
    unit = f"dollars, {money_year(target)}".removesuffix(", ") if target.unit == DOLLARS else target.unit
    return f"{what} per patient, {unit}"


def tell_total(target: Target, total: pd.Series) -> list[Figure]:
    """Label, number and certainty of the projected total of all patients, and of its mean per patient."""
    unit, n = target.unit or "", float(total["n"])
    year = f" ({money_year(target)})" if money_year(target) else ""
    low, high = float(total["lower"]), float(total["upper"])
    return [
        (
            f"Projected for all {format_count(n)} patients{year}",
            format_amount(float(total["projected_total"]), unit),
            f"95%: {_interval(low, high, unit)}; assumes this selection behaves like the whole cohort",
        ),
        (
            f"Mean per patient{year}",
            format_amount(float(total["projected_total"]) / n, unit),
            f"95%: {_interval(low / n, high / n, unit)}",
        ),
    ]


def tell_accuracy(target: Target, measured: dict[Key, Measured]) -> list[Figure]:
    """Label, number, certainty: what was projected for each unit observed, and how many are inside their interval."""
    figures = []
    if ratio := measured.get((_RATIO.metric, None)):
        single = "dollar" if target.unit == DOLLARS else (target.unit or "unit").removesuffix("s")
        certainty = f"95%: {ratio.interval(_RATIO)}; {format_count(ratio.n)} patients with a recorded amount"
        number = unit_prefix(target) + _RATIO.format(ratio.estimate)
        figures.append((f"Projected for each {single} observed", number, certainty))
    if coverage := measured.get((_COVERAGE.metric, None)):
        certainty = f"90 is what the interval promises (95%: {coverage.interval(_COVERAGE)})"
        figures.append(
            ("Patients inside their 90% interval", f"{_COVERAGE.format(coverage.estimate)} of 100", certainty)
        )
    return figures


def build_group_frame(outlook: pd.DataFrame, *, largest_first: bool) -> pd.DataFrame:
    """The groups as the dumbbell takes them: label, n, observed, projected, text, flagged; and `judged`.

    From `get_group_outlook`, in its order or by what was observed. A group of too few patients has no ratio.
    """
    rows = []
    for row in outlook.to_dict("records"):
        suppressed = bool(row["suppressed"])
        n, ratio, lower, upper = (read_number(row[c]) for c in ("n_observed", "ratio", "lower", "upper"))
        judged = not suppressed and row["judgement"] == JUDGED
        text = WITHHELD if suppressed else format_ratio(ratio, lower, upper) if judged else TOO_FEW
        means = [read_number(row[c]) if judged else math.nan for c in ("observed_mean", "projected_mean")]
        flagged = judged and bool(row["flag"])
        rows.append((row["level_label"], math.nan if suppressed else n, *means, ratio, text, flagged, judged))
    frame = pd.DataFrame(rows, columns=["label", "n", "observed", "projected", "ratio", "text", "flagged", "judged"])
    return frame.sort_values("observed", ascending=False, ignore_index=True) if largest_first else frame


def tell_groups(groups: pd.DataFrame) -> str:
    """The takeaway: "Organ failure with cancer: projected 15% too high; 5 of 8 groups are in line"."""
    judged = groups[groups["judged"]]
    flagged = judged[judged["flagged"]]
    n, in_line = len(judged), len(judged) - len(flagged)
    if not n:
        return "No group is large enough to compare"
    if flagged.empty:
        all_of_them = "The one group is" if n == 1 else f"All {n} groups are"
        return f"{all_of_them} in line with what was observed{_left_out(groups)}"
    worst = flagged.iloc[int(flagged["ratio"].map(lambda ratio: abs(math.log(ratio))).argmax())]
    percent = format_number(100 * abs(worst["ratio"] - 1), decimals=0)
    direction = "high" if worst["ratio"] > 1 else "low"
    rest = f"{in_line} of {n} groups {'is' if in_line == 1 else 'are'} in line" if in_line else "no group is in line"
    return f"{upper_first(str(worst['label']))}: projected {percent}% too {direction}; {rest}{_left_out(groups)}"


def build_total_table(outlook: pd.DataFrame, target: Target) -> pd.DataFrame:
    """The totals of the groups in words: all their patients projected, and those with a recorded amount observed."""
    unit = target.unit or ""
    rows = []
    for row in outlook.to_dict("records"):
        if row["suppressed"]:
            rows.append((row["level_label"], WITHHELD, NOTHING, NOTHING, NOTHING, NOTHING))
            continue
        flag = " ◆" if row["flag"] else ""
        rows.append(
            (
                f"{row['level_label']}{flag}",
                format_count(read_number(row["n"])),
                format_amount(read_number(row["projected_total"]), unit),
                _interval(read_number(row["total_lower"]), read_number(row["total_upper"]), unit),
                format_amount(read_number(row["observed_total"]), unit),
                format_count(read_number(row["n_observed"])),
            )
        )
    columns = ["Group", "Patients", "Projected total", "95% interval", "Observed total", "Patients observed"]
    return pd.DataFrame(rows, columns=columns)


def tell_coverage(coverage: pd.DataFrame, study: Study) -> str:
    """How often the 95% intervals of totals held, in words; from `get_total_coverage`. Empty where none was tried."""
    parts = []
    random = coverage[coverage["group_kind"] == "random"]
    usual = random[random["size"] == _USUAL_SIZE]
    for row in (usual if len(usual) else random.tail(1)).to_dict("records"):
        of_100 = format_count(100 * float(row["coverage"]))
        parts.append(f"of random groups of {format_count(row['size'])} patients, {of_100} of 100 lay inside")
    for row in coverage[coverage["group_kind"] == "attribute"].to_dict("records"):
        inside = format_count(float(row["coverage"]) * row["n_groups"])
        parts.append(f"of groups by {_name_attributes(study)}, {inside} of {format_count(row['n_groups'])}")
    if not parts:
        return ""
    return f"Tried on groups that nothing had been learnt from: {'; '.join(parts)} (95 of 100 are promised)."


def _name_attributes(study: Study) -> str:
    """ "diagnosis, sex and 6 other attributes"; the diagnosis and the first of the others."""
    first = [a for a in study.subgroups if a.id == study.diagnosis]
    labels = [lower_first(a.label) for a in [*first, *(a for a in study.subgroups if a not in first)]]
    named, others = labels[:_NAMED], len(labels) - _NAMED
    if others > 0:
        return f"{', '.join(named)} and {count_words(others, 'other attribute')}"
    return " and ".join(named)


def tell_largest_group(outlook: pd.DataFrame, total: pd.Series, target: Target) -> str:
    """The takeaway: "Organ failure with sepsis: 39 of 100 patients, 64 of 100 dollars projected"."""
    shown = outlook[~outlook["suppressed"].astype(bool)].dropna(subset=["projected_total"])
    if shown.empty:
        return "Every group is withheld"
    largest = shown.iloc[int(shown["projected_total"].astype("float64").argmax())]
    share = 100 * float(largest["projected_total"]) / float(total["projected_total"])
    of_patients = 100 * float(largest["n"]) / float(total["n"])
    what = "dollars" if target.unit == DOLLARS else target.unit
    name = upper_first(str(largest["level_label"]))
    return f"{name}: {of_patients:.0f} of 100 patients, {share:.0f} of 100 projected {what}"


def build_dumbbell_table(groups: pd.DataFrame, target: Target) -> pd.DataFrame:
    """The table alternative of the dumbbell."""
    unit, year = target.unit or "", f" ({money_year(target)})" if money_year(target) else ""
    return pd.DataFrame(
        {
            "Group": groups["label"],
            "Patients observed": [format_count(n) for n in groups["n"]],
            f"Observed mean{year}": [
                format_amount(v, unit) if math.isfinite(v) else NOTHING for v in groups["observed"]
            ],
            f"Projected mean{year}": [
                format_amount(v, unit) if math.isfinite(v) else NOTHING for v in groups["projected"]
            ],
            "Projected ÷ observed (95%)": groups["text"],
            "Clearly off": ["◆" if flagged else "" for flagged in groups["flagged"]],
        }
    )


def tell_tenths(curve: pd.DataFrame) -> str:
    """The takeaway: in how many tenths the projection lies inside the interval of what was observed."""
    n = len(curve)
    outside = curve[(curve["predicted"] < curve["lower"]) | (curve["predicted"] > curve["upper"])]
    if not n:
        return "Nothing was observed to compare with"
    if outside.empty:
        return f"Projections follow what was observed in all {count_words(n, 'tenth')} of patients"
    ratio = (outside["predicted"] / outside["observed"]).map(math.log)
    worst = outside.iloc[int(ratio.abs().argmax())]
    percent = format_number(100 * abs(worst["predicted"] / worst["observed"] - 1), decimals=0)
    direction = "high" if worst["predicted"] > worst["observed"] else "low"
    return (
        f"Projections follow what was observed in {n - len(outside)} of {count_words(n, 'tenth')}; tenth "
        f"{worst['tenth']:.0f} is projected {percent}% too {direction}"
    )


def build_tenths_table(curve: pd.DataFrame, target: Target) -> pd.DataFrame:
    """The table alternative of the tenths."""
    unit, year = target.unit or "", f" ({money_year(target)})" if money_year(target) else ""
    return pd.DataFrame(
        {
            "Tenth": curve["tenth"],
            "Patients": [format_count(n) for n in curve["n"]],
            f"Projected mean{year}": [format_amount(v, unit) for v in curve["predicted"]],
            f"Observed mean{year}": [format_amount(v, unit) for v in curve["observed"]],
            "95% interval of the observed mean": [
                _interval(low, high, unit) for low, high in zip(curve["lower"], curve["upper"], strict=True)
            ],
        }
    )


def tell_caution(target: Target) -> str:
    """What stands beside every projection: the study's caution, and what the money is."""
    year = money_year(target)
    sentences = [target.caution or "", f"Dollars are {year}: not adjusted to today's prices." if year else ""]
    return " ".join(sentence for sentence in sentences if sentence)


def name_target(target: Target) -> str:
    """The target within a sentence."""
    return lower_first(target.label)


def _left_out(groups: pd.DataFrame) -> str:
    few, withheld = (int((groups["text"] == words).sum()) for words in (TOO_FEW, WITHHELD))
    return (f"; {few} too few to judge" if few else "") + (f"; {withheld} withheld" if withheld else "")


def _interval(lower: float, upper: float, unit: str) -> str:
    return f"{format_amount(lower, unit).removesuffix(f' {unit}')} to {format_amount(upper, unit)}"
