"""What the board's page says of groups that were searched among many: pairs of attributes, and slices."""

import pandas as pd

from dashboard.presentation.measures import TOO_FEW, WITHHELD, Measure, Measured, count_words, read_number
from dashboard.presentation.subgroups import tell_miss
from pipeline.govern.words import name_level, shorten_conditions
from pipeline.numerals import NOTHING, format_count, format_number

# Of those that stand out; where none does, so many that come nearest.
_MOST, _NEAREST = 12, 3


def tell_pairs(pairs: pd.DataFrame, measure: Measure) -> str:
    """The takeaway on pairs of attributes."""
    judged = pairs[(pairs["judgement"] == "judged") & ~pairs["suppressed"]]
    flagged = int(judged["flag"].sum())
    if judged.empty:
        return "No pair of attributes forms a group large enough to judge"
    looked = f"{count_words(len(judged), 'group')} formed by two attributes can be judged"
    if measure.right is None:
        return looked
    return f"{looked}; {flagged or 'none'} stand{'' if flagged > 1 else 's'} out beyond chance"


def build_pair_table(pairs: pd.DataFrame, measure: Measure, happened: str | None) -> pd.DataFrame:
    """The pairs that stand out, else the few nearest to it: group, patients, estimate, chance, what it means."""
    judged = pairs[(pairs["judgement"] == "judged") & ~pairs["suppressed"]]
    flagged = judged[judged["flag"]]
    shown = judged.head(_NEAREST) if flagged.empty else flagged.head(_MOST)
    return _build(shown, _name_pairs(shown), measure, happened)


def tell_rest(pairs: pd.DataFrame) -> str:
    """What is shown of how many, and where the others are."""
    flagged = int((pairs["flag"] & ~pairs["suppressed"]).sum())
    if not flagged:
        return f"The {_NEAREST} that come nearest to standing out; the table has all {len(pairs):,}."
    if flagged > _MOST:
        return f"The {_MOST} least likely to be chance; the table has all {len(pairs):,}."
    return f"The table has all {len(pairs):,}."


def build_all_pairs_table(pairs: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    """The table alternative: every pair, those too small or withheld in words."""
    texts = [
        WITHHELD if row["suppressed"] else _measured(row).text(measure) if row["judgement"] == "judged" else TOO_FEW
        for row in pairs.to_dict("records")
    ]
    return pd.DataFrame(
        {
            "Attributes": pairs["attribute_label"],
            "Group": _name_pairs(pairs),
            "Patients": [format_count(read_number(n)) for n in pairs["n"]],
            f"{measure.name} (95% interval)": texts,
            "Chance (q)": [_chance(q) for q in pairs["q_value"]],
        }
    )


def tell_slices(slices: pd.DataFrame, search: pd.DataFrame) -> str:
    """The takeaway of the search."""
    if search.empty:
        return "Too few patients to search for groups that stand out"
    row = search.iloc[0]
    searched = f"{format_count(row['groups_searched'])} groups of up to three conditions were searched"
    if slices.empty:
        return f"{searched}: none that stood out was confirmed on other patients"
    verb = "was" if len(slices) == 1 else "were"
    return (
        f"{searched}: {len(slices)} of {format_count(row['tried'])} that stood out {verb} confirmed on other patients"
    )


def build_slice_table(slices: pd.DataFrame, measure: Measure, happened: str | None) -> pd.DataFrame:
    """The confirmed slices in words."""
    return _build(slices, slices["conditions"].map(shorten_conditions), measure, happened)


def _name_pairs(pairs: pd.DataFrame) -> pd.Series:
    halves = [zip(pairs[f"attribute_{i}"], pairs[f"label_{i}"], strict=True) for i in (1, 2)]
    names = [f"{name_level(*one)} · {name_level(*two)}" for one, two in zip(*halves, strict=True)]
    return pd.Series(names, index=pairs.index, dtype="string")


def _build(rows: pd.DataFrame, names: pd.Series, measure: Measure, happened: str | None) -> pd.DataFrame:
    records = rows.to_dict("records")
    flags = rows["flag"] if "flag" in rows else pd.Series(True, index=rows.index)
    meanings = [
        f"◆ {tell_miss(measure, measure.factor * float(row['estimate']), happened)}" if flag else ""
        for row, flag in zip(records, flags, strict=True)
    ]
    return pd.DataFrame(
        {
            "Group": names.to_list(),
            "Patients": [format_count(read_number(row["n"])) for row in records],
            "Estimate (95% interval)": [_measured(row).text(measure) for row in records],
            "Chance (q)": [_chance(row["q_value"]) for row in records],
            "What it means": meanings,
        }
    )


def _measured(row: dict[object, object]) -> Measured:
    return Measured(*(read_number(row[name]) for name in ("estimate", "lower", "upper", "n", "n_events")))


def _chance(q: object) -> str:
    value = read_number(q)
    return NOTHING if pd.isna(value) else "<0.01" if value < 0.005 else format_number(value, decimals=2)
