"""What the pages say of the drivers: how much each concept or feature moves the estimates."""

import math

import pandas as pd

from dashboard.presentation.measures import count_words, join_words, lower_first, upper_first
from pipeline.numerals import format_number
from pipeline.study.model import Attribute, Kind, Study, Target, columns_in

# As many as there are rows in a card beside the concepts.
_SHOWN_BY_FEATURE = 12
ASSOCIATION = "Association, not effect: changing a driver may change nothing."


def build_importance_frame(table: pd.DataFrame, target: Target, *, label: str) -> pd.DataFrame:
    """label, value, lower, upper, text as `importance_bars` takes it, largest first; `label` is the column of names.

    Amounts: the typical change of a projection, exp(mean absolute contribution) − 1, as a share. Risks: the mean
    absolute contribution to the log-odds.
    """
    own = table[table["population"] == "all"].sort_values("mean_absolute", ascending=False, kind="stable")
    columns = {"value": "mean_absolute", "lower": "mean_absolute_lower", "upper": "mean_absolute_upper"}
    change = math.expm1 if target.kind is not Kind.OUTCOME else float
    frame = pd.DataFrame({name: [change(v) for v in own[column]] for name, column in columns.items()})
    write = write_log_odds if target.kind is Kind.OUTCOME else write_percent
    return frame.assign(label=own[label].to_numpy(), text=[write(value) for value in frame["value"]])


def shorten(frame: pd.DataFrame, *, most: int = _SHOWN_BY_FEATURE) -> pd.DataFrame:
    """The largest drivers only; the table has them all."""
    return frame.head(most)


def tell_shown(frame: pd.DataFrame, shown: pd.DataFrame) -> str:
    """What the chart leaves out, if anything."""
    return f"The first {len(shown)} of {len(frame)}; the table has all. " if len(shown) < len(frame) else ""


def tell_largest(frame: pd.DataFrame, target: Target) -> str:
    """The takeaway: "Main illness moves the projection most, typically by 42%"."""
    if frame.empty:
        return "Nothing moves the estimates"
    first = frame.iloc[0]
    if target.kind is Kind.OUTCOME:
        return f"{first['label']} moves the risk most: typically the odds by a factor of {_factor(first['value'])}"
    return f"{first['label']} moves the projection most, typically by {first['text']}"


def tell_largest_feature(frame: pd.DataFrame, target: Target) -> str:
    """The takeaway: "Of 24 features, main illness at entry moves the risk most"."""
    if frame.empty:
        return "Nothing moves the estimates"
    what = "risk" if target.kind is Kind.OUTCOME else "projection"
    return f"Of {count_words(len(frame), 'feature')}, {lower_first(str(frame['label'].iloc[0]))} moves the {what} most"


def shorten_labels(frame: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """The frame with the names that sentences use, which fit beside bars."""
    terms = dict(zip(features["label"], features["term"], strict=True))
    return frame.assign(label=[upper_first(str(terms.get(label, label))) for label in frame["label"]])


def attributes_not_given(study: Study) -> list[Attribute]:
    """The attributes that no feature holds: groups are formed by them, and the models do not see them."""
    columns = [f.column for f in study.features]
    return [a for a in study.subgroups if not columns_in(a.sql, columns)]


def tell_not_given(study: Study) -> str:
    """The takeaway: which attributes are left out."""
    labels = [lower_first(a.label) for a in attributes_not_given(study)]
    if not labels:
        return "Every attribute that groups are formed by is given to the models"
    return f"{upper_first(join_words(labels))} {'is' if len(labels) == 1 else 'are'} not given to the models"


def build_not_given_table(study: Study, excluded: pd.DataFrame) -> pd.DataFrame:
    """Attribute, why it is no feature (where the study says it of one of its columns), what to know."""
    reasons = dict(zip(excluded["column_name"], excluded["why"], strict=True))
    rows = []
    for attribute in attributes_not_given(study):
        columns = {attribute.column} if attribute.column else columns_in(attribute.sql, reasons)
        why = " ".join(reasons[column] for column in sorted(columns) if column in reasons)
        rows.append((attribute.label, why, attribute.note or ""))
    return pd.DataFrame(rows, columns=["Attribute", "Why it is left out", "What to know"])


def name_unit(target: Target) -> str:
    """The title of the axis."""
    if target.kind is Kind.OUTCOME:
        return "Mean absolute contribution to the log-odds"
    return f"Typical change of a patient's projection, {lower_first(target.label)}"


def explain_unit(target: Target) -> str:
    """How to read the bars, in plain words."""
    if target.kind is Kind.OUTCOME:
        return (
            "The model adds up contributions on the scale of the log-odds, on which risks have no ends. A bar is the "
            "mean size of a contribution over all patients, whether it raises or lowers the risk. 0.69 doubles or "
            "halves the odds: from 50 of 100 that is to 67 or to 33 of 100."
        )
    return (
        "A bar is the typical size of the change that a driver makes to a patient's projection, up or down: 40% means "
        "1.4 times as much, or 1.4 times less."
    )


def explain_interval() -> str:
    """What the whiskers are, and are not."""
    return (
        "The whiskers are 95% intervals of the mean over patients. They do not say how the order would change if the "
        "model were rebuilt."
    )


def build_importance_table(frame: pd.DataFrame, target: Target, *, name: str) -> pd.DataFrame:
    """The table alternative."""
    if target.kind is Kind.OUTCOME:
        interval = [_pair(low, high) for low, high in zip(frame["lower"], frame["upper"], strict=True)]
        factor = {"Factor of the odds": [_factor(v) for v in frame["value"]]}
        unit, texts = "Log-odds", [format_number(v, decimals=3) for v in frame["value"]]
    else:
        interval = [_percents(low, high) for low, high in zip(frame["lower"], frame["upper"], strict=True)]
        factor, unit, texts = {}, "Typical change", list(frame["text"])
    return pd.DataFrame({name: frame["label"], unit: texts, "95% interval": interval, **factor})


def write_percent(share: float) -> str:
    """ "42%", "4.1%"."""
    return f"{format_number(100 * share, decimals=0 if abs(share) >= 0.0995 else 1)}%"


def write_log_odds(value: float) -> str:
    """ "0.63"."""
    return format_number(value, decimals=2)


def _factor(log_odds: float) -> str:
    return format_number(math.exp(log_odds), decimals=2)


def _pair(lower: float, upper: float) -> str:
    return f"{format_number(lower, decimals=3)} to {format_number(upper, decimals=3)}"


def _percents(lower: float, upper: float) -> str:
    return f"{format_number(100 * lower, decimals=1)} to {format_number(100 * upper, decimals=1)}%"
