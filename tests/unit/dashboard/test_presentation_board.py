"""What the board's newer pages say: audits, models side by side, elsewhere, uncertainty, searched groups, findings."""

import math
from typing import Any

import pandas as pd
import pytest

from dashboard.presentation import audits, comparison, elsewhere, exploratory, findings, uncertainty
from dashboard.presentation.measures import MEASURES, TOO_FEW, WITHHELD
from pipeline.study.model import Kind, Target

NAN = math.nan
DEATH = Target(id="death", kind=Kind.OUTCOME, label="Death", event="died = 1", happened="died")
RATIO = MEASURES["observed_expected"]


def frame(usual: dict[str, Any], *changes: dict[str, Any]) -> pd.DataFrame:
    """A row for each of `changes` to the usual one."""
    return pd.DataFrame([usual | change for change in changes], columns=list(usual))


COLUMN = {
    "label": "Creatinine", "column_name": "crea", "declared": "feature", "alone": 0.63, "missing_share": 0.01,
    "missing_alone": NAN, "gain": 0.012, "finding": False, "why": None,
}  # fmt: skip
BLOCK = {
    "relation": "aps ~ 12 columns", "block_kind": "rows", "block": "rows 1 to 400", "first_row": 1, "last_row": 400,
    "association": 0.95, "expected": 0.94, "best_lag": 0, "association_at_best_lag": 0.95, "finding": False,
    "why": None,
}  # fmt: skip
COMPARED = {
    "model_id": "xgboost", "other_id": "physician", "kind": "baseline", "label": "The patient's physician",
    "difference": 0.02, "lower": 0.01, "upper": 0.03, "n": 7472, "n_events": 3468, "verdict": "better",
}  # fmt: skip
THRESHOLD = {"threshold": 0.5, "net_benefit": 0.2, "lower": 0.15, "upper": 0.25, "treat_all": 0.1, "n": 900}
PLACE = {
    "attribute_label": "Site", "level_label": "Site 1", "trained_on": "the other levels", "metric": "observed_expected",
    "estimate": 0.56, "lower": 0.5, "upper": 0.62, "n": 1589, "n_events": 300,
}  # fmt: skip
PAIR = {
    "attribute_label": "Sex and Race", "attribute_1": "Sex", "label_1": "Men", "attribute_2": "Race",
    "label_2": "Asian", "estimate": 1.5, "lower": 1.2, "upper": 1.8, "n": 200,
    "n_events": 90, "q_value": 0.01, "judgement": "judged", "flag": True, "suppressed": False,
}  # fmt: skip
TOTAL = {
    "group_kind": "random",
    "size": 20.0,
    "level": 0.9,
    "coverage": 0.9,
    "lower": 0.87,
    "upper": 0.93,
    "n_groups": 400,
}
INTERVAL = {
    "label": "Cost", "kind": "cost", "unit": "USD", "interval_kind": "conformal_prediction", "level": 90, "n": 8198,
    "coverage": 0.90, "coverage_lower": 0.89, "coverage_upper": 0.91, "width": 12.0, "width_lower": 11,
    "width_upper": 13,
}  # fmt: skip
FOUND = {"source": "subgroup", "weight": "discuss"}


def test_a_leak_is_named_and_others_are_counted() -> None:
    audited = frame(
        COLUMN, {}, {"label": "adlp", "finding": True, "why": "Being missing tells."}, {"declared": "excluded"}
    )
    none, some = frame({"column_name": "adlp", "why": ""}), frame({"column_name": "adlp", "why": ""}, {})
    assert audits.tell_leaks(none, audited) == (
        "No feature looks as if it knew the future: 2 features and 1 other column were tried"
    )
    assert audits.tell_leaks(some, audited).startswith("adlp may know the future")
    table = audits.build_leak_table(audited, DEATH)
    assert list(table["Found"]) == ["", "◆ Being missing tells.", ""]
    assert list(table["Alone (AUROC)"]) == ["0.63"] * 3
    assert list(table["By being missing"]) == ["–"] * 3


def test_findings_come_before_the_features_that_add_most() -> None:
    audited = frame(COLUMN, {"gain": 0.1}, {"finding": True, "label": "adlp"}, {"gain": 0.2}, {"declared": "excluded"})
    assert list(audits.select_leaks(audited)["gain"]) == [0.012, 0.2, 0.1]


def test_a_broken_association_is_told_with_its_blocks_and_comes_first() -> None:
    coherence = frame(BLOCK, {}, {"relation": "b ~ c", "finding": True, "why": "Gone."}, {"relation": "b ~ c"})
    assert audits.tell_coherence(coherence) == "Rows may have been mixed up: b with c does not hold in 1 block"
    assert audits.list_relations(coherence) == ["b ~ c", "aps ~ 12 columns"]
    assert audits.tell_coherence(frame(BLOCK, {})) == (
        "What belongs together stays together: 1 association holds in every block of rows"
    )
    assert list(audits.build_coherence_table(coherence)["Found"]) == ["", "◆ Gone.", ""]


def test_only_blocks_of_rows_are_drawn() -> None:
    coherence = frame(BLOCK, {}, {"block_kind": "site"}, {"relation": "b ~ c"})
    assert len(audits.build_block_frame(coherence, "aps ~ 12 columns")) == 1


def test_better_is_said_only_where_the_comparison_says_so() -> None:
    told = comparison.tell_comparisons(
        frame(
            COMPARED,
            {},
            {"label": "SUPPORT model", "verdict": "no difference shown"},
            {"label": "Both", "kind": "combination", "verdict": "worse"},
        )
    )
    assert told == "This model does better than 1 of 2 others; it is not shown to differ from SUPPORT model"
    worse = frame(COMPARED, {"verdict": "worse"}, {"label": "Mean of both", "verdict": "worse"})
    assert comparison.tell_comparisons(worse) == (
        "This model does better than none of 2 others; the patient's physician and the mean of both do better than it"
    )
    assert comparison.tell_comparisons(frame(COMPARED)) == "There is nothing to compare this model with"


def test_the_glass_box_is_asked_about_only_when_close() -> None:
    close = {"other_id": "glass_box", "label": "A glass-box model", "difference": 0.006}
    assert "0.006" in (comparison.tell_glass_box(frame(COMPARED, close)) or "")
    assert comparison.tell_glass_box(frame(COMPARED, close | {"difference": 0.02})) is None
    assert comparison.tell_glass_box(frame(COMPARED, {})) is None


def test_worth_more_takes_the_lower_end_above_everybody_and_nobody() -> None:
    rows = frame(
        THRESHOLD, {"threshold": 0.2, "treat_all": 0.19}, {}, {"threshold": 0.6, "lower": -0.01, "treat_all": -1}
    )
    assert comparison.tell_benefit(rows).startswith("From 50 to 50 of 100 the model is worth more")
    assert comparison.tell_benefit(rows.assign(lower=-1.0)).startswith("At no threshold")
    assert comparison.tell_benefit(rows.assign(net_benefit=NAN)).startswith("Too few")


def test_places_are_flagged_where_the_interval_misses_and_withheld_ones_say_so() -> None:
    places = elsewhere.build_forest_frame(
        frame(PLACE, {}, {"lower": 0.9, "upper": 1.1, "estimate": 1.0}, {"estimate": NAN, "lower": NAN, "upper": NAN}),
        RATIO,
    )
    assert list(places["flagged"]) == [True, False, False]
    assert places["text"].iloc[2] == TOO_FEW
    assert elsewhere.tell_misses(places, RATIO) == "1 of 3 tests is clearly off (◆)."
    assert elsewhere.tell_elsewhere(places, RATIO, 1.0) == (
        "Where the model has never been: events against those predicted, 44% fewer to as many"
    )
    hidden = elsewhere.build_forest_frame(frame(PLACE, {}).assign(suppressed=True), RATIO)
    assert hidden["text"].iloc[0] == WITHHELD


def test_pairs_are_counted_told_and_withheld() -> None:
    pairs = frame(PAIR, {}, {"flag": False, "q_value": 0.4}, {"judgement": "too few to judge"}, {"suppressed": True})
    assert exploratory.tell_pairs(pairs, RATIO) == (
        "2 groups formed by two attributes can be judged; 1 stands out beyond chance"
    )
    table = exploratory.build_pair_table(pairs, RATIO, "died")
    assert list(table["What it means"]) == ["◆ Risks are too low: 50% more died than predicted."]
    whole = exploratory.build_all_pairs_table(pairs, RATIO)
    assert list(whole.iloc[:, 3])[2:] == [TOO_FEW, WITHHELD]


@pytest.mark.parametrize(("coverage", "told"), [(0.9, "hold what they promise"), (0.84, "do not hold")])
def test_intervals_are_told_by_what_they_held(coverage: float, told: str) -> None:
    assert told in uncertainty.tell_intervals(frame(INTERVAL, {"coverage": coverage}))


def test_the_width_of_an_amount_is_a_ratio_and_of_a_risk_points() -> None:
    table = uncertainty.build_interval_table(
        frame(INTERVAL, {}, {"kind": "outcome", "width": 0.18, "interval_kind": "model_instability"})
    )
    assert list(table["Width, in the middle"]) == ["upper end is 12.0 times the lower", "18.0 points of 100"]
    assert list(table["Patients"]) == ["8,198", "8,198"]
    assert "if the model were rebuilt" in table["Interval"].iloc[1]


def test_totals_are_told_for_random_groups_and_for_formed_ones() -> None:
    rows = frame(
        TOTAL, {}, {"size": 500.0, "coverage": 0.93}, {"group_kind": "attribute", "size": NAN, "coverage": 0.81}
    )
    assert uncertainty.tell_totals(rows) == (
        "90% intervals of totals held for 90 to 93 of 100 random groups, and for 81 of 100 formed by an attribute"
    )


def test_the_summary_of_findings_leaves_searches_out() -> None:
    rows = frame(FOUND, {}, {}, {"source": "leak", "weight": "serious"}, {"source": "slice", "weight": "explore"})
    assert findings.tell_findings(rows) == (
        "3 findings ask for the board: 1 feature may know the future and 2 groups have wrong risks or amounts"
    )
    counts = findings.count_by_weight(rows)
    assert "1 more came up" in str(findings.tell_hidden(counts, None, 30, 3))
    assert findings.tell_hidden(counts, "serious", 30, 1) is None
    assert "30 with the most" in str(findings.tell_hidden(counts, "explore", 30, 83))
    assert list(findings.select_weight(rows, None)["weight"]) == ["discuss", "discuss", "serious"]
    assert list(findings.select_weight(rows, "explore")["weight"]) == ["explore"]
    assert findings.count_by_weight(rows) == {"serious": 1, "discuss": 2, "explore": 1}
    assert findings.tell_findings(rows.head(0)).startswith("Nothing was found")
