"""Findings are raised where a table gives cause, say what the table says, and nothing else."""

from typing import Any

import pandas as pd
import pytest

from pipeline.govern.findings import Weight, build_findings

LEAK = {"target_id": "death", "column_name": "dnrday", "finding": True, "why": "It equals the length of stay."}
BROKEN = {"relation": "aps ~ 12 columns", "finding": True, "why": "In rows 1 to 9 it no longer holds."}
COMPARED = {
    "target_id": "death", "population": "all", "model_id": "xgboost", "other_id": "physician", "metric": "auroc",
    "difference": 0.02, "lower": 0.01, "upper": 0.03, "n": 900, "n_events": 300, "verdict": "better",
}  # fmt: skip
CELL = {
    "target_id": "death", "family": "attribute", "attribute": "race", "level": "asian", "metric": "observed_expected",
    "estimate": 1.4, "lower": 1.2, "upper": 1.6, "n": 260, "n_events": 98, "flag": True,
}  # fmt: skip
SITE = CELL | {"attribute": "site", "level": "1", "trained_on": "the others"}
SLICE = CELL | {"conditions": "Race: Asian · Age: 75 to 84"}
CHECK = {"target_id": "death", "check": "deletion", "passed": False, "told": "No faster than at random."}
COVERED = {"target_id": "death", "group_kind": "attribute", "level": 0.9, "coverage": 0.7, "n_groups": 30}
MODELS = [
    {"model_id": "xgboost", "kind": "ours", "label": "This model"},
    {"model_id": "physician", "kind": "baseline", "label": "The physician"},
    {"model_id": "glass_box", "kind": "rival", "label": "A glass-box model"},
    {"model_id": "xgboost_plus_physician", "kind": "combination", "label": "Model and physician together"},
]
LEVELS = [
    {"attribute": "race", "attribute_label": "Race", "level": "asian", "level_label": "Asian"},
    {"attribute": "sex", "attribute_label": "Sex", "level": "male", "level_label": "Men"},
    {"attribute": "site", "attribute_label": "Site", "level": "1", "level_label": "Site 1"},
]
EMPTY: dict[str, dict[str, Any]] = {
    "leak_audit": LEAK, "coherence_audit": BROKEN, "comparison": COMPARED, "explanation_quality": CHECK,
    "subgroup_performance": CELL, "validation": SITE, "total_coverage": COVERED, "slice": SLICE,
}  # fmt: skip


def found(**rows: list[dict[str, Any]]) -> list[dict[Any, Any]]:
    """The findings of a release whose tables have only these rows."""
    tables = {name: pd.DataFrame(rows.get(name, []), columns=list(usual)) for name, usual in EMPTY.items()}
    tables["target"] = pd.DataFrame([{"target_id": "death", "label": "Death in hospital"}])
    tables["compared_model"] = pd.DataFrame(MODELS)
    tables["attribute_level"] = pd.DataFrame(LEVELS)
    return build_findings(tables).to_dict("records")


def only(**rows: list[dict[str, Any]]) -> dict[Any, Any]:
    (one,) = found(**rows)
    return one


def test_a_release_without_cause_has_no_findings() -> None:
    assert found() == []
    assert found(
        leak_audit=[LEAK | {"finding": False}],
        coherence_audit=[BROKEN | {"finding": False}],
        comparison=[COMPARED],
        explanation_quality=[CHECK | {"passed": True}, CHECK | {"passed": None}],
        subgroup_performance=[CELL | {"flag": False}],
        validation=[SITE | {"estimate": 1.1, "lower": 1.01}, SITE | {"lower": 0.9}],
        total_coverage=[COVERED | {"coverage": 0.8}, COVERED | {"group_kind": "random"}],
    ) == []  # fmt: skip


def test_a_leak_is_serious_and_told_once_for_all_targets() -> None:
    finding = only(leak_audit=[LEAK, LEAK])
    assert (finding["weight"], finding["page"]) == (Weight.SERIOUS, "audits")
    assert "dnrday" in finding["title"]
    assert finding["evidence"] == "It equals the length of stay. Seen for: Death in hospital, Death in hospital."


def test_a_broken_relation_is_one_finding_with_the_number_of_blocks() -> None:
    finding = only(coherence_audit=[BROKEN, BROKEN, BROKEN | {"finding": False}])
    assert finding["title"] == "Rows may have been mixed up: aps ~ 12 columns does not hold in 2 blocks of rows"


@pytest.mark.parametrize(
    ("changes", "weight", "words"),
    [
        ({"verdict": "worse", "difference": -0.03}, Weight.SERIOUS, "the physician does better than this model"),
        ({"verdict": "no difference shown"}, Weight.DISCUSS, "not shown to do better than the physician"),
        (
            {"other_id": "glass_box", "difference": 0.0099},
            Weight.DISCUSS,
            "why not the glass-box model? It comes within",
        ),
        (
            {"other_id": "glass_box", "difference": -0.04, "verdict": "worse"},
            Weight.DISCUSS,
            "why not the glass-box model? It does better",
        ),
        (
            {"other_id": "xgboost_plus_physician", "difference": -0.02, "verdict": "worse"},
            Weight.DISCUSS,
            "model and physician together do better than this model alone",
        ),
    ],
)
def test_a_comparison_is_told_by_what_it_shows(changes: dict[str, Any], weight: Weight, words: str) -> None:
    finding = only(comparison=[COMPARED | changes])
    assert finding["weight"] == weight
    assert words in finding["title"]


@pytest.mark.parametrize(
    "changes",
    [
        {"other_id": "glass_box", "difference": 0.011},
        {"other_id": "xgboost_plus_physician", "difference": -0.009, "verdict": "worse"},
        {"metric": "brier", "verdict": "worse"},
        {"model_id": "xgboost_plus_physician", "verdict": "worse"},
    ],
)
def test_a_comparison_that_asks_nothing_is_no_finding(changes: dict[str, Any]) -> None:
    assert found(comparison=[COMPARED | changes]) == []


def test_a_flagged_group_is_told_in_words_with_its_numbers() -> None:
    finding = only(subgroup_performance=[CELL])
    assert finding["title"] == "Race: Asian: risks are too low, 40% more events than predicted"
    assert finding["evidence"] == (
        "Death in hospital. Observed ÷ expected 1.40 (95%: 1.20 to 1.60), 260 patients, 98 events."
    )
    assert finding["weight"] == Weight.DISCUSS


def test_a_pair_is_told_by_both_halves_and_only_explored() -> None:
    pair = CELL | {"family": "pair", "attribute": "sex × race", "level": "male × asian"}
    finding = only(subgroup_performance=[pair])
    assert finding["title"].startswith("Sex: Men · Race: Asian:")
    assert finding["weight"] == Weight.EXPLORE


def test_a_pair_is_told_only_where_neither_half_is_off_in_the_same_way() -> None:
    pair = CELL | {"family": "pair", "attribute": "sex × race", "level": "male × asian"}
    assert [row["weight"] for row in found(subgroup_performance=[CELL, pair])] == [Weight.DISCUSS]
    assert len(found(subgroup_performance=[CELL | {"estimate": 0.6}, pair])) == 2
    assert len(found(subgroup_performance=[CELL | {"metric": "calibration_slope"}, pair])) == 2


@pytest.mark.parametrize(
    ("metric", "estimate", "words"),
    [
        ("observed_expected", 0.7, "risks are too high, 30% fewer events than predicted"),
        ("calibration_slope", 0.7, "risks are too extreme"),
        ("calibration_slope", 1.3, "risks are too timid"),
        ("predictive_ratio", 1.4, "projected 40% too high"),
        ("predictive_ratio", 0.6, "projected 40% too low"),
        ("interval_coverage_80", 0.76, "the 80% interval covers 76 of 100 patients"),
    ],
)
def test_every_measure_that_can_be_flagged_has_words(metric: str, estimate: float, words: str) -> None:
    row = CELL | {"metric": metric, "estimate": estimate, "n_events": None}
    assert only(subgroup_performance=[row])["title"] == f"Race: Asian: {words}"


def test_a_site_is_a_finding_only_where_interval_and_estimate_are_both_off() -> None:
    assert only(validation=[SITE])["title"].startswith("Where it has never seen Site 1, ")
    assert found(validation=[SITE | {"metric": "auroc"}]) == []
    slope = SITE | {"metric": "calibration_slope", "estimate": 0.66, "lower": 0.5, "upper": 0.8}
    assert "too extreme" in only(validation=[slope])["title"]
    assert found(validation=[slope | {"estimate": 0.85, "upper": 0.95}]) == []


def test_the_weightiest_come_first_and_ids_are_unique() -> None:
    rows = found(
        slice=[SLICE], subgroup_performance=[CELL], leak_audit=[LEAK], total_coverage=[COVERED],
        explanation_quality=[CHECK], validation=[SITE],
    )  # fmt: skip
    assert [row["weight"] for row in rows] == sorted((r["weight"] for r in rows), key=list(Weight).index)
    assert len({row["finding_id"] for row in rows}) == len(rows) == 6
    assert [row["position"] for row in rows] == list(range(6))


@pytest.mark.parametrize("nothing", [None, pd.NA, float("nan")])
def test_what_could_not_be_judged_is_no_finding(nothing: Any) -> None:
    few = dict.fromkeys(("difference", "estimate", "lower", "upper", "n", "n_events"), nothing)
    compared = COMPARED | few | {"verdict": "too few to judge"}
    assert found(comparison=[compared, compared | {"other_id": "glass_box"}], validation=[SITE | few]) == []
