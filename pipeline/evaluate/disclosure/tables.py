"""What each table of a role that sees no single patient may say, and the tables as such a role has them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.evaluate.disclosure.bounds import SMALLEST_CELL
from pipeline.evaluate.disclosure.cells import Cell, as_mask, mark_cells
from pipeline.evaluate.disclosure.rates import mark_rates
from pipeline.evaluate.disclosure.rounding import (
    TEN,
    coarsen_amount,
    coarsen_share,
    round_counts,
    round_decimals,
    round_up_chance,
)

Mask = npt.NDArray[np.bool_]
EVERYBODY = "everybody"

_OVERALL, _GROUP = 3, 2
_METRIC_COLUMNS = ["estimate", "lower", "upper"]
# These times the patients are the events, so they are as coarse as the count of events.
_COUNT_EVENTS = ("event_rate", "mean_risk")
_OF_PATIENTS = ("flag_rate", "net_benefit", "interval_coverage_80", "interval_coverage_90")
_OF_EVENTS, _OF_OTHERS, _OF_FLAGGED = ("sensitivity",), ("specificity",), ("ppv", "npv")
_AMOUNTS = ("mae", "observed_mean", "predicted_mean")


@dataclass(frozen=True)
class Protection:
    """How a table's numbers are protected; columns that a table does not have are passed over.

    counts: told in tens.
    small: counts that, under SMALLEST_CELL, empty their row (all columns named here) and mark it `suppressed`.
    shares, amounts: columns, and the column of `counts` that they are of (or EVERYBODY): see `rounding`. The first of
    a group is the estimate, the others its interval.
    counted: likewise, shares that give a count when multiplied, and are as coarse as that.
    decimals: other numbers, and the decimals they keep.
    chances: p and q values.
    measures: whether estimate, lower and upper are a measure that `metric` names, and the decimals of one that is
    no share and no amount.
    by_level: whether attribute and level say whose numbers they are, so that hidden cells are hidden here too.
    """

    counts: tuple[str, ...] = ()
    small: tuple[str, ...] = ()
    shares: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    amounts: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    counted: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    decimals: Mapping[str, int] = field(default_factory=dict)
    chances: tuple[str, ...] = ()
    measures: int | None = None
    by_level: bool = False

    def columns(self, table: pd.DataFrame) -> list[str]:
        """The columns of numbers that are protected."""
        groups = [*self.shares, *self.amounts, *self.counted, _METRIC_COLUMNS if self.measures is not None else ()]
        named = [*self.counts, *self.small, *self.decimals, *self.chances, *(c for group in groups for c in group)]
        return [c for c in dict.fromkeys(named) if c in table]


_INTERVAL = ("estimate", "lower", "upper")
_CONTRIBUTIONS = dict.fromkeys(
    [f"{mean}{end}" for mean in ("mean", "mean_absolute") for end in ("", "_lower", "_upper")], 4
)
# A table that everyone has and that holds a count, or a number that follows from counts, belongs here.
PROTECTIONS: Mapping[str, Protection] = {
    "release": Protection(counts=("n_subjects",)),
    "target": Protection(counts=("n", "n_events"), amounts={("mean",): "n"}),
    "attrition": Protection(counts=("n_before", "n_after")),
    "repair": Protection(counts=("n",)),
    "quarantine_count": Protection(counts=("n",), small=("n",)),
    "scope_rule": Protection(counts=("n",), small=("n",)),
    "feature": Protection(counted={("missing_share",): EVERYBODY}),
    "model": Protection(counts=("n_train",)),
    "conformal_score": Protection(decimals=dict.fromkeys(("lower", "upper"), _OVERALL)),
    "group_effect": Protection(decimals={"sd": _OVERALL}),
    "importance": Protection(decimals=_CONTRIBUTIONS),
    "concept_importance": Protection(decimals=_CONTRIBUTIONS),
    "performance": Protection(counts=("n", "n_events"), measures=_OVERALL),
    "subgroup_performance": Protection(
        counts=("n", "n_events"),
        measures=_GROUP,
        decimals={"ratio": _GROUP, "ratio_lower": _GROUP, "ratio_upper": _GROUP, "detectable": 1},
        chances=("p_value", "q_value"),
        by_level=True,
    ),
    "group_total": Protection(
        counts=("n", "n_observed"),
        amounts={("projected_total", "lower", "upper"): "n", ("observed_total",): "n_observed"},
        by_level=True,
    ),
    "validation": Protection(counts=("n", "n_events"), measures=_GROUP, by_level=True),
    "comparison": Protection(
        counts=("n", "n_events"), decimals=dict.fromkeys(("difference", "lower", "upper"), _OVERALL)
    ),
    "repeat_spread": Protection(decimals=dict.fromkeys(("mean", "sd", "low", "high"), _OVERALL)),
    "calibration_curve": Protection(
        counts=("n", "n_events"), shares={("observed", "lower", "upper"): "n"}, decimals={"predicted": 3}
    ),
    "calibration_smooth": Protection(
        counts=("n", "n_events"), shares={("observed", "lower", "upper"): "n"}, decimals={"predicted": 3}
    ),
    "net_benefit_curve": Protection(
        counts=("n", "n_events"), shares={("net_benefit", "lower", "upper"): "n", ("treat_all",): "n"}
    ),
    "amount_curve": Protection(
        counts=("n",),
        amounts={("observed", "lower", "upper"): "n", ("predicted",): "n", ("mae",): "n"},
        decimals={"predictive_ratio": _GROUP},
    ),
    "concentration": Protection(
        counts=("n", "n_chosen"),
        shares={
            ("held", "lower", "upper"): "n_chosen",
            ("held_by_costliest", "costliest_lower", "costliest_upper"): "n_chosen",
        },
    ),
    "slice": Protection(
        counts=("n", "n_events"),
        small=("n", "n_events"),
        measures=_GROUP,
        decimals={"found_estimate": _GROUP},
        chances=("p_value", "q_value"),
    ),
    "stability_distribution": Protection(counts=("n",)),
    "explanation_quality": Protection(counts=("n",), shares={_INTERVAL: "n"}),
    "deletion_curve": Protection(decimals=dict.fromkeys(("moved", "lower", "upper"), _OVERALL)),
    "leak_audit": Protection(
        counts=("n",),
        counted={("missing_share",): "n"},
        decimals=dict.fromkeys(("alone", "missing_alone", "gain"), _OVERALL),
    ),
    "coherence_audit": Protection(
        counts=("n",),
        decimals=dict.fromkeys(
            ("association", "expected", "expected_lower", "expected_upper", "association_at_best_lag"), _GROUP
        ),
    ),
    "risk_distribution": Protection(counts=("n_event", "n_no_event")),
}
# The same of the rows about an outcome, where they hold something else than those about an amount.
OF_OUTCOMES: Mapping[str, Protection] = {
    "target": Protection(counts=("n", "n_events"), counted={("mean",): "n"}),
    "group_total": Protection(
        counts=("n", "n_observed", "projected_total", "lower", "upper", "observed_total"), by_level=True
    ),
}


def suppress(tables: Mapping[str, pd.DataFrame], *, salt: bytes) -> dict[str, pd.DataFrame]:
    """The tables as a role may have them that sees no single patient.

    Small cells of groups, and what would give them away, are null and `suppressed` (see `cells` and `rates`), in every
    table alike; counts are in tens, rounded by the store's secret `salt`, and other numbers as coarse (see `rounding`).
    Tables without an entry in PROTECTIONS are as they were.
    """
    performance = tables["subgroup_performance"]
    cells = mark_cells(performance, tables["group_total"])
    hidden = {name: _mark_small(tables[name], p, cells) for name, p in PROTECTIONS.items() if name in tables}
    hidden["subgroup_performance"] |= mark_rates(performance, cells)
    if "validation" in tables:
        hidden["validation"] |= mark_rates(_by_what_trained(tables["validation"]), frozenset())
    outcomes = set(tables["target"].loc[tables["target"]["kind"] == "outcome", "target_id"])
    everybody = int(tables["release"]["n_subjects"].iloc[0])
    protected = {}
    for name, marks in hidden.items():
        table, rest = tables[name], ~_of(tables[name], outcomes if name in OF_OUTCOMES else set())
        parts = [_protect(table[rest], PROTECTIONS[name], marks[rest], everybody=everybody, salt=salt)]
        if not rest.all():
            parts.append(_protect(table[~rest], OF_OUTCOMES[name], marks[~rest], everybody=everybody, salt=salt))
        protected[name] = pd.concat(parts).loc[table.index] if len(parts) > 1 else parts[0]
    if "net_benefit_curve" in protected:
        protected["net_benefit_curve"] = _flag_all_of_those_told(protected["net_benefit_curve"])
    few = mark_rates(_as_one_level(tables["performance"]), frozenset())
    measured = protected["performance"].assign(**{c: protected["performance"][c].mask(few) for c in _METRIC_COLUMNS})
    return {**tables, **protected, "performance": measured[_tell_of_enough(tables["performance"])]}


def _of(table: pd.DataFrame, targets: set[str]) -> Mask:
    return np.asarray(table["target_id"].isin(targets)) if targets else np.zeros(len(table), dtype=bool)


def _as_one_level(performance: pd.DataFrame) -> pd.DataFrame:
    """Each model and population as an attribute of one level."""
    return performance.assign(attribute=performance["model_id"] + " " + performance["population"], level=EVERYBODY)


def _flag_all_of_those_told(curve: pd.DataFrame) -> pd.DataFrame:
    """`treat_all` from the counts that are told: from the exact ones, its many thresholds would tell their ratio."""
    others = curve["n"] - curve["n_events"]
    odds = curve["threshold"] / (1 - curve["threshold"])
    return curve.assign(treat_all=((curve["n_events"] - odds * others) / curve["n"]).astype("Float64"))


def _by_what_trained(validation: pd.DataFrame) -> pd.DataFrame:
    """The levels that models of one kind never saw as those of an attribute."""
    attribute = validation["attribute"] + " without " + validation["trained_on"]
    return validation.assign(attribute=attribute, threshold=np.nan)


def _mark_small(table: pd.DataFrame, protection: Protection, cells: frozenset[Cell]) -> Mask:
    marks = np.zeros(len(table), dtype=bool)
    if protection.by_level and "attribute" in table:
        marks |= as_mask(table, cells)
    for column in (c for c in protection.small if c in table):
        marks |= (table[column].astype("Float64") < SMALLEST_CELL).fillna(value=False).to_numpy(bool)
    return marks


def _protect(table: pd.DataFrame, protection: Protection, marks: Mask, *, everybody: int, salt: bytes) -> pd.DataFrame:
    """`table` with its numbers protected, and null where `marks` says so."""
    out = {c: round_counts(table[c], salt=salt) for c in protection.counts if c in table}
    counts = {**out, EVERYBODY: round_counts(pd.Series(everybody, index=table.index), salt=salt)}
    for groups, coarsen in (
        (protection.shares, coarsen_share),
        (protection.amounts, coarsen_amount),
        (protection.counted, partial(coarsen_share, patients=TEN)),
    ):
        for names, of in groups.items():
            present = [c for c in names if c in table]
            if present and of in counts:
                coarse = coarsen(table[present], counts[of])
                out |= {c: coarse[c] for c in present}
    out |= {c: round_decimals(table[[c]], d)[c] for c, d in protection.decimals.items() if c in table}
    out |= {c: round_up_chance(table[[c]])[c] for c in protection.chances if c in table}
    if protection.measures is not None and "metric" in table:
        measures = _protect_measures(table, counts, protection.measures)
        out |= {c: measures[c] for c in _METRIC_COLUMNS}
    emptied = {c: out.get(c, table[c]).mask(marks) for c in protection.columns(table)}
    flags = {"flag": table["flag"] & ~marks} if "flag" in table else {}
    said = {"suppressed": marks} if "suppressed" in table else {}
    return table.assign(**emptied, **flags, **said)


def _protect_measures(table: pd.DataFrame, counts: Mapping[str, pd.Series], decimals: int) -> pd.DataFrame:
    """estimate, lower, upper by what `metric` says they are: shares of whom, amounts, or other numbers."""
    measures = table[_METRIC_COLUMNS]
    metric, n = table["metric"], counts["n"]
    events = counts.get("n_events", n)
    others = n - events
    coarse = round_decimals(measures, decimals)
    coarse = coarse.mask(metric.isin(_COUNT_EVENTS), coarsen_share(measures, n, patients=TEN))
    for metrics, of in (
        (_OF_PATIENTS, n),
        (_OF_EVENTS, events),
        (_OF_OTHERS, others),
        (_OF_FLAGGED, events.where(events < others, others)),
    ):
        coarse = coarse.mask(metric.isin(metrics), coarsen_share(measures, of))
    return coarse.mask(metric.isin(_AMOUNTS), coarsen_amount(measures, n))


def _tell_of_enough(performance: pd.DataFrame) -> Mask:
    """The rows of `performance` that do not tell, beside others, of a few patients.

    A model that could score all but a few tells of these few beside what is said of all; and those refused may be few.
    """
    everybody = performance["population"] == "all"
    ours = performance[everybody & (performance["model_id"] == "xgboost")].drop_duplicates("target_id")
    same = everybody.copy()
    for count in ("n", "n_events"):
        own = performance["target_id"].map(ours.set_index("target_id")[count])
        same &= (performance[count] == own).fillna(value=True).to_numpy(bool)
    n, events = (performance[c].astype("Float64") for c in ("n", "n_events"))
    enough = (n >= SMALLEST_CELL) & ((events >= SMALLEST_CELL) & (n - events >= SMALLEST_CELL)).fillna(value=True)
    return np.asarray(same | (~everybody & enough.to_numpy(bool)))
