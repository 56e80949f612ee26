"""What the board's page says of models side by side: differences on the same patients, and what decisions are worth."""

import pandas as pd

from dashboard.presentation.measures import MEASURES, count_words, join_words, read_number, upper_first
from pipeline.govern.words import name_model
from pipeline.numerals import NOTHING, format_count, format_number, format_of_100, format_signed
from pipeline.study.model import Kind, Target

_VERDICTS = {"better": "this model", "worse": "the other", "no difference shown": "no difference shown"}
_TOGETHER = {"better": "this model alone", "worse": "both together", "no difference shown": "no difference shown"}
TOO_FEW_HELD = "too few to say"
_KINDS = {"baseline": "in use today", "rival": "a simpler model", "combination": "weighed together"}


def leading_metric(target: Target) -> str:
    """The measure that models are first compared by."""
    return "auroc" if target.kind is Kind.OUTCOME else "r2_log"


def tell_comparisons(comparisons: pd.DataFrame) -> str:
    """The takeaway: how many others this model does better than, and the names of those it does not."""
    others = comparisons[comparisons["kind"] != "combination"]
    if others.empty:
        return "There is nothing to compare this model with"
    named = {v: [name_model(str(x)) for x in others.loc[others["verdict"] == v, "label"]] for v in _VERDICTS}
    beaten = len(named["better"])
    parts = [f"This model does better than {_count_beaten(beaten, len(others))}"]
    if worse := named["worse"]:
        parts.append(f"{join_words(worse)} {'does' if len(worse) == 1 else 'do'} better than it")
    if same := named["no difference shown"]:
        parts.append(f"it is not shown to differ from {join_words(same)}")
    return "; ".join(parts)


def order_models(comparisons: pd.DataFrame) -> pd.DataFrame:
    """What is used today first, then simpler models, then combinations."""
    order = comparisons["kind"].map({kind: i for i, kind in enumerate(_KINDS)})
    return comparisons.assign(order=order).sort_values(["order", "difference"], kind="stable").drop(columns="order")


def build_comparison_table(comparisons: pd.DataFrame, metric: str) -> pd.DataFrame:
    """A row another model: what it is, the difference with its interval, patients, and which does better."""
    rows = [
        (
            row["label"],
            _KINDS.get(str(row["kind"]), ""),
            _signed(row),
            format_count(read_number(row["n"])),
            (_TOGETHER if row["kind"] == "combination" else _VERDICTS)[str(row["verdict"])],
        )
        for row in comparisons.to_dict("records")
    ]
    name = f"{MEASURES[metric].name}: this model less the other (95%)"
    return pd.DataFrame(rows, columns=["Compared with", "What it is", name, "Patients", "Does better"])


def tell_glass_box(comparisons: pd.DataFrame) -> str | None:
    """What the comparison with the model that can be read off says."""
    own = comparisons[comparisons["model_id"].eq("xgboost") & comparisons["other_id"].eq("glass_box")]
    if own.empty:
        return None
    gap = float(own["difference"].iloc[0])
    return (
        f"{upper_first(str(own['label'].iloc[0]))} comes within {format_number(abs(gap), decimals=3)} of this model: "
        "its every part can be drawn as a curve. Where that is close, the board may ask why not to use it."
        if gap <= 0.01
        else None
    )


def tell_benefit(curve: pd.DataFrame) -> str:
    """The takeaway: over which thresholds the model is worth more than flagging everybody and than flagging nobody."""
    shown = curve.dropna(subset=["net_benefit"])
    if shown.empty:
        return "Too few patients to say what decisions by this model would be worth"
    best = shown[["treat_all"]].clip(lower=0)["treat_all"]
    above = shown[shown["lower"] > best]
    if above.empty:
        return "At no threshold is the model shown to be worth more than flagging everybody or nobody"
    low, high = (format_of_100(float(above["threshold"].agg(end))) for end in ("min", "max"))
    return f"From {low} to {high} of 100 the model is worth more than flagging everybody or nobody"


def build_benefit_table(curve: pd.DataFrame) -> pd.DataFrame:
    """The table alternative of the curve, per 100 patients."""
    return pd.DataFrame(
        {
            "Flagged from, of 100": [format_of_100(t) for t in curve["threshold"]],
            "Net benefit of 100 (95% interval)": [
                f"{_per_100(a)} ({_per_100(b)} to {_per_100(c)})" if not pd.isna(a) else NOTHING
                for a, b, c in zip(curve["net_benefit"], curve["lower"], curve["upper"], strict=True)
            ],
            "Flagging everybody": [_per_100(v) for v in curve["treat_all"]],
        }
    )


def tell_concentration(concentration: pd.DataFrame) -> str:
    """The takeaway: what the patients with the highest projections hold of everything."""
    if concentration.empty:
        return "Too few amounts to say how they are concentrated"
    row = concentration.iloc[-1]
    return (
        f"The {100 * row['share']:.0f} of 100 patients projected highest hold {100 * row['held']:.0f}% of the total; "
        f"the {100 * row['share']:.0f} that turned out highest {100 * row['held_by_costliest']:.0f}%"
    )


def build_concentration_table(concentration: pd.DataFrame) -> pd.DataFrame:
    """A row a share of patients."""
    return pd.DataFrame(
        {
            "Of 100 patients, the top": [f"{100 * share:.0f}" for share in concentration["share"]],
            "Patients": [format_count(n) for n in concentration["n_chosen"]],
            "Hold of the total, projected highest (95%)": _shares(concentration, "held", "lower", "upper"),
            "Turned out highest (95%)": _shares(
                concentration, "held_by_costliest", "costliest_lower", "costliest_upper"
            ),
        }
    )


def _count_beaten(beaten: int, others: int) -> str:
    if beaten == others:
        return {1: "the one other", 2: "both others"}.get(others, f"all {others} others")
    return f"{beaten or 'none'} of {count_words(others, 'other')}"


def _shares(table: pd.DataFrame, *columns: str) -> list[str]:
    """A share that the rounding of small groups takes to zero says nothing."""
    rows = table[list(columns)].to_numpy(float)
    return [f"{100 * a:.0f}% ({100 * b:.0f} to {100 * c:.0f})" if a > 0 else TOO_FEW_HELD for a, b, c in rows]


def _signed(row: dict[object, object]) -> str:
    values = [format_signed(read_number(row[name]), decimals=3) for name in ("difference", "lower", "upper")]
    return f"{values[0]} ({values[1]} to {values[2]})"


def _per_100(value: float) -> str:
    return format_number(100 * float(value), decimals=1)
