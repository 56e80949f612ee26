"""Disclosure control: small cells are hidden, and cannot be computed from what is shown."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy.optimize import linprog

from pipeline.evaluate.disclosure import SMALLEST_CELL, hidden_levels, leave_out_enough, suppress

Counts = dict[str, tuple[int, int, int]]
NUMBERS = ["estimate", "lower", "upper", "n", "n_events"]

# Level: patients, events, patients whose cost was observed.
WARDS: Counts = {"medical": (400, 90, 380), "surgical": (250, 60, 240), "icu": (80, 40, 75), "garden": (9, 3, 9)}


def _performance(attribute: str, counts: Counts) -> pd.DataFrame:
    rows: list[tuple[object, ...]] = []
    for level, (n, events, observed) in counts.items():
        rows.append(("death", attribute, level, "auroc", 0.7, 0.6, 0.8, n, events, True))
        rows.append(("cost", attribute, level, "r2", 0.3, 0.2, 0.4, observed, None, False))
    columns = ["target_id", "attribute", "level", "metric", *NUMBERS, "flag"]
    table = pd.DataFrame(rows, columns=columns).astype({"n_events": "Int64"})
    return table.assign(threshold=np.nan, suppressed=False)


def _totals(attribute: str, counts: Counts) -> pd.DataFrame:
    rows = [
        (attribute, level, n, observed, 10.0 * n, 9.0 * n, 11.0 * n, 9.5 * observed)
        for level, (n, _, observed) in counts.items()
    ]
    whole = np.array(list(counts.values())).sum(axis=0)
    rows.append(("all", "all", int(whole[0]), int(whole[2]), 1.0, 1.0, 1.0, 1.0))
    columns = "attribute level n n_observed projected_total lower upper observed_total"
    return pd.DataFrame(rows, columns=columns.split()).assign(suppressed=False)


def _tables(attributes: dict[str, Counts]) -> dict[str, pd.DataFrame]:
    return {
        "subgroup_performance": pd.concat([_performance(a, c) for a, c in attributes.items()], ignore_index=True),
        "group_total": pd.concat([_totals(a, c) for a, c in attributes.items()], ignore_index=True),
        "quarantine_count": pd.DataFrame({"column_name": ["a", "b"], "n": [10, 11], "suppressed": False}),
        "risk_distribution": pd.DataFrame({"n_event": [0, 4, 6, 14, 15], "n_no_event": [101, 7, 5, 30, 99]}),
        "release": pd.DataFrame({"n_subjects": [739]}),
        "attrition": pd.DataFrame({"n_before": [800, 800], "n_after": [800, 739]}),
        "performance": pd.DataFrame(
            [("all", "xgboost"), ("all", "nurse"), ("all_baselines", "xgboost"), ("all_baselines", "nurse")],
            columns=["population", "model_id"],
        ),
    }


def _hidden(counts: Counts) -> set[str]:
    return {level for _, level in hidden_levels(_performance("ward", counts), _totals("ward", counts))}


def test_a_small_level_is_hidden_together_with_the_next_smallest() -> None:
    assert _hidden(WARDS) == {"garden", "icu"}


def test_where_no_level_is_small_none_is_hidden() -> None:
    assert _hidden({k: v for k, v in WARDS.items() if k != "garden"}) == set()


@pytest.mark.parametrize(
    "small",
    [(10, 5, 10), (300, 10, 290), (300, 290, 290), (300, 100, 10), (10, 0, 10)],
    ids=["patients", "events", "non-events", "observed costs", "no event at all"],
)
def test_a_level_is_small_by_patients_events_non_events_or_observed_amounts(small: tuple[int, int, int]) -> None:
    assert "garden" in _hidden({**WARDS, "garden": small})


def test_eleven_of_each_are_enough() -> None:
    assert _hidden({**WARDS, "garden": (SMALLEST_CELL * 2, SMALLEST_CELL, SMALLEST_CELL)}) == set()


def test_levels_that_are_small_even_together_take_another_with_them() -> None:
    counts = {"a": (300, 100, 290), "b": (200, 50, 190), "c": (4, 1, 4), "d": (5, 2, 5), "e": (90, 45, 80)}
    # c and d hold as few as 3 events: e must go too.
    assert _hidden(counts) == {"c", "d", "e"}


def test_the_numbers_of_a_hidden_level_are_null_in_every_table_and_those_of_others_stay() -> None:
    tables = _tables({"ward": WARDS})
    seen = suppress(tables)
    for name, numbers in (
        ("subgroup_performance", NUMBERS),
        ("group_total", ["n", "n_observed", "projected_total", "lower", "upper", "observed_total"]),
    ):
        hidden = seen[name]["level"].isin(["garden", "icu"])
        assert seen[name].loc[hidden, numbers].isna().all().all()
        assert (seen[name]["suppressed"] == hidden).all()
        shown, original = seen[name].loc[~hidden, numbers], tables[name].loc[~hidden, numbers]
        pd.testing.assert_frame_equal(shown.astype("Float64"), original.astype("Float64"))
    assert not seen["subgroup_performance"].query("suppressed")["flag"].any()
    assert seen["subgroup_performance"].query("not suppressed and target_id == 'death'")["flag"].all()


def test_a_level_that_is_small_under_one_target_is_hidden_under_all() -> None:
    seen = suppress(_tables({"ward": {**WARDS, "garden": (300, 100, 5)}}))
    garden = seen["subgroup_performance"].query("level == 'garden'")
    assert set(garden["target_id"]) == {"death", "cost"}
    assert garden["suppressed"].all()


def test_each_attribute_is_judged_by_its_own_levels() -> None:
    sexes: Counts = {"male": (369, 93, 350), "female": (370, 100, 354)}
    seen = suppress(_tables({"ward": WARDS, "sex": sexes}))["subgroup_performance"]
    assert set(seen.query("suppressed")["attribute"]) == {"ward"}


def test_small_counts_of_rejected_values_are_hidden_and_the_spread_of_risks_is_rounded_to_tens() -> None:
    seen = suppress(_tables({"ward": WARDS}))
    assert seen["quarantine_count"]["suppressed"].tolist() == [True, False]
    assert pd.isna(seen["quarantine_count"]["n"][0])
    assert (seen["risk_distribution"].to_numpy() % 10 == 0).all()
    assert (abs(seen["risk_distribution"]["n_event"] - [0, 4, 6, 14, 15]) <= 5).all()


def _at_threshold(rates: dict[str, tuple[float, float]]) -> pd.DataFrame:
    """Rows at 0.3 of each ward: its sensitivity and specificity, and a flag rate that would tell the rest."""
    rows = []
    for level, (sensitivity, specificity) in rates.items():
        n, events, _ = WARDS[level]
        for metric, value in (("sensitivity", sensitivity), ("specificity", specificity), ("flag_rate", 0.5)):
            rows.append(("death", "ward", level, metric, 0.3, value, value, value, n, events, False, False))
    columns = ["target_id", "attribute", "level", "metric", "threshold", *NUMBERS, "flag", "suppressed"]
    return pd.DataFrame(rows, columns=columns).astype({"n_events": "Int64"})


def test_rates_that_tell_of_few_are_hidden_at_their_threshold_with_those_of_another_level() -> None:
    wards: Counts = {level: WARDS[level] for level in ("medical", "surgical", "icu")}
    # Of 90 events of the medical ward 5 were missed; of the others 12 or more, and as many false alarms.
    rates = _at_threshold({"medical": (85 / 90, 0.8), "surgical": (45 / 60, 0.8), "icu": (28 / 40, 0.6)})
    tables = _tables({"ward": wards})
    tables["subgroup_performance"] = pd.concat([tables["subgroup_performance"], rates], ignore_index=True)
    seen = suppress(tables)["subgroup_performance"]
    hidden = seen[seen["suppressed"]]
    assert set(hidden["threshold"]) == {0.3}
    assert {"sensitivity", "specificity", "flag_rate"} == set(hidden["metric"])
    assert "medical" in set(hidden["level"])
    assert len(set(hidden["level"])) >= 2
    assert hidden[NUMBERS].isna().all().all()


def test_rates_that_tell_of_many_are_shown() -> None:
    wards: Counts = {level: WARDS[level] for level in ("medical", "surgical", "icu")}
    rates = _at_threshold({"medical": (60 / 90, 0.8), "surgical": (45 / 60, 0.8), "icu": (28 / 40, 0.6)})
    tables = _tables({"ward": wards})
    tables["subgroup_performance"] = pd.concat([tables["subgroup_performance"], rates], ignore_index=True)
    assert not suppress(tables)["subgroup_performance"]["suppressed"].any()


def test_a_population_step_that_left_out_a_few_is_told_in_tens() -> None:
    tables = _tables({"ward": WARDS})
    pd.testing.assert_frame_equal(suppress(tables)["attrition"], tables["attrition"])
    tables["attrition"] = pd.DataFrame({"n_before": [746, 746], "n_after": [746, 739]})
    assert suppress(tables)["attrition"].to_numpy().tolist() == [[750, 750], [750, 740]]


def test_a_baseline_is_measured_on_the_patients_common_to_all_models_only() -> None:
    seen = suppress(_tables({"ward": WARDS}))["performance"]
    assert seen.to_numpy().tolist() == [["all", "xgboost"], ["all_baselines", "xgboost"], ["all_baselines", "nurse"]]


@pytest.mark.parametrize("missing", [0, 1, 5, 30, 150])
def test_those_left_out_of_a_comparison_are_nobody_or_enough_of_each_class(missing: int) -> None:
    rng = np.random.default_rng(missing)
    observed = (rng.random(400) < 0.2).astype(float)
    members = np.ones(400, dtype=bool)
    members[rng.choice(400, missing, replace=False)] = False
    chosen = leave_out_enough(members, observed, seed=3)
    assert not (chosen & ~members).any()
    left_out = observed[~chosen]
    if missing == 0:
        assert len(left_out) == 0
    else:
        assert min((left_out == 1).sum(), (left_out == 0).sum()) >= SMALLEST_CELL
        # No more than needed.
        assert len(left_out) <= missing + 2 * SMALLEST_CELL
    np.testing.assert_array_equal(chosen, leave_out_enough(members, observed, seed=3))


def test_other_tables_and_the_ones_given_stay_as_they_are() -> None:
    tables = _tables({"ward": WARDS})
    before = {name: table.copy() for name, table in tables.items()}
    seen = suppress(tables)
    assert seen["release"] is tables["release"]
    for name, table in before.items():
        pd.testing.assert_frame_equal(tables[name], table)


def _narrowest_range(counts: Counts, hidden: list[str]) -> float:
    """The narrowest range that a hidden cell can be confined to by whoever sees every total and every shown level.

    The unknowns are events and non-events of each hidden level; their sums are known, since totals and the shown
    levels are. Their numbers of patients are the sums of the two.
    """
    k = len(hidden)
    events = sum(counts[level][1] for level in hidden)
    others = sum(counts[level][0] - counts[level][1] for level in hidden)
    sums = np.zeros((2, 2 * k))
    sums[0, :k] = sums[1, k:] = 1
    ranges = []
    for i in range(k):
        for cell in ([i], [k + i], [i, k + i]):
            ends = []
            for direction in (1.0, -1.0):
                goal: npt.NDArray[np.float64] = np.zeros(2 * k)
                goal[cell] = direction
                ends.append(direction * linprog(goal, A_eq=sums, b_eq=[events, others]).fun)
            ranges.append(ends[1] - ends[0])
    return float(min(ranges))


@pytest.mark.parametrize("seed", range(40))
def test_no_hidden_level_can_be_computed_from_totals_and_the_levels_that_are_shown(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts: Counts = {"large": (500, 200, 480)}
    for i in range(int(rng.integers(2, 6))):
        n = int(rng.choice([3, 8, 12, 30, 90, 300]))
        counts[f"level {i}"] = (n, int(rng.integers(0, n + 1)), n - int(rng.integers(0, n // 3 + 1)))
    hidden = sorted(_hidden(counts))
    if hidden:
        assert len(hidden) >= 2
        assert _narrowest_range(counts, hidden) > 10


def test_a_plain_rule_that_hides_the_small_level_alone_would_fail_the_test_above() -> None:
    assert _narrowest_range(WARDS, ["garden"]) == 0
