"""Disclosure control: who may not see single patients does not see small cells, nor what would give them away."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

SMALLEST_CELL = 11
_ROUND_TO = 10
_NUMBERS = {
    "subgroup_performance": ["estimate", "lower", "upper", "n", "n_events"],
    "group_total": ["n", "n_observed", "projected_total", "lower", "upper", "observed_total"],
    "quarantine_count": ["n"],
}


def suppress(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables as a role may have them that sees no single patient: small cells are null and `suppressed`.

    A level is small if it has fewer than SMALLEST_CELL patients, events or non-events under any target. Levels of an
    attribute add up to a total that is known, so if those hidden are one alone, or hold fewer than SMALLEST_CELL
    together, the next smallest is hidden too; and a level that is hidden in one table is hidden in all of them.
    """
    hidden = hidden_levels(tables["subgroup_performance"], tables["group_total"])
    result = dict(tables)
    for name in ("subgroup_performance", "group_total"):
        table = tables[name]
        marks = pd.MultiIndex.from_frame(table[["attribute", "level"]]).isin(hidden)
        result[name] = _empty(table, marks, _NUMBERS[name])
    counts = tables["quarantine_count"]
    result["quarantine_count"] = _empty(counts, (counts["n"] < SMALLEST_CELL).to_numpy(), _NUMBERS["quarantine_count"])
    spread = tables["risk_distribution"]
    rounded = {c: (spread[c] / _ROUND_TO).round().astype("int64") * _ROUND_TO for c in ("n_event", "n_no_event")}
    result["risk_distribution"] = spread.assign(**rounded)
    return result


def hidden_levels(performance: pd.DataFrame, totals: pd.DataFrame) -> list[tuple[str, str]]:
    """The (attribute, level) pairs that must be hidden."""
    cells = _smallest_parts(performance, totals)
    hidden: list[tuple[str, str]] = []
    for attribute, levels in cells.groupby("attribute", sort=False):
        by_size = levels.sort_values("smallest")
        count = int((by_size["smallest"] < SMALLEST_CELL).sum())
        if count:
            together = by_size["smallest"].cumsum().to_numpy()
            while count < len(by_size) and (count < 2 or together[count - 1] < SMALLEST_CELL):
                count += 1
        hidden += [(str(attribute), str(level)) for level in by_size["level"].head(count)]
    return hidden


def _smallest_parts(performance: pd.DataFrame, totals: pd.DataFrame) -> pd.DataFrame:
    """attribute, level, smallest: the smallest count of patients, events, non-events or unobserved amounts there."""
    outcome = performance.assign(rest=performance["n"] - performance["n_events"])
    amount = totals[totals["attribute"] != "all"]
    parts = pd.concat(
        [
            *(outcome[["attribute", "level", c]].rename(columns={c: "smallest"}) for c in ("n", "n_events", "rest")),
            amount[["attribute", "level", "n_observed"]].rename(columns={"n_observed": "smallest"}),
        ]
    ).dropna()
    return parts.groupby(["attribute", "level"], sort=False)["smallest"].min().reset_index()


def _empty(table: pd.DataFrame, marks: npt.NDArray[np.bool_], columns: list[str]) -> pd.DataFrame:
    emptied = {c: table[c].astype("Float64").mask(marks) for c in columns}
    flags = {"flag": table["flag"] & ~marks} if "flag" in table else {}
    return table.assign(**emptied, **flags, suppressed=marks)
