"""Groups: who is in them, how they compare with the reference, which can be judged, and what is flagged."""

import math
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy.special import expit
from sklearn import metrics as sklearn_metrics

from pipeline.evaluate.amount_metrics import Predicted
from pipeline.evaluate.performance import AllScores, collect_scores
from pipeline.evaluate.scores import Scores
from pipeline.evaluate.subgroups import build_subgroup_performance, compare_draws, group_patients
from pipeline.settings import Role
from pipeline.store.schema import tables_of
from pipeline.study import Study
from tests import oracles
from tests.fitted_case import N, write_case

Array = npt.NDArray[np.float64]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fairlearn.metrics import MetricFrame, selection_rate


@pytest.fixture(scope="module")
def case(tiny_study: Study) -> dict[str, Any]:
    return write_case(tiny_study)


@pytest.fixture(scope="module")
def scores(tiny_study: Study, case: dict[str, Any]) -> AllScores:
    return collect_scores(tiny_study, case["fits"], case["targets"], case["baselines"])


@pytest.fixture(scope="module")
def table(tiny_study: Study, scores: AllScores, case: dict[str, Any]) -> pd.DataFrame:
    return build_subgroup_performance(tiny_study, scores, case["subjects"])


def row_of(table: pd.DataFrame, **where: object) -> pd.Series:
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def simulate(study: Study, n: int, *, seed: int, excess: float = 1.0) -> tuple[AllScores, pd.DataFrame]:
    """Risks that are right for everybody but women, who have `excess` times as many events; half are women."""
    rng = np.random.default_rng(seed)
    risk = expit(rng.normal(-1, 1, n)) * 0.6
    sex, age = rng.choice(["male", "female"], n), rng.choice(["under 65", "65 and over"], n)
    events = (rng.random(n) < np.where(sex == "female", excess, 1.0) * risk).astype(float)
    said = np.exp(rng.normal(8, 0.5, n))
    bounds = said[:, None] * np.exp(0.6 * np.array([-1.2816, 1.2816, -1.6449, 1.6449]))
    noise = np.exp(rng.normal(0, 0.6, n))
    amount = Predicted(said * math.exp(0.18), np.log(said), bounds)
    models = {
        "death": {"xgboost": Scores(events, risk)},
        "cost": {"xgboost": Scores(said * noise, amount.estimate, amount=amount)},
    }
    return models, pd.DataFrame({"sex": sex, "age_band": age})


def test_the_columns_are_those_of_the_contract(table: pd.DataFrame) -> None:
    contract = next(t for t in tables_of(Role.CLINICIAN) if t.name == "subgroup_performance")
    assert set(table) == {c.name for c in contract.columns}
    for column in contract.columns:
        assert column.nullable or table[column.name].notna().all()


def test_each_level_is_measured_on_its_own_patients(case: dict[str, Any], table: pd.DataFrame) -> None:
    events, risks = case["targets"]["death"].to_numpy(), case["fits"]["death"].estimate
    for attribute in ("sex", "age_band"):
        for level in set(case["subjects"][attribute]):
            own = (case["subjects"][attribute] == level).to_numpy()
            row = row_of(table, target_id="death", attribute=attribute, level=level, metric="auroc")
            assert row["estimate"] == pytest.approx(oracles.auroc(events[own], risks[own]))
            assert (row["n"], row["n_events"], row["family"]) == (own.sum(), events[own].sum(), "attribute")


def test_each_pair_of_levels_is_measured_on_the_patients_of_both(case: dict[str, Any], table: pd.DataFrame) -> None:
    subjects, events = case["subjects"], case["targets"]["death"].to_numpy()
    both = ((subjects["sex"] == "female") & (subjects["age_band"] == "under 65")).to_numpy()
    row = row_of(
        table, target_id="death", attribute="sex × age_band", level="female × under 65", metric="observed_expected"
    )
    assert row["estimate"] == pytest.approx(events[both].sum() / case["fits"]["death"].estimate[both].sum())
    assert (row["n"], row["family"]) == (both.sum(), "pair")
    levels = set(table.query("family == 'pair'")["level"])
    assert levels == {f"{a} × {b}" for a in ("male", "female", "missing") for b in ("under 65", "65 and over")}


def test_rates_of_groups_are_those_of_fairlearn(case: dict[str, Any], table: pd.DataFrame) -> None:
    events, flagged = case["targets"]["death"], (case["fits"]["death"].estimate >= 0.3).astype(int)
    metrics = {
        "flag_rate": selection_rate,
        "sensitivity": sklearn_metrics.recall_score,
        "ppv": sklearn_metrics.precision_score,
    }
    frame = MetricFrame(
        metrics=metrics, y_true=events, y_pred=flagged, sensitive_features=case["subjects"][["sex", "age_band"]]
    )
    single = MetricFrame(metrics=metrics, y_true=events, y_pred=flagged, sensitive_features=case["subjects"]["sex"])
    for metric in metrics:
        for (sex, age), expected in frame.by_group[metric].items():
            where = {"target_id": "death", "attribute": "sex × age_band", "level": f"{sex} × {age}"}
            assert row_of(table, metric=metric, **where)["estimate"] == pytest.approx(expected)
        for sex, expected in single.by_group[metric].items():
            row = row_of(table, metric=metric, target_id="death", attribute="sex", level=sex)
            assert row["estimate"] == pytest.approx(expected)
            if sex != "male":
                assert row["ratio"] == pytest.approx(expected / single.by_group[metric]["male"])


def test_groups_are_compared_with_the_reference_and_the_reference_with_nobody(table: pd.DataFrame) -> None:
    chosen = table[(table["target_id"] == "death") & (table["metric"] == "brier")].set_index(["attribute", "level"])
    assert math.isnan(chosen["ratio"]["sex", "male"])
    assert math.isnan(chosen["ratio"]["sex × age_band", "male × under 65"])
    women = row_of(chosen.reset_index(), attribute="sex", level="female")
    assert women["ratio"] == pytest.approx(women["estimate"] / chosen["estimate"]["sex", "male"])
    assert women["ratio_lower"] < women["ratio"] < women["ratio_upper"]
    for metric in ("calibration_intercept", "net_benefit", "r2"):
        assert table.loc[table["metric"] == metric, "ratio"].isna().all()


def test_the_interval_of_a_ratio_is_that_of_two_independent_rates() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.binomial(900, 0.2, 4001) / 900, rng.binomial(400, 0.4, 4001) / 400
    first[0], second[0] = 0.2, 0.4
    ratio, lower, upper = compare_draws(first, second)
    # Katz 1978: the variance of the log of a ratio of two rates.
    error = math.sqrt((1 - 0.2) / (900 * 0.2) + (1 - 0.4) / (400 * 0.4))
    assert ratio == pytest.approx(0.5)
    assert (math.log(lower), math.log(upper)) == pytest.approx(
        (math.log(0.5) - 1.96 * error, math.log(0.5) + 1.96 * error), abs=0.015
    )
    assert all(math.isnan(v) for v in compare_draws(first, 0 * second))


def test_not_recorded_is_a_level_where_somebody_has_it(table: pd.DataFrame) -> None:
    levels = table.groupby("attribute")["level"].unique()
    assert list(levels["sex"]) == ["male", "female", "missing"]
    assert list(levels["age_band"]) == ["under 65", "65 and over"]


def test_the_patients_of_all_levels_are_the_cohort(table: pd.DataFrame) -> None:
    counts = table.query("target_id == 'death' and metric == 'brier'").groupby("attribute")["n"].sum()
    assert counts.to_dict() == {"sex": N, "age_band": N, "sex × age_band": N}


def test_refused_patients_are_in_no_group(tiny_study: Study, scores: AllScores, case: dict[str, Any]) -> None:
    table = build_subgroup_performance(tiny_study, scores, case["subjects"], scored=np.arange(N) >= 30)
    counts = table.query("target_id == 'death' and metric == 'brier'").groupby("attribute")["n"].sum()
    assert set(counts) == {N - 30}


def test_a_level_without_observed_cost_says_so(tiny_study: Study, case: dict[str, Any]) -> None:
    targets = case["targets"].copy()
    targets.loc[case["subjects"]["sex"] == "missing", "cost"] = np.nan
    scores = collect_scores(tiny_study, case["fits"], targets, case["baselines"])
    table = build_subgroup_performance(tiny_study, scores, case["subjects"])
    own = table.query("target_id == 'cost' and attribute == 'sex' and level == 'missing'")
    assert len(own)
    assert set(own["judgement"]) == {"not estimable: no patient's target was observed"}
    assert set(own["n"]) == {0}
    assert own[["estimate", "lower", "upper", "ratio", "p_value", "detectable"]].isna().all().all()


def test_a_study_without_subgroups_has_an_empty_table(
    tiny_study: Study, scores: AllScores, case: dict[str, Any]
) -> None:
    bare = tiny_study.model_copy(update={"subgroups": []})
    assert build_subgroup_performance(bare, scores, case["subjects"]).empty
    assert not group_patients(bare, case["subjects"])


@pytest.mark.parametrize(
    ("events", "risk", "expected"),
    [
        (0.0, None, {"auroc": "no patient had the event", "observed_expected": "no patient had the event"}),
        (1.0, None, {"auroc": "every patient had the event", "specificity": "every patient had the event"}),
        (None, 0.2, {"calibration_slope": "all risks are the same", "ppv": "no patient is at or above the threshold"}),
        (None, 0.4, {"npv": "no patient is below the threshold"}),
        (None, 0.0, {"observed_expected": "every risk is zero"}),
    ],
)
def test_groups_that_a_measure_has_no_meaning_in_say_why(
    tiny_study: Study, events: float | None, risk: float | None, expected: dict[str, str]
) -> None:
    scores, subjects = simulate(tiny_study, 400, seed=4)
    women, death = (subjects["sex"] == "female").to_numpy(), scores["death"]["xgboost"]
    observed = np.where(women, death.observed if events is None else events, death.observed)
    said = np.where(women, death.said if risk is None else risk, death.said)
    table = build_subgroup_performance(tiny_study, {"death": {"xgboost": Scores(observed, said)}}, subjects)
    for metric, why in expected.items():
        row = row_of(table, attribute="sex", level="female", metric=metric)
        assert row["judgement"] == f"not estimable: {why}"
        assert row[["estimate", "lower", "upper", "ratio", "p_value", "q_value"]].isna().all()
        assert not row["flag"]
    assert table["estimate"].notna().equals(~table["judgement"].str.startswith("not estimable"))


def test_a_group_whose_amounts_are_all_zero_says_why(tiny_study: Study) -> None:
    scores, subjects = simulate(tiny_study, 400, seed=4)
    cost = scores["cost"]["xgboost"]
    observed = np.where(subjects["sex"] == "female", 0.0, cost.observed)
    table = build_subgroup_performance(
        tiny_study, {"cost": {"xgboost": Scores(observed, cost.said, amount=cost.amount)}}, subjects
    )
    own = table.query("attribute == 'sex' and level == 'female'").set_index("metric")["judgement"]
    assert own["predictive_ratio"] == "not estimable: every amount observed is zero"
    assert own["r2"] == "not estimable: all amounts observed are the same"
    assert own["r2_log"] == "not estimable: an amount of zero has no logarithm"
    assert own["mae"] == "judged"


def test_what_is_right_is_seldom_flagged(tiny_study: Study) -> None:
    runs, flagged = 25, {"attribute": 0, "pair": 0}
    for seed in range(runs):
        scores, subjects = simulate(tiny_study, 1200, seed=seed)
        table = build_subgroup_performance(tiny_study, scores, subjects)
        assert table.loc[table["family"] == "attribute", "p_value"].notna().sum() >= 16
        for family in flagged:
            flagged[family] += int(table.loc[table["family"] == family, "flag"].any())
    # Of fair runs 5 and 10 in 100 may have any flag. Allowed is what 25 such runs exceed once in a thousand times.
    assert flagged["attribute"] <= 5
    assert flagged["pair"] <= 8


def test_a_group_with_many_more_events_than_predicted_is_found(tiny_study: Study) -> None:
    scores, subjects = simulate(tiny_study, 1200, seed=3, excess=1.6)
    table = build_subgroup_performance(tiny_study, scores, subjects)
    ratio = table[(table["metric"] == "observed_expected") & (table["family"] == "attribute")]
    women = row_of(ratio, level="female")
    assert women["estimate"] == pytest.approx(1.6, rel=0.2)
    assert women["flag"]
    assert women["q_value"] < 0.05
    assert not row_of(ratio, level="male")["flag"]
    assert 1 < women["detectable"] < 1.6


def test_a_group_shows_the_detectable_ratio_four_times_in_five(tiny_study: Study) -> None:
    scores, subjects = simulate(tiny_study, 1000, seed=1)
    women = subjects["sex"].to_numpy() == "female"
    table = build_subgroup_performance(tiny_study, {"death": scores["death"]}, subjects)
    excess = row_of(table, attribute="sex", level="female", metric="observed_expected")["detectable"]
    rng, risk = np.random.default_rng(5), scores["death"]["xgboost"].said[women]
    found = []
    for _ in range(2000):
        happened = (rng.random(len(risk)) < np.minimum(excess * risk, 1)).sum()
        # Poisson error of the logarithm of observed/expected, smaller for the binomial: that of the rate.
        error = math.sqrt((1 - happened / len(risk)) / happened)
        found.append(abs(math.log(happened / risk.sum())) > 1.96 * error)
    assert 0.7 < np.mean(found) < 0.95
