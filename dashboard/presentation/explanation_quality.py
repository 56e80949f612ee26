"""What the board's page says of explanations: whether they add up, follow the model, and stay."""

import math
from typing import Any

import pandas as pd

from dashboard.presentation.measures import lower_first, read_number
from pipeline.numerals import NOTHING, format_count, format_number, format_of_100
from pipeline.store.tables.explained import AT_RANDOM, BY_AVERAGE, BY_IMPORTANCE, LEAST_OVERLAP
from pipeline.study.model import Kind, Study, Target

# As many first reasons as are compared: the five of `top5_overlap`.
TOP = 5
LIMIT_WORDS = f"fewer than {LEAST_OVERLAP * TOP:.0f} of {TOP} stay"
ORDERS = {
    BY_IMPORTANCE: "the patient's own reasons first",
    BY_AVERAGE: "what matters most on average first",
    AT_RANDOM: "at random",
}
HELD, FAILED, NO_RIGHT_VALUE, NOT_ESTIMABLE = "held", "did not hold ◆", "for the board to say", "not estimable"
NAMES = {
    "additivity": "Contributions add up to the margin",
    "link": "What is explained is what is displayed",
    "rounding": "Rounding does not reach contributions",
    "concept_sums": "Concepts are sums of their features",
    "points": "Points, dollars and days add up too",
    "deletion": "Own reasons against random features",
    "deletion_own": "Own reasons against the usual ones",
    "shuffled": "Shuffled outcomes explain nothing",
    "stability": "Rebuilt on resampled patients",
    "unstable": "Patients whose reasons change",
    "stability_seeds": "Rebuilt with other random numbers",
    "stability_folds": "Models of other folds",
    "agreement": "Rank correlation with an additive model",
    "agreement_first": "Same first reason in an additive model",
}
Checks = dict[str, dict[str, Any]]
# What is left by adding up in doubles; the sentence beside the number names the limit of each check.
_EXACT = 1e-5
_SHARES = ("unstable", "agreement_first", "shuffled")
_GAPS = ("additivity", "link", "rounding", "concept_sums", "points")
_OVERLAPS = ("stability", "stability_seeds", "stability_folds")


def select_target(quality: pd.DataFrame, target_id: str) -> Checks:
    """The checks of one target, by name: estimate, lower, upper, n, passed, told."""
    rows = quality[quality["target_id"] == target_id].to_dict("records")
    return {str(row["check"]): {str(name): value for name, value in row.items()} for row in rows}


def tell_figures(own: Checks) -> list[tuple[str, str, str]]:
    """Label, number and certainty of the figures above the page."""
    judged = _judged(own)
    held = sum(judged.values())
    return [
        _tell_share(own, "unstable", "Reasons change in a rebuild, of 100 patients"),
        _tell_kept(own, "stability", f"Of the first {TOP} reasons stay, in the middle patient"),
        _tell_kept(own, "stability_seeds", "The same with other random numbers only"),
        (
            "Checks with a right value that held",
            f"{held} of {len(judged)}",
            "all of them" if held == len(judged) else "see the table",
        ),
    ]


def tell_first(own: Checks) -> str:
    """The page's first sentence."""
    return _sentence(own, "unstable")


def tell_stability(own: Checks) -> str:
    """The takeaway of the distribution."""
    return _sentence(own, "stability")


def tell_deletion(own: Checks) -> str:
    """The takeaway of the curves."""
    return _sentence(own, "deletion")


def tell_by_target(frame: pd.DataFrame) -> str:
    """The takeaway of the targets side by side; `frame` is that of `build_target_frame`."""
    if frame.empty:
        return "For how many patients reasons change was not measured"
    ordered = frame.sort_values("value", ascending=False)
    first, last = ordered.iloc[0], ordered.iloc[-1]
    told = f"{first['label']} has the least stable reasons: they change for {first['text']} of 100 patients"
    return told if len(frame) == 1 else f"{told}; {lower_first(str(last['label']))} the most stable, {last['text']}"


def tell_checks(own: Checks) -> str:
    """The takeaway of the table."""
    judged = _judged(own)
    failed = [lower_first(NAMES[check]) for check, passed in judged.items() if not passed]
    if not judged:
        return "No check with a right value could be made"
    if not failed:
        return f"Every check that has a right value held: {len(judged)} of {len(judged)}"
    return f"{len(failed)} of {len(judged)} checks that have a right value did not hold ◆: {', '.join(failed)}"


def build_target_frame(quality: pd.DataFrame, study: Study) -> pd.DataFrame:
    """label, value, lower, upper, text as `importance_bars` takes it: for how many of 100 patients reasons change."""
    own = quality[(quality["check"] == "unstable") & quality["estimate"].notna()]
    return pd.DataFrame(
        {
            "label": [study.target(i).label for i in own["target_id"]],
            **{name: 100 * own[column] for name, column in (("value", "estimate"), ("lower", "lower"))},
            "upper": 100 * own["upper"],
            "text": [format_of_100(v) for v in own["estimate"]],
        }
    ).reset_index(drop=True)


def build_target_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The table alternative of the targets side by side."""
    bounds = zip(frame["lower"], frame["upper"], strict=True)
    return pd.DataFrame(
        {
            "Estimate of": frame["label"],
            "Patients whose reasons change, of 100": frame["text"],
            "95% interval": [f"{format_of_100(a / 100)} to {format_of_100(b / 100)}" for a, b in bounds],
        }
    )


def build_stability_table(bins: pd.DataFrame) -> pd.DataFrame:
    """The table alternative of the distribution."""
    edges = zip(bins["bin_low"], bins["bin_high"], strict=True)
    return pd.DataFrame(
        {
            f"Of the first {TOP} reasons stay, percent": [
                f"{100 * low:.0f} to {100 * high:.0f}" for low, high in edges
            ],
            "Patients": [format_count(n) for n in bins["n"]],
        }
    )


def build_deletion_table(curve: pd.DataFrame) -> pd.DataFrame:
    """The table alternative of the curves: a row a number of features replaced."""
    table = pd.DataFrame({"Features replaced": sorted(set(curve["removed"]))})
    for taken, words in ORDERS.items():
        own = curve[curve["taken"] == taken].sort_values("removed")
        triples = own[["moved", "lower", "upper"]].itertuples(index=False)
        table[words[:1].upper() + words[1:]] = [_interval(*map(float, t)) for t in triples]
    return table


def build_check_table(own: Checks) -> pd.DataFrame:
    """Check, Result, Measured (95% interval), Patients, Verdict: every check in words."""
    return pd.DataFrame(
        {
            "Check": [NAMES[check] for check in own],
            "Result": [row["told"] for row in own.values()],
            "Measured (95%)": [_measured(check, row) for check, row in own.items()],
            "Patients": [format_count(row["n"]) for row in own.values()],
            "Verdict": [_judge(row) for row in own.values()],
        }
    )


def name_moved(target: Target) -> str:
    """The unit of the curves."""
    return "Distance moved, log-odds" if target.kind is Kind.OUTCOME else "Distance moved, logarithm of the projection"


def explain_stability(refits: int) -> str:
    """How to read the distribution, and what it does not say."""
    return (
        f"For every patient the model that never saw them was built anew {refits} times, each time on other patients "
        f"drawn from the same training patients and with other random numbers. The first {TOP} features of each "
        f"rebuild are compared with the {TOP} that are shown. A patient counts as one whose reasons change if "
        "fewer than 3 of 5 stay on average, or if another feature comes first in a third of the rebuilds or more. "
        "Reasons that change are not wrong: features that go together share what they explain, and which of them "
        "leads is then close to a toss. They should not be read as the one cause."
    )


def explain_deletion() -> str:
    """How to read the curves, and what they do not say."""
    return (
        "If reasons are right, taking them away must move the estimate. The values behind a patient's features are "
        "replaced by those of random patients of the training, one feature more at each step, in three orders: the "
        "patient's largest contributions first, what matters most on average first, and at random. The further the "
        "first line is above the others, the better explanations follow the model. Values are replaced by real ones "
        "and not by a missing value, since missing means something of its own here; but a mix of two patients may be "
        "one that nobody has. It is a test of explanations, not of what changing a value would do to a patient."
    )


def explain_checks() -> str:
    """How to read the table."""
    return (
        "“Held” and “did not hold ◆” are said of checks that have a right value; stability and agreement have none, "
        "and what is enough is for the board to say. Intervals are over patients, given the models that were built. "
        "The models of other folds were trained on the patient they explain, so that line is one of all patients "
        "together, and likely a little too good. An additive model can be read off term by term; where it gives other "
        "reasons, neither is thereby wrong."
    )


def _judged(own: Checks) -> dict[str, bool]:
    """Whether each check that has a right value held."""
    return {check: bool(row["passed"]) for check, row in own.items() if not pd.isna(row["passed"])}


def _sentence(own: Checks, check: str) -> str:
    return str(own[check]["told"])


def _tell_share(own: Checks, check: str, label: str) -> tuple[str, str, str]:
    estimate, lower, upper = _numbers(own, check)
    if not math.isfinite(estimate):
        return label, NOTHING, _sentence(own, check)
    return label, format_of_100(estimate), f"95%: {format_of_100(lower)} to {format_of_100(upper)}"


def _tell_kept(own: Checks, check: str, label: str) -> tuple[str, str, str]:
    estimate, lower, upper = (TOP * v for v in _numbers(own, check))
    if not math.isfinite(estimate):
        return label, NOTHING, _sentence(own, check)
    bounds = " to ".join(format_number(v, decimals=1) for v in (lower, upper))
    return label, f"{format_number(estimate, decimals=1)} of {TOP}", f"95%: {bounds}"


def _numbers(own: Checks, check: str) -> tuple[float, float, float]:
    estimate, lower, upper = (read_number(own[check][name]) for name in ("estimate", "lower", "upper"))
    return estimate, lower, upper


def _judge(row: dict[str, Any]) -> str:
    if pd.isna(row["estimate"]):
        return NOT_ESTIMABLE
    if pd.isna(row["passed"]):
        return NO_RIGHT_VALUE
    return HELD if row["passed"] else FAILED


def _measured(check: str, row: dict[str, Any]) -> str:
    """The number in the unit that the sentence beside it speaks in."""
    estimate, lower, upper = (read_number(row[name]) for name in ("estimate", "lower", "upper"))
    if not math.isfinite(estimate):
        return NOTHING
    if check in _GAPS:
        return "exact" if estimate < _EXACT else f"off by at most {estimate:.0e}"
    if check in _OVERLAPS:
        return f"{_interval(*(TOP * v for v in (estimate, lower, upper)), decimals=1)} of {TOP}"
    if check in _SHARES:
        return f"{_interval(*(100 * v for v in (estimate, lower, upper)), decimals=0)} of 100"
    return _interval(estimate, lower, upper)


def _interval(estimate: float, lower: float, upper: float, *, decimals: int = 2) -> str:
    text = format_number(estimate, decimals=decimals)
    if not math.isfinite(lower + upper):
        return text
    return f"{text} ({format_number(lower, decimals=decimals)} to {format_number(upper, decimals=decimals)})"
