"""What the board's page of audits says: columns that may know the future, rows that may be mixed up, who is refused."""

import math

import pandas as pd

from dashboard.presentation.measures import (
    WITHHELD,
    count_words,
    join_words,
    lower_first,
    read_number,
    upper_first,
)
from pipeline.numerals import NOTHING, format_count, format_number
from pipeline.study.model import Kind, Target

_DECLARED = {"feature": "given", "excluded": "not given"}


def tell_leaks(found: pd.DataFrame, audited: pd.DataFrame) -> str:
    """The takeaway of the leak audit."""
    features = int((audited["declared"] == "feature").sum())
    others = len(audited) - features
    looked = f"{count_words(features, 'feature')} and {count_words(others, 'other column')} were tried"
    if found.empty:
        return f"No feature looks as if it knew the future: {looked}"
    names = join_words(found["column_name"].head(5))
    return f"{names} may know the future, or give the outcome away by being missing: {looked}"


def name_alone(target: Target) -> str:
    """What a column alone is measured by."""
    return "Alone (AUROC)" if target.kind is Kind.OUTCOME else "Explains alone, of 100"


def build_leak_table(audited: pd.DataFrame, target: Target) -> pd.DataFrame:
    """Every column in words: what it predicts alone, what being missing predicts, what it adds, and what was found."""
    scale, decimals = (1, 2) if target.kind is Kind.OUTCOME else (100, 0)
    gain = (1, 3) if target.kind is Kind.OUTCOME else (100, 1)
    return pd.DataFrame(
        {
            "Column": audited["label"],
            "To the models": audited["declared"].map(_DECLARED),
            name_alone(target): [_number(v, scale, decimals) for v in audited["alone"]],
            "Missing, of 100": [_number(v, 100, 0) for v in audited["missing_share"]],
            "By being missing": [_number(v, scale, decimals) for v in audited["missing_alone"]],
            "Adds": [_number(v, *gain) for v in audited["gain"]],
            "Found": [
                f"◆ {why}" if found else (why or "")
                for found, why in zip(audited["finding"], audited["why"].fillna(""), strict=True)
            ],
        }
    )


def select_leaks(audited: pd.DataFrame, *, most: int = 12) -> pd.DataFrame:
    """What is worth showing at once: findings, the columns left out for a reason, and the features that add most."""
    worth = audited["finding"] | audited["why"].fillna("").ne("")
    rest = audited[~worth & (audited["declared"] == "feature")].sort_values("gain", ascending=False)
    return pd.concat([audited[worth], rest]).head(most)


def tell_coherence(coherence: pd.DataFrame) -> str:
    """The takeaway of the coherence audit."""
    if coherence.empty:
        return "No association between columns could be followed through the rows"
    relations = coherence["relation"].nunique()
    broken = coherence[coherence["finding"]]
    if broken.empty:
        held = f"{count_words(relations, 'association')} {'holds' if relations == 1 else 'hold'}"
        return f"What belongs together stays together: {held} in every block of rows"
    names = [name_relation(str(relation)) for relation in dict.fromkeys(broken["relation"])]
    blocks = count_words(len(broken), "block")
    return f"Rows may have been mixed up: {join_words(names)} {'do' if len(names) > 1 else 'does'} not hold in {blocks}"


def name_relation(relation: str) -> str:
    """ "kidneys with the other features"; the sign that stands for "foretold by" is no word."""
    return lower_first(relation.replace(" ~ ", " with "))


def list_relations(coherence: pd.DataFrame) -> list[str]:
    """The relations, broken ones first, then those that are usually strongest: there a break shows best."""
    ranked = coherence.groupby("relation", sort=False).agg({"finding": "sum", "expected": "median"})
    return list(ranked.sort_values(["finding", "expected"], ascending=False, kind="stable").index)


def build_block_frame(coherence: pd.DataFrame, relation: str) -> pd.DataFrame:
    """The blocks of consecutive rows of a relation, as `blocks_plot` takes them."""
    own = coherence[(coherence["relation"] == relation) & (coherence["block_kind"] == "rows")]
    return own[["first_row", "last_row", "association", "expected", "finding", "why"]]


def build_coherence_table(coherence: pd.DataFrame) -> pd.DataFrame:
    """The table alternative: every relation and block."""
    return pd.DataFrame(
        {
            "Association": [upper_first(name_relation(str(relation))) for relation in coherence["relation"]],
            "Block": coherence["block"],
            "Here": [_number(v, 1, 2) for v in coherence["association"]],
            "Usual": [_number(v, 1, 2) for v in coherence["expected"]],
            "Best when rows are shifted by": [format_number(read_number(v), decimals=0) for v in coherence["best_lag"]],
            "Then": [_number(v, 1, 2) for v in coherence["association_at_best_lag"]],
            "Found": [
                f"◆ {why}" if found else ""
                for found, why in zip(coherence["finding"], coherence["why"].fillna(""), strict=True)
            ],
        }
    )


def tell_scope(rules: pd.DataFrame, n_subjects: int, n_refused: int | None, noun: str) -> str:
    """The takeaway on whom the models refuse to score."""
    if n_refused is None:
        return f"Few {noun}s are refused a score"
    if not n_refused:
        return f"All {n_subjects:,} {noun}s are within the scope of use"
    return f"About {n_refused:,} of {n_subjects:,} {noun}s are not scored, and their page says why"


def build_scope_table(rules: pd.DataFrame, noun: str) -> pd.DataFrame:
    """rule, limit and number of patients in words."""
    counts = [
        WITHHELD if hidden else format_count(read_number(n))
        for n, hidden in zip(rules["n"], rules["suppressed"], strict=True)
    ]
    rule = [upper_first(str(rule)) for rule in rules["rule"]]
    limit = ["" if name == "in all" else f"Scored if {text}" for name, text in rules[["rule", "limit"]].to_numpy()]
    return pd.DataFrame({"Not scored": rule, "Limit": limit, f"{noun.capitalize()}s": counts})


def _number(value: object, scale: float, decimals: int) -> str:
    number = read_number(value)
    return NOTHING if not math.isfinite(number) else format_number(scale * number, decimals=decimals)
