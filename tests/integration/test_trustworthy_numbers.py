"""On full builds: intervals that hold, comparisons, audits that find what is there, totals of groups. Slow."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pipeline.settings import Role
from pipeline.store.release import open_release

pytestmark = pytest.mark.acceptance

STUDY = "support2"
Ask = Callable[..., pd.DataFrame]
OUTCOMES, AMOUNTS = ["death_180d", "hospital_death"], ["total_cost", "bed_days"]


@pytest.fixture(scope="module")
def ask(full_store: Path) -> Ask:
    """Asks a role's file of a study."""

    def select(sql: str, *, study: str = STUDY, role: Role = Role.CLINICIAN) -> pd.DataFrame:
        frame: pd.DataFrame = open_release(study, role, store=full_store).cursor().execute(sql).df()
        return frame

    return select


@pytest.mark.parametrize("target", OUTCOMES)
def test_risks_are_calibrated_overall(figure: Callable[..., float], target: str) -> None:
    assert 0.93 <= figure(STUDY, target, "calibration_slope") <= 1.07


@pytest.mark.parametrize("target", AMOUNTS)
@pytest.mark.parametrize("level", [80, 90])
def test_intervals_of_amounts_hold_what_they_promise(figure: Callable[..., float], target: str, level: int) -> None:
    assert figure(STUDY, target, f"interval_coverage_{level}") == pytest.approx(level / 100, abs=0.015)


@pytest.mark.parametrize(("model", "at_least"), [("xgboost_plus_physician", 0.828), ("xgboost_plus_all", 0.830)])
def test_people_and_model_together_reach_what_they_should(
    figure: Callable[..., float], model: str, at_least: float
) -> None:
    assert figure(STUDY, "death_180d", "auroc", model=model, population="all_baselines") >= at_least


def test_better_than_the_physician_is_said_because_the_interval_says_so(ask: Ask) -> None:
    row = ask(
        "select * from comparison where target_id = 'death_180d' and metric = 'auroc' and model_id = 'xgboost' "
        "and other_id = 'physician'"
    ).iloc[0]
    assert row["n"] == 7472
    assert (row["verdict"] == "better") == (row["lower"] > 0)


def test_the_shipped_study_has_no_leak_and_no_rows_mixed_up(ask: Ask) -> None:
    assert ask("select * from leak_audit where finding").empty
    assert ask("select * from coherence_audit where finding").empty
    assert ask("select * from finding where source in ('leak', 'coherence')").empty


def test_the_file_as_it_was_filed_is_found_to_be_displaced(ask: Ask) -> None:
    found = ask("select * from coherence_audit where finding", study="support2-as-filed")
    by_rows = found[(found["block_kind"] == "rows") & found["relation"].str.startswith(("aps", "sps"))]
    # The first 431 patients of phase II (rows 833 to 1,263) stand where they belong; displaced are only those after.
    assert by_rows["last_row"].min() > 1263
    assert {14, 47, 73} <= set(by_rows["best_lag"].abs())
    assert len(ask("select * from finding where source = 'coherence'", study="support2-as-filed"))


@pytest.mark.parametrize("target", [*OUTCOMES, *AMOUNTS])
def test_totals_of_groups_hold_for_random_groups_and_for_formed_ones(ask: Ask, target: str) -> None:
    held = ask(f"select * from total_coverage where target_id = '{target}' and level = 0.9")
    random = held[held["group_kind"] == "random"].set_index("size")["coverage"]
    assert sorted(random.index) == [20, 100, 500]
    assert random.between(0.86, 0.94).all(), random
    assert held.loc[held["group_kind"] == "attribute", "coverage"].iloc[0] >= 0.80


def test_models_differ_between_sites_as_is_known(ask: Ask) -> None:
    sites = ask(
        "select level, metric, estimate from validation where target_id = 'hospital_death' and attribute = 'site'"
    ).pivot_table(index="level", columns="metric", values="estimate")
    assert len(sites) == 5
    assert sites["calibration_slope"].between(0.6, 1.25).all()
    assert sites["auroc"].between(0.80, 0.90).all()


def test_nobody_is_scored_without_physiology(ask: Ask) -> None:
    counts = ask(
        "select p.status, count(*) as n from prediction p join subject_repair r using (subject_id) "
        "where r.result = 'absent' and p.target_id = 'death_180d' group by all"
    )
    assert dict(zip(counts["status"], counts["n"], strict=True)) == {"refused": 90}
