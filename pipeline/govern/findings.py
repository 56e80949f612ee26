"""Findings: what in a release the board should look at, each a sentence with the numbers it rests on.

They are gathered from the tables of one role, so a finding never tells more than that role's file does. A finding is
a question put to people: nothing is accepted or refused by it.
"""

from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, fields
from enum import StrEnum

import pandas as pd

from pipeline.govern.words import (
    Row,
    Tables,
    name_group,
    name_model,
    name_target,
    shorten_conditions,
    tell_combined,
    tell_counts,
    tell_difference,
    tell_interval,
    tell_metric,
    tell_training,
)
from pipeline.numerals import format_count

# Closer than this in AUROC (or share of variance explained), a model that can be read off is the better choice.
GLASS_BOX_MARGIN = 0.01
# A combination that gains more than this says that people know what the model does not.
COMBINATION_MARGIN = 0.01
# How far observed/expected and the slope may be off where a model meets a site that it has never seen.
RATIO_BOUNDS, SLOPE_BOUND = (0.8, 1.25), 0.2
# Of intervals at 90%: below this share of an attribute's levels the totals of such groups are not to be relied on.
FEWEST_LEVELS_COVERED = 0.8
_OURS, _GLASS_BOX = "xgboost", "glass_box"
_LEADING = {"auroc": "AUROC", "r2_log": "share of variance explained (logarithm)"}


class Weight(StrEnum):
    """How much a finding asks for: an answer before use, a discussion, or a second look at what may be chance."""

    SERIOUS = "serious"
    DISCUSS = "discuss"
    EXPLORE = "explore"


@dataclass(frozen=True)
class Finding:
    """`page` is the page of the board that shows it; `about` what it is about, stable from release to release."""

    source: str
    target_id: str | None
    about: str
    weight: Weight
    title: str
    evidence: str
    page: str


def build_findings(tables: Tables) -> pd.DataFrame:
    """position, finding_id, and the fields of `Finding`, the weightiest first; from the tables that a role may have."""
    sources: tuple[Callable[[Tables], Iterator[Finding]], ...] = (
        _of_leaks,
        _of_coherence,
        _of_comparisons,
        _of_explanations,
        _of_subgroups,
        _of_validation,
        _of_totals,
        _of_slices,
    )
    found = [finding for source in sources for finding in source(tables)]
    found.sort(key=lambda finding: list(Weight).index(finding.weight))
    rows = [(i, "/".join((f.source, f.target_id or "all", f.about)), *astuple(f)) for i, f in enumerate(found)]
    return pd.DataFrame(rows, columns=["position", "finding_id", *(field.name for field in fields(Finding))])


def _of_leaks(tables: Tables) -> Iterator[Finding]:
    table = tables["leak_audit"]
    for column, rows in table[table["finding"].astype(bool)].groupby("column_name", sort=False):
        first = rows.iloc[0]
        targets = ", ".join(name_target(tables, t) for t in rows["target_id"])
        yield Finding(
            "leak",
            None,
            str(column),
            Weight.SERIOUS,
            f"The feature {column} may know the future",
            f"{first['why']} Seen for: {targets}.",
            "audits",
        )


def _of_coherence(tables: Tables) -> Iterator[Finding]:
    table = tables["coherence_audit"]
    found = table[table["finding"].astype(bool)]
    for relation, rows in found.groupby("relation", sort=False):
        blocks = f"{len(rows)} block{'s' if len(rows) > 1 else ''} of rows"
        yield Finding(
            "coherence",
            None,
            str(relation),
            Weight.SERIOUS,
            f"Rows may have been mixed up: {relation} does not hold in {blocks}",
            " ".join(rows["why"].head(2)),
            "audits",
        )


def _of_comparisons(tables: Tables) -> Iterator[Finding]:
    table = tables["comparison"]
    names = tables["compared_model"].drop_duplicates("model_id").set_index("model_id")
    # What could not be judged has no difference to tell of.
    leading = table[table["metric"].isin(_LEADING) & table["difference"].notna()]
    for row in leading[leading["model_id"] == _OURS].to_dict("records"):
        other, gap = str(row["other_id"]), float(row["difference"])
        if other not in names.index:
            continue
        kind, name = (str(names.loc[other, column]) for column in ("kind", "label"))
        target = name_target(tables, row["target_id"])
        numbers = f"{tell_difference(row)}, {tell_counts(row)}."
        measure = _LEADING[str(row["metric"])]
        if other == _GLASS_BOX and gap <= GLASS_BOX_MARGIN:
            reached = "It does better" if row["verdict"] == "worse" else f"It comes within {GLASS_BOX_MARGIN:g}"
            yield Finding(
                "glass_box",
                row["target_id"],
                other,
                Weight.DISCUSS,
                f"{target}: why not the glass-box model? {reached}",
                f"{measure}, this model less the glass-box model: {numbers}",
                "performance",
            )
        elif kind in ("baseline", "rival") and row["verdict"] == "worse":
            yield Finding(
                "comparison",
                row["target_id"],
                other,
                Weight.SERIOUS,
                f"{target}: {name_model(name)} does better than this model",
                f"{measure}, this model less {name_model(name)}: {numbers}",
                "performance",
            )
        elif kind == "baseline" and row["verdict"] != "better":
            yield Finding(
                "comparison",
                row["target_id"],
                other,
                Weight.DISCUSS,
                f"{target}: this model is not shown to do better than {name_model(name)}",
                f"{measure}, this model less {name_model(name)}: {numbers}",
                "performance",
            )
        elif kind == "combination" and row["verdict"] == "worse" and -gap > COMBINATION_MARGIN:
            yield Finding(
                "combination",
                row["target_id"],
                other,
                Weight.DISCUSS,
                f"{target}: {tell_combined(name)}",
                f"{measure}, this model alone less both together: {numbers} What it is combined with knows something "
                "that it does not.",
                "performance",
            )


def _of_explanations(tables: Tables) -> Iterator[Finding]:
    table = tables["explanation_quality"]
    for row in table[table["passed"].eq(False)].to_dict("records"):
        yield Finding(
            "explanation",
            row["target_id"],
            str(row["check"]),
            Weight.DISCUSS,
            f"{name_target(tables, row['target_id'])}: explanations miss the test “{row['check']}”",
            str(row["told"]),
            "explanations",
        )


def _of_subgroups(tables: Tables) -> Iterator[Finding]:
    table = tables["subgroup_performance"]
    flagged = table[table["flag"].astype(bool)].to_dict("records")
    known = {_of_level(row, row["attribute"], row["level"]) for row in flagged if row["family"] != "pair"}
    for row in flagged:
        group = name_group(tables, str(row["attribute"]), str(row["level"]))
        pair = row["family"] == "pair"
        # That a pair is off tells nothing new where one of its halves is off in the same way.
        halves = zip(str(row["attribute"]).split(" × "), str(row["level"]).split(" × "), strict=True)
        if pair and known & {_of_level(row, *half) for half in halves}:
            continue
        yield Finding(
            "subgroup",
            row["target_id"],
            f"{row['attribute']}={row['level']}/{row['metric']}",
            Weight.EXPLORE if pair else Weight.DISCUSS,
            f"{group}: {tell_metric(row)}",
            f"{name_target(tables, row['target_id'])}. {tell_interval(row)}, {tell_counts(row)}"
            + (". Found among all pairs of attributes." if pair else "."),
            "subgroups",
        )


def _of_level(row: Row, attribute: str, level: str) -> tuple[object, ...]:
    """What tells whether two groups are off in the same way."""
    return row["target_id"], row["metric"], float(row["estimate"]) > 1, attribute, level


def _of_validation(tables: Tables) -> Iterator[Finding]:
    table = tables["validation"]
    # What could not be judged, or is hidden from a role, has no number to tell of.
    for row in table[table[["estimate", "lower", "upper"]].notna().all(axis=1)].to_dict("records"):
        if _is_off(str(row["metric"]), row):
            group = name_group(tables, str(row["attribute"]), str(row["level"]))
            yield Finding(
                "validation",
                row["target_id"],
                f"{row['attribute']}={row['level']}/{row['metric']}",
                Weight.DISCUSS,
                f"Where it has never seen {group}, {tell_metric(row)}",
                f"{name_target(tables, row['target_id'])}, {tell_training(str(row['trained_on']))}. "
                f"{tell_interval(row)}, {tell_counts(row)}.",
                "sites",
            )


def _of_totals(tables: Tables) -> Iterator[Finding]:
    table = tables["total_coverage"]
    for row in table[(table["level"] == 0.9) & (table["group_kind"] == "attribute")].to_dict("records"):
        if row["coverage"] < FEWEST_LEVELS_COVERED:
            yield Finding(
                "total",
                row["target_id"],
                "attribute",
                Weight.DISCUSS,
                f"{name_target(tables, row['target_id'])}: totals of groups miss their 90% interval too often",
                f"{100 * row['coverage']:.0f} of 100 groups formed by an attribute lay inside, "
                f"{format_count(row['n_groups'])} groups.",
                "uncertainty",
            )


def _of_slices(tables: Tables) -> Iterator[Finding]:
    for row in tables["slice"].to_dict("records"):
        yield Finding(
            "slice",
            row["target_id"],
            str(row["conditions"]),
            Weight.EXPLORE,
            f"{shorten_conditions(str(row['conditions']))}: {tell_metric(row)}",
            f"{name_target(tables, row['target_id'])}. {tell_interval(row)}, {tell_counts(row)}. "
            "Found by a search on half of the patients, confirmed on the other half.",
            "subgroups",
        )


def _is_off(metric: str, row: Row) -> bool:
    estimate, lower, upper = (float(row[name]) for name in ("estimate", "lower", "upper"))
    outside = lower > 1 or upper < 1
    if metric == "calibration_slope":
        return outside and abs(estimate - 1) > SLOPE_BOUND
    if metric in ("observed_expected", "predictive_ratio"):
        return outside and not RATIO_BOUNDS[0] <= estimate <= RATIO_BOUNDS[1]
    return False
