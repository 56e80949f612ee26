"""What the board's first page says: how many findings there are, of which weight, and where each comes from."""

import pandas as pd

from dashboard.presentation.measures import count_words, join_words

WEIGHTS = ("serious", "discuss", "explore")
LABELS = {"serious": "Serious", "discuss": "Discuss", "explore": "Explore"}
MEANINGS = {
    "serious": "to be answered before use",
    "discuss": "to be discussed",
    "explore": "found among many that were searched",
}
# "3 groups have wrong risks or amounts": what the findings of a source are called in the summary.
_SOURCES = {
    "leak": ("feature may know the future", "features may know the future"),
    "coherence": ("association collapses in some rows", "associations collapse in some rows"),
    "comparison": ("other model is not beaten", "other models are not beaten"),
    "combination": (
        "combination with what is used today does better than the model alone",
        "combinations with what is used today do better than the model alone",
    ),
    "glass_box": ("simpler model comes close", "simpler models come close"),
    "explanation": ("test of explanations is missed", "tests of explanations are missed"),
    "subgroup": ("group has wrong risks or amounts", "groups have wrong risks or amounts"),
    "validation": (
        "test at a place or time that the model had never seen fails",
        "tests at places or times that the model had never seen fail",
    ),
    "total": ("target has totals that miss too often", "targets have totals that miss too often"),
}


def tell_findings(findings: pd.DataFrame) -> str:
    """The takeaway: how many findings there are and what they are about; those of searches are left out."""
    named = findings[findings["weight"] != "explore"]
    if named.empty:
        return "Nothing was found that the board has to answer or discuss"
    counts = named["source"].value_counts()
    parts = [f"{counts[s]} {one if counts[s] == 1 else many}" for s, (one, many) in _SOURCES.items() if s in counts]
    verb = "asks" if len(named) == 1 else "ask"
    return f"{count_words(len(named), 'finding')} {verb} for the board: {join_words(parts)}"


def tell_basis(n_subjects: int, noun: str) -> str:
    """What was looked at, and what a finding is not."""
    return (
        f"Looked for on {n_subjects:,} {noun}s, automatically at the build. A finding is a question: nothing is "
        "accepted or refused by it, and no finding does not mean that all is well."
    )


def count_by_weight(findings: pd.DataFrame) -> dict[str, int]:
    """How many findings have each weight."""
    return {weight: int((findings["weight"] == weight).sum()) for weight in WEIGHTS}


def select_weight(findings: pd.DataFrame, weight: str | None) -> pd.DataFrame:
    """The findings of one weight; without one those that ask for the board, not what came up in a search."""
    if weight is None:
        return findings[findings["weight"] != "explore"]
    return findings[findings["weight"] == weight]


def tell_hidden(counts: dict[str, int], weight: str | None, shown: int, listed: int) -> str | None:
    """What is not on the page, and where it is."""
    if listed > shown:
        return f"The {shown} with the most to them of {listed}; Subgroups has all of them in its tables."
    if weight is None and counts["explore"]:
        return (
            f"{counts['explore']:,} more came up among many groups that were searched, and some of them by chance: "
            f"choose {LABELS['explore']} above to see them."
        )
    return None
