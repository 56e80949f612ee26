"""What the board's page says of the data: who is in it, what was mended, marked or left out, where it is from."""

import pandas as pd

from dashboard.presentation.measures import WITHHELD, count_words, join_words
from pipeline.numerals import format_count, format_number

_RESULTS = {
    "moved": "moved to the patient they belong to",
    "absent": "found in no row: shown as missing",
    "unchanged": "already in the right row",
}
_ACTIONS = {"set to missing": "were set to missing", "kept, marked": "were kept and marked"}
STATEMENTS = {
    "intended_use": "What it is for",
    "intended_users": "For whom",
    "cautioned": "What it must not be used for",
    "funding": "Funding",
}
NOT_STATED = "not stated"


def build_attrition_table(attrition: pd.DataFrame, noun: str) -> pd.DataFrame:
    """Step, patients before and after, reason."""
    return pd.DataFrame(
        {
            "Step": attrition["step"],
            f"{noun.capitalize()}s before": [format_count(n) for n in attrition["n_before"]],
            f"{noun.capitalize()}s after": [format_count(n) for n in attrition["n_after"]],
            "Why": attrition["why"],
        }
    )


def tell_attrition(attrition: pd.DataFrame, noun: str) -> str:
    """The takeaway: how many of the source's rows are in the cohort."""
    first, last = int(attrition["n_before"].iloc[0]), int(attrition["n_after"].iloc[-1])
    if first == last:
        return f"All {count_words(first, noun)} of the source are in the cohort"
    return f"{format_count(last)} of {count_words(first, noun)} of the source are in the cohort"


def tell_scored(cohort: int, scored: int | None) -> str | None:
    """How many of the cohort are scored, where the models refuse some."""
    if scored is None or scored >= cohort:
        return None
    return f"{format_count(scored)} of them are scored; whom the models refuse, and why, is on the page Audits."


def build_repair_table(repair: pd.DataFrame, noun: str) -> pd.DataFrame:
    """What became of the values, and of how many patients."""
    order = repair["result"].map({result: i for i, result in enumerate(_RESULTS)})
    ordered = repair.assign(order=order).sort_values(["repair_id", "order"])
    return pd.DataFrame(
        {
            "Repair": ordered["repair_id"],
            "Values": [_RESULTS.get(result, result) for result in ordered["result"]],
            f"{noun.capitalize()}s": [format_count(n) for n in ordered["n"]],
        }
    )


def tell_repairs(repair: pd.DataFrame, noun: str) -> str:
    """The takeaway: how many patients got their values back, and how many have none."""
    if repair.empty:
        return "Nothing was repaired: the values are as filed"
    counts = repair.groupby("result")["n"].sum()
    moved, absent = int(counts.get("moved", 0)), int(counts.get("absent", 0))
    sentence = f"Values of {count_words(moved, noun)} were moved to the right row"
    return sentence + (f"; those of {format_count(absent)} are in no row" if absent else "")


def tell_reasons(repair: pd.DataFrame) -> list[str]:
    """Why each repair was made."""
    return [str(why) for why in repair["why"].drop_duplicates()]


def build_quarantine_table(counts: pd.DataFrame, labels: dict[str, str]) -> pd.DataFrame:
    """Column, rule, what was done, how many values; small counts are withheld."""
    return pd.DataFrame(
        {
            "Measurement": [labels.get(column, column) for column in counts["column_name"]],
            "Rule it breaks": counts["rule"],
            "What was done": counts["action"],
            "Values": [
                WITHHELD if hidden else format_count(float(n))
                for n, hidden in zip(counts["n"], counts["suppressed"].astype(bool), strict=True)
            ],
        }
    )


def tell_quarantine(counts: pd.DataFrame) -> str:
    """The takeaway: how many values were set to missing or marked, as far as counts are shown."""
    if counts.empty:
        return "No value broke a rule"
    shown = counts[~counts["suppressed"].astype(bool)]
    by_action = shown.groupby("action")["n"].sum().sort_values(ascending=False)
    parts = [f"{count_words(int(n), 'value')} {_ACTIONS.get(str(action), action)}" for action, n in by_action.items()]
    withheld = len(counts) - len(shown)
    if not parts:
        return f"{count_words(withheld, 'rule')} broken, by fewer than 11 values each: withheld"
    return join_words(parts) + (f"; {count_words(withheld, 'count')} withheld" if withheld else "")


def build_missing_frame(features: pd.DataFrame) -> pd.DataFrame:
    """Features with missing values as `importance_bars` takes them, most missing first."""
    gaps = features[features["missing_share"] > 0].sort_values("missing_share", ascending=False, kind="stable")
    share = gaps["missing_share"].to_numpy()
    return pd.DataFrame(
        {
            "label": gaps["label"].to_numpy(),
            "value": 100 * share,
            "lower": float("nan"),
            "upper": float("nan"),
            "text": [_of_100(s) for s in share],
        }
    )


def tell_missing(features: pd.DataFrame) -> str:
    """The takeaway: the feature with the most gaps."""
    gaps = build_missing_frame(features)
    complete = len(features) - len(gaps)
    if gaps.empty:
        return f"All {len(features)} features are complete"
    first = gaps.iloc[0]
    return (
        f"{first['label']} is missing for {first['text']} of 100; {complete} of {len(features)} features are complete"
    )


def build_feature_table(features: pd.DataFrame) -> pd.DataFrame:
    """The features that the models are given."""
    return pd.DataFrame(
        {
            "Feature": features["label"],
            "Concept": features["concept"],
            "Unit": features["unit"].fillna(""),
            "Missing, of 100": [_of_100(share) for share in features["missing_share"]],
            "Care can change it": ["yes" if modifiable else "no" for modifiable in features["modifiable"]],
            "What to know": features["note"].fillna(""),
        }
    )


def build_excluded_table(excluded: pd.DataFrame) -> pd.DataFrame:
    """The columns of the source that are no features, with the reasons."""
    return pd.DataFrame({"Column": excluded["column_name"], "Why it is not given to the models": excluded["why"]})


def tell_excluded(excluded: pd.DataFrame, n_features: int) -> str:
    """The takeaway."""
    return (
        f"{count_words(n_features, 'feature')} are given to the models; {count_words(len(excluded), 'column')} are not"
    )


def build_provenance_table(release: pd.Series, folds: int) -> pd.DataFrame:
    """What is needed to build the release anew."""
    rows = [
        ("Release", f"{release['release_id']}, built {release['created_at']:%Y-%m-%d %H:%M} UTC"),
        ("Study", release["study_id"]),
        ("Years of the data", release["era"]),
        ("Source file, SHA-256", release["data_sha256"]),
        ("Study file, SHA-256", release["study_sha256"]),
        ("Code", release["code_version"]),
        ("Seed of every random choice", str(release["seed"])),
        ("Folds", f"{folds}: each patient is scored by a model that did not see them"),
        ("Rebuilds of each fold's model", _tell_rebuilds(int(release["refits"]))),
    ]
    return pd.DataFrame(rows, columns=["What", "Value"])


def _tell_rebuilds(refits: int) -> str:
    if not refits:
        return "none, so how much a risk depends on the sample is not known"
    return f"{refits}, to measure how much a risk depends on the sample"


def tell_provenance(release: pd.Series) -> str:
    """The takeaway: whether the code of the release can be found again."""
    if str(release["code_version"]).endswith("+changed"):
        return "Built from code that differs from its commit"
    return "What this release was built from"


def build_statement_table(statements: pd.DataFrame) -> pd.DataFrame:
    """What only people can say, each field filled or said to be not stated."""
    said = dict(zip(statements["field"], statements["value"], strict=True))
    rows = [(label, said.get(field) or NOT_STATED) for field, label in STATEMENTS.items()]
    return pd.DataFrame(rows, columns=["Field", "Statement"])


def _of_100(share: float) -> str:
    per_100 = 100 * share
    if per_100 == 0:
        return "0"
    return "less than 1" if per_100 < 1 else format_number(per_100, decimals=0)
