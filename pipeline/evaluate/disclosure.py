"""Disclosure control: who may not see single patients does not see small cells, nor what would give them away."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

SMALLEST_CELL = 11
_ROUND_TO = 10
_NO_THRESHOLD = -1.0
_RATE_KEYS = ["target_id", "attribute", "rate", "at"]
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
    A level's rates at a threshold, and its coverage, are hidden likewise where they tell of fewer than SMALLEST_CELL.
    """
    performance, totals = tables["subgroup_performance"], tables["group_total"]
    hidden = hidden_levels(performance, totals)
    by_level = _is_among(performance, ["attribute", "level"], hidden)
    shown = performance[~by_level]
    by_rate = performance.index.isin(shown.index[_mark_rates(shown)])
    ours = tables["performance"]
    counts, spread = tables["quarantine_count"], tables["risk_distribution"]
    return {
        **tables,
        "subgroup_performance": _empty(performance, by_level | by_rate, _NUMBERS["subgroup_performance"]),
        "group_total": _empty(totals, _is_among(totals, ["attribute", "level"], hidden), _NUMBERS["group_total"]),
        "quarantine_count": _empty(counts, (counts["n"] < SMALLEST_CELL).to_numpy(), _NUMBERS["quarantine_count"]),
        # A baseline that could score all but a few tells of these few beside what is said of all.
        "performance": ours[(ours["population"] != "all") | (ours["model_id"] == "xgboost")],
        "risk_distribution": spread.assign(**{c: round_to_tens(spread[c]) for c in ("n_event", "n_no_event")}),
        "attrition": _round_attrition(tables["attrition"]),
    }


def round_to_tens(counts: pd.Series) -> pd.Series:
    """Counts rounded to tens."""
    return (counts / _ROUND_TO).round().astype("int64") * _ROUND_TO


def leave_out_enough(
    members: npt.NDArray[np.bool_], observed: npt.NDArray[np.float64], *, seed: int
) -> npt.NDArray[np.bool_]:
    """`members` less a few more at random, so that those left out are nobody or at least SMALLEST_CELL of each class.

    Otherwise what is said of members and of all would tell of the few between.
    """
    chosen = members.copy()
    if members.all():
        return chosen
    order = np.random.default_rng(seed).permutation(len(members))
    for value in (0.0, 1.0):
        own = observed == value
        short = SMALLEST_CELL - int((own & ~chosen).sum())
        if short > 0:
            chosen[[i for i in order if own[i] and chosen[i]][:short]] = False
    return chosen


def hidden_levels(performance: pd.DataFrame, totals: pd.DataFrame) -> list[tuple[str, str]]:
    """The (attribute, level) pairs that must be hidden."""
    cells = _smallest_parts(performance, totals)
    return [
        (str(attribute), level)
        for attribute, levels in cells.groupby("attribute", sort=False)
        for level in _with_complement(levels)
    ]


def _with_complement(levels: pd.DataFrame) -> list[str]:
    """The levels (columns level, smallest) that are small, and as many more as keep these from being subtracted."""
    by_size = levels.sort_values("smallest", kind="stable")
    count = int((by_size["smallest"] < SMALLEST_CELL).sum())
    if count:
        together = by_size["smallest"].cumsum().to_numpy()
        while count < len(by_size) and (count < 2 or together[count - 1] < SMALLEST_CELL):
            count += 1
    return [str(level) for level in by_size["level"].head(count)]


def _mark_rates(performance: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """The rows whose rate tells of few: at a threshold of true or false positives or negatives, or of coverage."""
    of = pd.Series(np.nan, index=performance.index)
    n, events = performance["n"].astype(float), performance["n_events"].astype("Float64").astype(float)
    covers = performance["metric"].astype(str).str.startswith("interval_coverage")
    of = of.mask(performance["metric"] == "sensitivity", events).mask(
        performance["metric"] == "specificity", n - events
    )
    of = of.mask(covers, n)
    rate = performance["estimate"].astype(float)
    parts = pd.DataFrame({"in": of * rate, "out": of * (1 - rate)}).round()
    keyed = performance.assign(
        rate=performance["metric"].where(covers, "").astype(str),
        at=performance["threshold"].astype(float).fillna(_NO_THRESHOLD),
        smallest=parts.min(axis=1),
    )
    # What needs no threshold and is no coverage is no rate.
    keyed = keyed[covers | (keyed["at"] != _NO_THRESHOLD)]
    cells = keyed.groupby([*_RATE_KEYS, "level"], sort=False)["smallest"].min().dropna().reset_index()
    small = [
        (*(key if isinstance(key, tuple) else (key,)), level)
        for key, levels in cells.groupby(_RATE_KEYS, sort=False)
        for level in _with_complement(levels)
    ]
    marked = keyed.index[_is_among(keyed, [*_RATE_KEYS, "level"], small)]
    return np.asarray(performance.index.isin(marked))


def _is_among(table: pd.DataFrame, keys: list[str], chosen: Sequence[tuple[Hashable, ...]]) -> npt.NDArray[np.bool_]:
    if not chosen:
        return np.zeros(len(table), dtype=bool)
    return np.asarray(pd.MultiIndex.from_frame(table[keys]).isin(chosen))


def _round_attrition(attrition: pd.DataFrame) -> pd.DataFrame:
    """The steps as they are, or in tens where one of them left out a few."""
    left_out = attrition["n_before"] - attrition["n_after"]
    if not left_out.between(1, SMALLEST_CELL - 1).any():
        return attrition
    return attrition.assign(**{c: round_to_tens(attrition[c]) for c in ("n_before", "n_after")})


def _smallest_parts(performance: pd.DataFrame, totals: pd.DataFrame) -> pd.DataFrame:
    """attribute, level, smallest: the smallest count of patients, events, non-events or observed amounts there."""
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
