"""The tables of groups' totals, from a tiny cohort and from simulated ones."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.build import check_study
from pipeline.cohort import Cohort
from pipeline.evaluate.group_effects import Levels
from pipeline.evaluate.group_totals import build_group_totals, compute_effects
from pipeline.evaluate.totals import AmountTotals, EventTotals
from pipeline.features import build_matrix
from pipeline.models.boosting import Boosting
from pipeline.models.crossfit import CrossFit, cross_fit
from pipeline.splits import assign_folds
from pipeline.study import Study

Tables = dict[str, pd.DataFrame]
Case = tuple[Cohort, dict[str, CrossFit]]


@pytest.fixture(scope="module")
def case(tiny_study: Study, quick: Boosting) -> Case:
    cohort = check_study(tiny_study)
    matrix, folds = build_matrix(tiny_study, cohort.subjects), assign_folds(tiny_study, cohort.targets)
    fits = {
        t.id: cross_fit(tiny_study, t, matrix, cohort.targets[t.id].to_numpy(float), folds, boosting=quick)
        for t in tiny_study.targets
    }
    return cohort, fits


@pytest.fixture(scope="module")
def tables(tiny_study: Study, case: Case) -> Tables:
    return build_group_totals(tiny_study, case[1], case[0])


@pytest.mark.parametrize("target_id", ["death", "cost"])
def test_totals_of_levels_add_up_to_the_total_of_everybody(tables: Tables, case: Case, target_id: str) -> None:
    table = tables["group_total"].query("target_id == @target_id")
    whole = table[table["attribute"] == "all"].iloc[0]
    for attribute in ("sex", "age_band"):
        parts = table[table["attribute"] == attribute]
        for column in ("n", "n_observed", "projected_total", "observed_total"):
            assert parts[column].sum() == pytest.approx(whole[column])
    assert whole["projected_total"] == pytest.approx(case[1][target_id].estimate.sum())
    assert whole["observed_total"] == pytest.approx(case[0].targets[target_id].sum())
    assert whole["n"] == 240
    assert (table["lower"] < table["upper"]).all()


def test_every_attribute_has_an_effect_of_every_target(tables: Tables) -> None:
    effects = tables["group_effect"]
    assert list(zip(effects["target_id"], effects["attribute"], strict=True)) == [
        (target, attribute) for target in ("death", "cost") for attribute in ("sex", "age_band")
    ]
    assert (effects["sd"] >= 0).all()


def test_coverage_is_counted_in_random_groups_that_leave_enough_others_and_in_levels(tables: Tables) -> None:
    coverage = tables["total_coverage"]
    random = coverage[coverage["group_kind"] == "random"]
    assert random.groupby("size")["n_groups"].unique().map(list).to_dict() == {20: [400], 100: [400]}
    levels = coverage[coverage["group_kind"] == "attribute"]
    assert levels["size"].isna().all()
    assert set(levels["n_groups"]) == {4}
    assert set(coverage["level"]) == {0.8, 0.9, 0.95}
    assert coverage["coverage"].between(coverage["lower"] - 1e-9, coverage["upper"] + 1e-9).all()
    assert (coverage["lower"] < coverage["upper"]).all()


def test_who_is_not_scored_is_in_no_group(tiny_study: Study, case: Case) -> None:
    cohort, fits = case
    scored = np.arange(240) % 3 > 0
    masked = build_group_totals(tiny_study, fits, cohort, scored=scored)
    nulls = {t: replace(fit, estimate=np.where(scored, fit.estimate, np.nan)) for t, fit in fits.items()}
    for name, table in build_group_totals(tiny_study, nulls, cohort).items():
        pd.testing.assert_frame_equal(table, masked[name])
    whole = masked["group_total"].query("attribute == 'all' and target_id == 'cost'").iloc[0]
    assert whole["n"] == 160
    assert whole["n_observed"] == (cohort.targets["cost"].notna() & scored).sum()
    assert whole["projected_total"] == pytest.approx(fits["cost"].estimate[scored].sum())
    # What happened to those left out changes nothing.
    targets = cohort.targets.where(pd.Series(scored), 1.0)
    again = build_group_totals(tiny_study, fits, replace(cohort, targets=targets), scored=scored)
    pd.testing.assert_frame_equal(again["group_total"], masked["group_total"])


def test_a_target_without_any_scored_patient_has_no_rows(tiny_study: Study, case: Case) -> None:
    nobody = build_group_totals(tiny_study, case[1], case[0], scored=np.zeros(240, dtype=bool))
    assert all(table.empty for table in nobody.values())


def test_a_study_without_attributes_has_the_totals_of_everybody_alone(tiny_study: Study, case: Case) -> None:
    study = tiny_study.model_copy(update={"subgroups": []})
    tables = build_group_totals(study, case[1], case[0])
    assert tables["group_effect"].empty
    assert set(tables["group_total"]["attribute"]) == {"all"}
    assert set(tables["total_coverage"]["group_kind"]) == {"random"}


def _simulate(n: int, *, site_sd: float, seed: int) -> tuple[EventTotals, AmountTotals, Levels, pd.DataFrame]:
    """Twelve sites that differ by `site_sd`, two sexes that do not; risks near one third."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"site": rng.integers(12, size=n).astype(str), "sex": rng.choice(["f", "m"], n)})
    lift = np.exp(rng.normal(0, site_sd, 12))[frame["site"].astype(int)]
    risk = rng.uniform(0.2, 0.4, n)
    amount = rng.lognormal(8, 0.5, n)
    events = EventTotals(risk, (rng.random(n) < np.minimum(risk * lift, 1)).astype(float))
    return events, AmountTotals(amount, amount * lift * rng.lognormal(-0.125, 0.5, n)), Levels(frame), frame


def test_the_effect_of_sites_is_found_and_that_of_sexes_is_not() -> None:
    found = [
        [compute_effects(totals, levels) for totals in (events, amounts)]
        for events, amounts, levels, _ in (_simulate(12_000, site_sd=0.25, seed=seed) for seed in range(12))
    ]
    for kind in (0, 1):
        assert np.mean([effects[kind]["site"] for effects in found]) == pytest.approx(0.25, abs=0.05)
        assert np.mean([effects[kind]["sex"] for effects in found]) < 0.03


def test_a_level_left_out_is_not_looked_at() -> None:
    events, _, levels, frame = _simulate(4000, site_sd=0.2, seed=3)
    own = (frame["site"] == "4").to_numpy()
    other = EventTotals(events.projected, np.where(own, 1 - events.observed, events.observed))
    before, after = (compute_effects(totals, levels, left_out=("site", "4")) for totals in (events, other))
    assert before["site"] == after["site"]
    assert compute_effects(events, levels)["site"] != compute_effects(other, levels)["site"]


def test_levels_of_few_events_are_not_looked_at() -> None:
    events, _, _, frame = _simulate(4000, site_sd=0.0, seed=4)
    rare = np.zeros(4000, dtype=bool)
    rare[np.flatnonzero(events.observed == 1)[:19]] = True
    levels = Levels(frame.assign(sex=np.where(rare, "x", frame["sex"])))
    known = compute_effects(events, levels)
    assert known["sex"] < 0.1
    only_rare_and_rest = Levels(pd.DataFrame({"sex": np.where(rare, "x", "rest")}))
    assert np.isnan(compute_effects(events, only_rare_and_rest)["sex"])
