"""Which numbers of which tables a role has that sees no single patient."""

import numpy as np
import pandas as pd
import pytest

from pipeline.evaluate.disclosure import SMALLEST_CELL, leave_out_enough
from pipeline.evaluate.disclosure import suppress as suppress_with
from pipeline.evaluate.disclosure.cells import mark_cells
from pipeline.evaluate.disclosure.tables import PROTECTIONS
from pipeline.settings import Role
from pipeline.store.schema import tables_of

Counts = dict[str, tuple[int, int, int]]
SALT = b"a secret of the store"
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
    return pd.DataFrame(rows, columns=columns.split()).assign(target_id="cost", suppressed=False)


def _overall() -> pd.DataFrame:
    """Our model on all, a baseline on all but a few, and both on whom both could score; and a few who were refused."""
    rows = [
        ("all", "xgboost", 739, 193),
        ("all", "glass box", 739, 193),
        ("all", "nurse", 732, 191),
        ("all_baselines", "xgboost", 700, 180),
        ("all_baselines", "nurse", 700, 180),
        ("refused", "xgboost", 40, 5),
    ]
    columns = ["population", "model_id", "n", "n_events"]
    table = pd.DataFrame(rows, columns=columns).astype({"n_events": "Int64"})
    return table.assign(target_id="death", metric="auroc", threshold=np.nan, estimate=0.81234, lower=0.7, upper=0.9)


def _tables(attributes: dict[str, Counts]) -> dict[str, pd.DataFrame]:
    return {
        "subgroup_performance": pd.concat([_performance(a, c) for a, c in attributes.items()], ignore_index=True),
        "group_total": pd.concat([_totals(a, c) for a, c in attributes.items()], ignore_index=True),
        "quarantine_count": pd.DataFrame({"column_name": ["a", "b"], "n": [10, 11], "suppressed": False}),
        "risk_distribution": pd.DataFrame({"n_event": [0, 4, 6, 14, 15], "n_no_event": [101, 7, 5, 30, 99]}),
        "release": pd.DataFrame({"n_subjects": [739]}),
        "threshold": pd.DataFrame({"threshold": [0.3]}),
        "target": pd.DataFrame(
            {"target_id": ["death", "cost"], "kind": ["outcome", "cost"], "n": [739, 704], "mean": [0.26, 1234.5]}
        ).assign(n_events=pd.array([193, None], dtype="Int64")),
        "attrition": pd.DataFrame({"n_before": [800, 800], "n_after": [800, 739]}),
        "performance": _overall(),
    }


def suppress(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return suppress_with(tables, salt=SALT)


def _hidden(counts: Counts) -> set[str]:
    return {level for _, level in mark_cells(_performance("ward", counts), _totals("ward", counts))}


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
        assert seen[name].loc[~hidden, numbers].drop(columns="n_events", errors="ignore").notna().all().all()
        counts = [c for c in numbers if c.startswith("n")]
        shown, original = (table.loc[~hidden, counts].astype("Float64") for table in (seen[name], tables[name]))
        assert ((shown - original).abs().fillna(0) < 10).all().all()
        assert ((shown % 10).fillna(0) == 0).all().all()
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
    assert (abs(seen["risk_distribution"]["n_event"] - [0, 4, 6, 14, 15]) < 10).all()


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


def _pairs(rates: dict[tuple[str, str], tuple[int, int, int, int]]) -> pd.DataFrame:
    """Rows at 0.3 of each cell: patients, events, and how many of these and of the others are flagged."""
    rows = []
    for (attribute, level), (n, events, found, alarms) in rates.items():
        measures = (("sensitivity", found / events), ("specificity", 1 - alarms / (n - events)), ("ppv", 0.5))
        for metric, value in measures:
            rows.append(("death", attribute, level, metric, 0.3, value, value, value, n, events, False, False))
    columns = ["target_id", "attribute", "level", "metric", "threshold", *NUMBERS, "flag", "suppressed"]
    return pd.DataFrame(rows, columns=columns).astype({"n_events": "Int64"})


def test_a_rate_of_a_pair_that_tells_of_few_is_hidden_with_those_beside_it() -> None:
    cells = {("a × b", f"{i} × {j}"): [200, 100, 60, 40] for i in "xyz" for j in "uvw"}
    cells["a × b", "x × u"][2] = 95
    singles: dict[tuple[str, str], list[int]] = {}
    for (_, level), counts in cells.items():
        for name, own in zip("ab", level.split(" × "), strict=True):
            singles[name, own] = [x + y for x, y in zip(singles.get((name, own), [0] * 4), counts, strict=True)]
    table = _pairs({cell: (c[0], c[1], c[2], c[3]) for cell, c in (singles | cells).items()})
    empty = _totals("a", {"x": (600, 300, 600), "y": (600, 300, 600), "z": (600, 300, 600)})
    seen = suppress({**_tables({"ward": WARDS}), "subgroup_performance": table, "group_total": empty})
    hidden = set(seen["subgroup_performance"].query("suppressed")["level"])
    assert "x × u" in hidden
    # A square, at the least: every line with a hidden rate hides two.
    assert len(hidden) == 4
    for place in (0, 1):
        levels = [level.split(" × ")[place] for level in hidden]
        assert min(levels.count(level) for level in levels) == 2


def test_pairs_keep_to_the_levels_that_are_hidden_and_lose_ratios_and_chances() -> None:
    tables = _tables({"ward": WARDS})
    pair = tables["subgroup_performance"].assign(attribute="ward × sex")
    pair["level"] = pair["level"] + " × male"
    sex = _performance("sex", {"male": (739, 193, 704)})
    both = pd.concat([tables["subgroup_performance"], sex, pair], ignore_index=True)
    both = both.assign(family="pair", ratio=1.23456, ratio_lower=1.0, ratio_upper=2.0, detectable=1.234)
    both = both.assign(judgement="judged", p_value=0.0312, q_value=0.2)
    seen = suppress({**tables, "subgroup_performance": both})["subgroup_performance"]
    hidden = seen["suppressed"]
    assert {"garden × male", "icu × male", "garden", "icu"} <= set(seen[hidden]["level"])
    numbers = [*NUMBERS, "ratio", "ratio_lower", "ratio_upper", "detectable", "p_value", "q_value"]
    assert seen.loc[hidden, numbers].isna().all().all()
    shown = seen[~hidden]
    assert set(shown["ratio"]) == {1.23}
    assert set(shown["detectable"]) == {1.2}
    assert set(shown["p_value"]) == {0.04}


def test_population_steps_are_told_in_tens() -> None:
    seen = suppress(_tables({"ward": WARDS}))["attrition"]
    assert (seen % 10 == 0).all().all()
    assert seen["n_before"][0] == seen["n_after"][0] == 800


def test_a_model_is_measured_on_all_or_on_who_is_common_to_all_models_and_few_refused_not_at_all() -> None:
    seen = suppress(_tables({"ward": WARDS}))["performance"]
    told = list(zip(seen["population"], seen["model_id"], strict=True))
    assert told == [("all", "xgboost"), ("all", "glass box"), ("all_baselines", "xgboost"), ("all_baselines", "nurse")]
    assert set(seen["estimate"]) == {0.812}
    assert (seen["n"] % 10 == 0).all()


def test_a_rate_of_everybody_that_tells_of_few_loses_its_estimate_and_keeps_its_counts() -> None:
    tables = _tables({"ward": WARDS})
    rates = [("sensitivity", 190 / 193), ("specificity", 0.5)]
    rows = [_overall().head(1).assign(metric=metric, threshold=0.3, estimate=value) for metric, value in rates]
    tables["performance"] = pd.concat([_overall(), *rows], ignore_index=True)
    seen = suppress(tables)["performance"].query("threshold == 0.3")
    assert seen["estimate"].isna().all()
    assert seen["n"].notna().all()


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("scope_rule", pd.DataFrame({"rule": ["far", "empty"], "n": [3, 45], "suppressed": False})),
        ("slice", pd.DataFrame({"n": [9, 130], "n_events": [5, 40]})),
        ("quarantine_count", pd.DataFrame({"column_name": ["a", "b"], "n": [3, 45], "suppressed": False})),
    ],
)
def test_rows_about_few_are_emptied_in_any_table_that_says_so(name: str, table: pd.DataFrame) -> None:
    seen = suppress({**_tables({"ward": WARDS}), name: table})[name]
    assert seen["n"].isna().tolist() == [True, False]
    assert seen["n"][1] % 10 == 0
    if "suppressed" in seen:
        assert seen["suppressed"].tolist() == [True, False]


def test_a_table_by_levels_follows_the_levels_that_are_hidden() -> None:
    levels = [("ward", "garden", 500, 200), ("ward", "medical", 400, 90)]
    table = pd.DataFrame(levels, columns=["attribute", "level", "n", "n_events"])
    table = table.assign(
        metric="auroc", estimate=0.71234, lower=0.7, upper=0.72, target_id="death", trained_on="others"
    )
    seen = suppress({**_tables({"ward": WARDS}), "validation": table})["validation"]
    assert seen.loc[0, NUMBERS].isna().all()
    assert seen.loc[1, "estimate"] == 0.71


def test_expected_events_are_counts_and_costs_are_not() -> None:
    tables = _tables({"ward": WARDS})
    deaths = _totals("ward", WARDS).assign(target_id="death", projected_total=93.4, observed_total=90.0)
    tables["group_total"] = pd.concat([tables["group_total"], deaths], ignore_index=True)
    seen = suppress(tables)["group_total"].query("target_id == 'death' and not suppressed")
    for column in ("projected_total", "observed_total", "lower", "upper"):
        assert (seen[column] % 10 == 0).all()


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
    assert seen["threshold"] is tables["threshold"]
    for name, table in before.items():
        pd.testing.assert_frame_equal(tables[name], table)


def test_every_table_of_everyone_with_a_count_says_how_it_is_protected() -> None:
    counts = {"n", "n_events", "n_observed", "n_subjects", "n_train", "n_before", "n_after", "n_event", "n_no_event"}
    for table in tables_of(Role.BOARD):
        own = {column.name for column in table.columns} & counts
        assert own <= set(PROTECTIONS[table.name].counts if own else ()), table.name


def test_every_number_of_everyone_that_patients_make_says_how_it_is_protected() -> None:
    # What a study says, the scale that a row is about, shares of groups and not of patients, and what makes a margin
    # of a booster's.
    as_they_are = {
        "feature": {"normal_low", "normal_high", "plausible_low", "plausible_high"},
        "model": {"recalibration_intercept", "recalibration_slope", "log_intercept", "log_slope"},
        "total_coverage": {"coverage", "lower", "upper"},
    }
    scales = {"threshold", "level", "share", "bin_low", "bin_high"}
    for table in tables_of(Role.BOARD):
        numbers = {column.name for column in table.columns if column.type == "DOUBLE"} - scales
        empty = pd.DataFrame(columns=[column.name for column in table.columns])
        protected = set(PROTECTIONS[table.name].columns(empty)) if table.name in PROTECTIONS else set()
        assert numbers - protected == as_they_are.get(table.name, set()), table.name


def test_what_audits_and_comparisons_count_is_told_no_finer_than_what_groups_count() -> None:
    tables = _tables({"ward": WARDS})
    tables["leak_audit"] = pd.DataFrame(
        {"n": [739], "alone": [0.71234567], "missing_share": [31 / 739], "missing_alone": [None], "gain": [0.01234567]}
    )
    tables["coherence_audit"] = pd.DataFrame({"n": [203, None], "association": [0.94321, None]})
    tables["comparison"] = pd.DataFrame({"n": [739], "n_events": [193], "difference": [0.0123456], "lower": [0.001]})
    tables["explanation_quality"] = pd.DataFrame({"n": [739], "estimate": [263 / 739], "lower": [0.3], "upper": [0.4]})
    tables["slice"] = pd.DataFrame({"n": [203], "n_events": [55], "found_estimate": [1.43210], "p_value": [1.2e-9]})
    seen = suppress(tables)
    for name in ("leak_audit", "coherence_audit", "comparison", "explanation_quality", "slice"):
        assert (seen[name]["n"].dropna() % 10 == 0).all(), name
    assert seen["leak_audit"].iloc[0].drop("n").dropna().to_dict() == {
        "alone": 0.712, "missing_share": 0.04, "gain": 0.012,
    }  # fmt: skip
    assert seen["coherence_audit"]["association"].dropna().tolist() == [0.94]
    assert seen["comparison"]["difference"].tolist() == [0.012]
    assert seen["explanation_quality"]["estimate"].tolist() == [0.356]
    assert seen["slice"][["found_estimate", "p_value"]].to_numpy().tolist() == [[1.43, 0.01]]


def test_a_coverage_elsewhere_that_tells_of_few_patients_is_hidden_with_the_next() -> None:
    tables = _tables({"ward": WARDS})
    rows = [
        ("cost", "site", level, trained_on, "interval_coverage_90", estimate, 0.8, 0.99, n, None)
        for level, trained_on, estimate, n in (
            ("a", "others", 0.90, 60),  # 6 patients outside
            ("b", "others", 0.85, 200),
            ("c", "others", 0.88, 300),
            ("b", "a", 0.85, 200),
            ("c", "a", None, None),
        )
    ]
    columns = ["target_id", "attribute", "level", "trained_on", "metric", *NUMBERS]
    tables["validation"] = pd.DataFrame(rows, columns=columns).astype({"n": "Int64", "n_events": "Int64"})
    seen = suppress(tables)["validation"]
    assert seen["estimate"].notna().tolist() == [False, False, True, True, False]


def test_flagging_everybody_tells_no_more_of_the_events_than_their_count_in_tens() -> None:
    n, events, thresholds = 739, 193, np.linspace(0.05, 0.6, 25)
    exact = (events - thresholds / (1 - thresholds) * (n - events)) / n
    table = pd.DataFrame({"threshold": thresholds, "treat_all": exact, "net_benefit": 0.1, "n": n, "n_events": events})
    seen = suppress({**_tables({"ward": WARDS}), "net_benefit_curve": table})["net_benefit_curve"].astype(float)
    # What each threshold says of the share of events is the same: that of the counts told.
    odds = thresholds / (1 - thresholds)
    share = (seen["treat_all"] + odds) / (1 + odds)
    np.testing.assert_allclose(share, seen["n_events"] / seen["n"], rtol=1e-12)
    assert seen["n_events"].iloc[0] % 10 == 0
    assert abs(seen["treat_all"] - exact).max() < 0.06


def test_a_mean_outcome_and_a_share_of_gaps_are_as_coarse_as_counts() -> None:
    tables = _tables({"ward": WARDS})
    tables["feature"] = pd.DataFrame({"missing_share": [3 / 739, 0.26]})
    seen = suppress(tables)
    # Steps of ten of about 740 patients are 0.02.
    assert seen["feature"]["missing_share"].tolist() == [0.0, 0.26]
    assert seen["target"]["mean"].tolist() == [0.26, 1240.0]
