"""What the board's page says of how well a model works: models side by side, calibration, thresholds."""

import math

import pandas as pd

from dashboard.presentation.measures import (
    ALL,
    MEASURES,
    OURS,
    Key,
    Measure,
    Measured,
    count_words,
    read_measured,
    upper_first,
)
from pipeline.govern.words import name_model
from pipeline.numerals import NOTHING, format_count, format_number, format_of_100
from pipeline.study.model import Kind, Target

THIS_MODEL = "This model"
ALL_COMBINED = "xgboost_plus_all"
RANKS_ONLY = "ranks only"
FOR_MODELS = ("auroc", "calibration_slope", "observed_expected", "brier")
# Beside these the others are in the table behind the button: nine columns cannot be read at once.
FOR_READING = ("auroc", "calibration_slope", "observed_expected", "brier")
FOR_TABLE = ("auroc", "auprc", "calibration_slope", "calibration_intercept", "observed_expected", "ece", "brier")
FOR_AMOUNTS = ("r2", "r2_log", "mae", "predictive_ratio", "interval_coverage_80", "interval_coverage_90")
FOR_AMOUNT_FIGURES = ("predictive_ratio", "r2", "r2_log", "interval_coverage_90")
AT_THRESHOLD = (
    "flag_rate",
    "sensitivity",
    "ppv",
    "number_needed_to_evaluate",
    "specificity",
    "npv",
    "net_benefit",
)


def tell_figures(measured: dict[Key, Measured], target: Target) -> list[tuple[str, str, str]]:
    """Label, number and certainty of the figures above the page."""
    shown = FOR_AMOUNT_FIGURES if target.kind is not Kind.OUTCOME else FOR_MODELS
    return [
        _tell_figure(MEASURES[metric], measured[metric, None], target) for metric in shown if (metric, None) in measured
    ]


def name_models(compared: pd.DataFrame) -> dict[str, str]:
    """The name of every model of a target, ours first."""
    named = dict(zip(compared["model_id"], compared["label"], strict=True))
    return {OURS: THIS_MODEL, **{i: str(label) for i, label in named.items() if i != OURS}}


def select_plotted(compared: pd.DataFrame) -> list[str]:
    """The models to draw, ours first: of the combinations only the last, which takes in all that is used today."""
    combined = compared.loc[compared["kind"] == "combination", "model_id"]
    whole = combined[combined == ALL_COMBINED] if (combined == ALL_COMBINED).any() else combined.tail(1)
    alone = compared.loc[compared["kind"].isin(["baseline", "rival"]), "model_id"]
    return [OURS, *alone, *whole]


def only_ranks(baselines: pd.DataFrame) -> set[str]:
    """The baselines that are scores, not risks."""
    return set(baselines.loc[baselines["kind"] == "score", "model_id"])


def build_auroc_frame(common: pd.DataFrame, everybody: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """AUROC of every model as `model_dots` takes it: on the patients all could score, then ours on everybody."""
    measure = MEASURES["auroc"]
    patients = f"on all {_count(everybody)} patients"
    parts = [(common, i, label) for i, label in names.items()]
    parts.append((everybody, OURS, f"{THIS_MODEL} {patients}" if len(common) else THIS_MODEL))
    rows = []
    for table, model_id, label in parts:
        if m := read_measured(table, model_id).get((measure.metric, None)):
            rows.append((label, m.n, m.estimate, m.lower, m.upper, m.text(measure), model_id == OURS))
    return pd.DataFrame(rows, columns=["label", "n", "estimate", "lower", "upper", "text", "ours"])


def tell_same_patients(common: pd.DataFrame, everybody: pd.DataFrame) -> str:
    """Whom the models are compared on: "The same 7,472 patients, 3,468 events, whom every baseline could score"."""
    if not len(common):
        return f"{_cases(everybody)}."
    return f"Unless it says all, the same {_cases(common)}: those whom every baseline could score."


def tell_auroc(common: pd.DataFrame, everybody: pd.DataFrame, names: dict[str, str], happened: str | None) -> str:
    """The takeaway: what each says on the same patients, without calling one better."""
    measure = MEASURES["auroc"]
    what = measure.describe(happened)
    key = (measure.metric, None)
    ours = read_measured(common, OURS).get(key)
    others = [m for i in names if i != OURS and (m := read_measured(common, i).get(key))]
    if not ours or not others:
        alone = read_measured(everybody, OURS).get(key)
        number = alone.text(measure) if alone else NOTHING
        return f"{upper_first(what)}: AUROC {number}, with nothing to compare it with"
    estimates = sorted(m.estimate for m in others)
    low, high = measure.format(estimates[0]), measure.format(estimates[-1])
    rest = f"the other {low}" if len(others) == 1 else f"the others {low if low == high else f'{low} to {high}'}"
    return f"{upper_first(what)}: this model {measure.format(ours.estimate)}, {rest}"


def build_model_table(
    common: pd.DataFrame, everybody: pd.DataFrame, names: dict[str, str], ranking: set[str]
) -> pd.DataFrame:
    """Models × measures, each with its interval: everybody on the patients all could score, and ours on all."""
    rows = [_model_row(label, read_measured(common, i), i in ranking) for i, label in names.items() if len(common)]
    rows.append(_model_row(f"{THIS_MODEL}, all patients", read_measured(everybody, OURS), False))
    columns = ["Model", "Patients", *(MEASURES[metric].name for metric in FOR_TABLE)]
    return pd.DataFrame(rows, columns=columns)


def tell_models(common: pd.DataFrame, names: dict[str, str], ranking: set[str]) -> str:
    """The takeaway: how far apart the calibration of the models lies."""
    measure = MEASURES["calibration_slope"]
    read = {i: read_measured(common, i).get((measure.metric, None)) for i in names if i not in ranking}
    slopes = sorted((m.estimate, names[i]) for i, m in read.items() if m and math.isfinite(m.estimate))
    if len(slopes) > 1:
        first, last = ((name_model(name), measure.format(slope)) for slope, name in (slopes[0], slopes[-1]))
        return (
            f"The risks of {first[0]} are the most extreme (calibration slope {first[1]}), those of {last[0]} the "
            f"most timid ({last[1]})"
        )
    if ranking & set(names):
        return f"{count_words(len(ranking & set(names)), 'baseline')} beside this model, which only rank patients"
    return "This model in numbers"


def describe_columns(happened: str | None) -> dict[str, str]:
    """The plain words under the technical name of each column of the table of models."""
    return {MEASURES[metric].name: MEASURES[metric].describe(happened) for metric in FOR_TABLE}


def tell_calibration(curve: pd.DataFrame, name: str, happened: str | None) -> str:
    """The takeaway: in how many groups of similar risk the interval of what happened holds the prediction."""
    if curve.empty:
        return "There is no risk to compare with what happened"
    outside = curve[(curve["predicted"] < curve["lower"]) | (curve["predicted"] > curve["upper"])]
    n, who = len(curve), "Risks fit" if name == THIS_MODEL else f"{name}: risks fit"
    if outside.empty:
        return f"{who} {'all ' if n > 1 else ''}{count_words(n, 'risk group')}"
    worst = outside.iloc[int((outside["predicted"] - outside["observed"]).abs().argmax())]
    predicted, observed = format_of_100(worst["predicted"]), format_of_100(worst["observed"])
    return (
        f"{who} {n - len(outside)} of {count_words(n, 'risk group')}; where {predicted} of 100 were predicted, "
        f"{observed} {happened or 'had the event'}"
    )


def build_calibration_table(curve: pd.DataFrame) -> pd.DataFrame:
    """The table alternative of the calibration plot."""
    return pd.DataFrame(
        {
            "Predicted, of 100": [_of_100(v) for v in curve["predicted"]],
            "Observed, of 100": [_of_100(v) for v in curve["observed"]],
            "95% interval": [
                f"{_of_100(a)} to {_of_100(b)}" for a, b in zip(curve["lower"], curve["upper"], strict=True)
            ],
            "Patients": [format_count(n) for n in curve["n"]],
            "Events": [format_count(n) for n in curve["n_events"]],
        }
    )


def tell_distribution(bins: pd.DataFrame, happened: str | None) -> str:
    """The takeaway: the middle risk of patients with the event, and of the others."""
    middles = [_middle(bins, column) for column in ("n_event", "n_no_event")]
    if not all(math.isfinite(middle) for middle in middles):
        return "How the predicted risks are spread"
    above, below = (f"{100 * middle:.0f}" for middle in middles)
    return (
        f"Half of those who {happened or 'had the event'} had a risk above about {above} of 100; "
        f"half of the others below about {below}"
    )


def build_distribution_table(bins: pd.DataFrame, happened: str | None) -> pd.DataFrame:
    """The table alternative of the distribution."""
    edges = zip(bins["bin_low"], bins["bin_high"], strict=True)
    return pd.DataFrame(
        {
            "Risk, of 100": [f"{100 * low:.0f} to {100 * high:.0f}" for low, high in edges],
            f"Patients who {happened or 'had the event'}": bins["n_event"],
            "Other patients": bins["n_no_event"],
        }
    )


def build_threshold_table(measured: dict[Key, Measured], thresholds: list[float], happened: str | None) -> pd.DataFrame:
    """Measures × thresholds, in plain words first, with the net benefit of flagging everybody beside ours."""
    rows = []
    for measure in (MEASURES[metric] for metric in AT_THRESHOLD):
        cells = [_text(measured, measure, threshold) for threshold in thresholds]
        rows.append((measure.name, measure.describe(happened), *cells))
    everybody = [_flag_everybody(measured, threshold) for threshold in thresholds]
    rows.append(("… if everybody were flagged", "the same, without any model; flagging nobody is 0", *everybody))
    columns = ["Measure", "In plain words", *(f"At a risk of {format_of_100(t)} of 100" for t in thresholds)]
    return pd.DataFrame(rows, columns=columns)


def tell_threshold(measured: dict[Key, Measured], thresholds: list[float], happened: str | None) -> str:
    """The takeaway at the first threshold."""
    if not thresholds:
        return "The study names no threshold for this outcome"
    at, event = thresholds[0], happened or "had the event"
    right, found = measured.get(("ppv", at)), measured.get(("sensitivity", at))
    if not right or not found or not math.isfinite(right.estimate + found.estimate):
        return f"At a risk of {format_of_100(at)} of 100 too few patients are flagged to say more"
    share = MEASURES["ppv"]
    return (
        f"Flagged at {format_of_100(at)} of 100: {share.format(right.estimate)} of 100 flagged patients {event}, and "
        f"{share.format(1 - found.estimate)} of 100 who {event} were not flagged"
    )


def build_amount_table(measured: dict[Key, Measured], target: Target) -> pd.DataFrame:
    """The measures of a projected amount: name, number with interval, plain words."""
    shown = [(m, measured[m.metric, None]) for m in (MEASURES[i] for i in FOR_AMOUNTS) if (m.metric, None) in measured]
    return pd.DataFrame(
        {
            "Measure": [measure.name for measure, _ in shown],
            "Estimate (95% interval)": [value.text(measure, target.unit) for measure, value in shown],
            "In plain words": [f"{upper_first(measure.plain)}. {measure.reading}" for measure, _ in shown],
        }
    )


def tell_amounts(measured: dict[Key, Measured]) -> str:
    """The takeaway: totals against single patients."""
    ratio, r2 = measured.get(("predictive_ratio", None)), measured.get(("r2", None))
    if not ratio or not r2:
        return "Nothing was observed to compare with"
    off = 100 * abs(ratio.estimate - 1)
    direction = "high" if ratio.estimate > 1 else "low"
    totals = f"Totals are projected {format_number(off, decimals=0 if off >= 1 else 1)}% too {direction}"
    return f"{totals}; {100 * r2.estimate:.0f}% of the differences between patients are explained"


def tell_cases(measured: dict[Key, Measured], metric: str) -> str:
    """ "n 9,105, 4,265 events"."""
    m = measured.get((metric, None))
    if not m:
        return NOTHING
    events = f", {format_count(m.n_events)} events" if math.isfinite(m.n_events) else ""
    return f"n {format_count(m.n)}{events}"


def tell_basis(measured: dict[Key, Measured], target: Target, caution: str) -> str:
    """What the figures above the page rest on, and the study's caution."""
    cases = tell_cases(measured, "auroc" if target.kind is Kind.OUTCOME else "r2")
    recorded = "" if target.kind is Kind.OUTCOME else " with a recorded amount"
    return f"This model, all patients{recorded}: {cases}. {caution}"


def read_everybody(performance: pd.DataFrame) -> dict[Key, Measured]:
    """Our own measures on all patients."""
    return read_measured(performance[performance["population"] == ALL], OURS)


def _tell_figure(measure: Measure, m: Measured, target: Target) -> tuple[str, str, str]:
    words = measure.describe(target.happened)
    of_100 = " of 100" if measure.is_of_100 else ""
    right = f"; {measure.format_right()} is right" if measure.right is not None else ""
    certainty = f"{measure.name}, 95%: {m.interval(measure, target.unit)}{right}"
    return upper_first(words), measure.format(m.estimate, target.unit) + of_100, certainty


def _model_row(label: str, measured: dict[Key, Measured], ranks: bool) -> tuple[str, ...]:
    auroc = measured.get(("auroc", None))
    cells = [
        _text(measured, MEASURES[metric], None, otherwise=RANKS_ONLY if ranks else NOTHING) for metric in FOR_TABLE
    ]
    return (label, format_count(auroc.n) if auroc else NOTHING, *cells)


def _text(measured: dict[Key, Measured], measure: Measure, threshold: float | None, *, otherwise: str = NOTHING) -> str:
    m = measured.get((measure.metric, threshold))
    return m.text(measure) if m else otherwise


def _flag_everybody(measured: dict[Key, Measured], threshold: float) -> str:
    """The net benefit of flagging everybody, per 100 patients (Vickers & Elkin 2006)."""
    m = measured.get(("net_benefit", threshold))
    if not m or not math.isfinite(m.n_events) or not m.n:
        return NOTHING
    rate = m.n_events / m.n
    return MEASURES["net_benefit"].format(rate - (1 - rate) * threshold / (1 - threshold))


def _middle(bins: pd.DataFrame, column: str) -> float:
    """The middle of the bin that holds the median; NaN where nobody is counted."""
    counts = bins[column].astype("float64").fillna(0.0)
    if counts.sum() <= 0:
        return math.nan
    row = bins.iloc[int((counts.cumsum() >= counts.sum() / 2).argmax())]
    return float(row["bin_low"] + row["bin_high"]) / 2


def _count(table: pd.DataFrame) -> str:
    return format_count(float(table["n"].max())) if len(table) else NOTHING


def _cases(table: pd.DataFrame) -> str:
    return f"{_count(table)} patients, {format_count(float(table['n_events'].max()))} events"


def _of_100(share: float) -> str:
    return format_of_100(float(share))
