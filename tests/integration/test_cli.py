"""The command line on a store with a release."""

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest

import pipeline.build
import pipeline.store.release
from pipeline.build import count_steps
from pipeline.errors import StoreError
from pipeline.models.boosting import Boosting
from pipeline.settings import Role
from pipeline.store.release import (
    Release,
    current_release,
    open_release,
    published_releases,
    read_manifest,
    require_contract,
)
from pipeline.store.tables import EVERYONE, TABLES, Column, Table
from pipeline.study import Study, load_study
from tests.command_line import run_command, run_here
from tests.conftest import WriteStudy
from tests.store_listing import list_store


@pytest.fixture(scope="module")
def release(small_store: Path, small_study: Study) -> Release:
    return open_release(small_study.id, Role.CLINICIAN, store=small_store)


@pytest.fixture
def _quickly(quick: Boosting, monkeypatch: pytest.MonkeyPatch) -> None:
    """`wardlight build` with few trees."""
    monkeypatch.setattr(pipeline.build, "Boosting", lambda: quick)


# build, check


@pytest.mark.usefixtures("_quickly")
def test_build_publishes_a_release_tells_its_steps_and_prints_a_summary(
    write_study: WriteStudy, tmp_path: Path
) -> None:
    outcome = run_here("build", write_study(tmp_path), "--store", tmp_path / "store")
    assert outcome.status == 0, outcome.err
    release_id = current_release("tiny", store=tmp_path / "store")
    assert f"tiny, release {release_id}" in outcome.out
    for figure in ("auroc", "observed_expected", "predictive_ratio", "interval_coverage_90"):
        assert figure in outcome.out
    last = count_steps(load_study(tmp_path))
    for step in (f" 1/{last} Reading and validating", "Training: Death in hospital", f"{last:>2}/{last} "):
        assert step in outcome.err
    performance = open_release("tiny", Role.BOARD, store=tmp_path / "store").cursor().execute("from performance").df()
    auroc = performance.query("metric == 'auroc' and model_id == 'xgboost' and population == 'all'")["estimate"].iloc[0]
    line = next(line for line in outcome.out.splitlines() if "auroc" in line)
    assert f"{round(auroc, 3):.3g}" in line.replace("│", " ").split()[-5]


@pytest.mark.parametrize("role", list(Role))
def test_a_quick_build_says_so_and_leaves_out_the_intervals_of_risks(
    write_study: WriteStudy, tmp_path: Path, role: Role
) -> None:
    store = tmp_path / "store"
    assert run_here("build", write_study(tmp_path), "--store", store, "--quick").status == 0
    release = open_release("tiny", role, store=store)
    assert release.cursor().execute("select quick, refits from release").fetchall() == [(True, 0)]
    assert read_manifest(release.folder)["boosting"]["refits"] == 0
    if role is Role.CLINICIAN:
        shown = release.cursor().execute("from prediction where status = 'scored'").df()
        death, cost = (shown[shown["target_id"] == target] for target in ("death", "cost"))
        bounds = ["lower_80", "upper_80", "lower_90", "upper_90"]
        assert death[bounds].isna().all(axis=None)
        assert death[["estimate", "band_lower", "band_upper"]].notna().all(axis=None)
        assert cost[bounds].notna().all(axis=None)
        listed = release.cursor().execute("from patient_list where status = 'scored'").df()
        assert listed[["death_lower_90", "death_upper_90"]].isna().all(axis=None)
        assert listed[["death_estimate", "cost_lower_90"]].notna().all(axis=None)


@pytest.mark.usefixtures("_quickly")
def test_build_if_absent_builds_once(write_study: WriteStudy, tmp_path: Path) -> None:
    arguments = ("build", write_study(tmp_path), "--store", tmp_path / "store", "--if-absent")
    assert run_here(*arguments).status == 0
    before = list_store(tmp_path / "store")
    second = run_here(*arguments)
    assert second.status == 0
    assert "The store has a release of tiny; building nothing." in second.out
    assert list_store(tmp_path / "store") == before


@pytest.mark.usefixtures("_quickly")
def test_a_release_of_an_earlier_version_is_not_shown_and_is_built_anew(
    write_study: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    arguments = ("build", write_study(tmp_path), "--store", store, "--if-absent")
    assert run_here(*arguments).status == 0
    release = open_release("tiny", Role.BOARD, store=store)
    assert require_contract(release) is release
    # This version has a table more than the one that built the release.
    later = (*TABLES, Table("later", "thing", EVERYONE, (Column("name", "VARCHAR", "its name"),)))
    monkeypatch.setattr(pipeline.store.release, "TABLES", later)
    with pytest.raises(StoreError, match="of this version of the code"):
        require_contract(release)
    assert run_here(*arguments).status == 0
    assert len(published_releases(store / "tiny")) == 2


@pytest.mark.usefixtures("_quickly")
def test_build_reads_its_source_from_another_folder(write_study: WriteStudy, tmp_path: Path) -> None:
    path = write_study(tmp_path / "study")
    (tmp_path / "data").mkdir()
    (tmp_path / "study" / "tiny.csv").rename(tmp_path / "data" / "tiny.csv")
    outcome = run_here("build", path, "--source", tmp_path / "data", "--store", tmp_path / "store")
    assert outcome.status == 0, outcome.err
    assert len(published_releases(tmp_path / "store" / "tiny")) == 1


def test_check_shows_who_is_in_and_what_breaks_a_rule_and_writes_nothing(
    write_study: WriteStudy, tmp_path: Path
) -> None:
    path = write_study(tmp_path)
    before = list_store(tmp_path)
    outcome = run_here("check", path)
    assert outcome.status == 0, outcome.err
    assert "tiny: 240 patients, 4 features, 2 targets. Ready: wardlight build" in " ".join(outcome.out.split())
    for said in ("age >= 18", "adults only", "impossible, a code for missing", "unknown category"):
        assert said in outcome.out
    assert list_store(tmp_path) == before


def test_check_passes_on_the_embedded_studies() -> None:
    for study, n in (("support2", "9,105"), ("support2-as-filed", "9,105")):
        outcome = run_here("check", study)
        assert outcome.status == 0, outcome.err
        assert f"{study}: {n} patients, 24 features, 4 targets" in outcome.out


def test_check_counts_what_a_repair_has_moved() -> None:
    outcome = run_here("check", "support2")
    table = pd.DataFrame(
        [line.strip("│ ").split("│") for line in outcome.out.splitlines() if line.startswith("│ physiology")]
    )
    counts = dict(zip(table[1].str.strip(), table[2].astype(int), strict=True))
    assert counts == {"absent": 90, "moved": 4283, "unchanged": 431}


# query


def test_csv_has_a_header_and_every_digit(small_store: Path, release: Release) -> None:
    sql = "select subject_id, margin, estimate from prediction where status = 'scored' order by all"
    outcome = run_here("query", "small", sql, "--store", small_store, "--format", "csv")
    assert outcome.status == 0, outcome.err
    rows = list(csv.reader(io.StringIO(outcome.out)))
    assert rows[0] == ["subject_id", "margin", "estimate"]
    stored = release.cursor().execute(sql).fetchall()
    assert [(row[0], float(row[1]), float(row[2])) for row in rows[1:]] == stored


def test_json_has_every_digit_and_null_where_there_is_none(small_store: Path, release: Release) -> None:
    sql = "select metric, threshold, estimate, lower, n, n_events from performance order by all"
    outcome = run_here("query", "small", sql, "--store", small_store, "--format", "json")
    assert outcome.status == 0, outcome.err
    rows = json.loads(outcome.out)
    stored = release.cursor().execute(sql).fetchall()
    assert [tuple(row.values()) for row in rows] == stored
    assert any(row["threshold"] is None for row in rows)
    assert all(isinstance(row["n"], int) for row in rows)


def test_a_list_comes_out_as_a_list(small_store: Path, release: Release) -> None:
    sql = "select death_180d_reasons as reasons from patient_list order by subject_id limit 3"
    outcome = run_here("query", "small", sql, "--store", small_store, "--format", "json")
    assert outcome.status == 0, outcome.err
    stored = [reasons for (reasons,) in release.cursor().execute(sql).fetchall()]
    assert [row["reasons"] for row in json.loads(outcome.out)] == stored


@pytest.mark.parametrize(
    "sql",
    [
        "select * from patient_list limit 2",
        "select [1, 2] as x",
        "select [] as x",
        "select {'a': 1} as x",
        "select '[/]' as x",
        "select 'a [b] c' as x",
        "select null as x",
        "select date '2020-01-02' as x, timestamp '2020-01-02 03:04:05' as y, time '03:04' as z",
        "select 170141183460469231731687303715884105727 as x",
    ],
)
def test_any_value_can_be_shown_as_a_table(small_store: Path, sql: str) -> None:
    outcome = run_here("query", "small", sql, "--store", small_store)
    assert outcome.status == 0, outcome.err
    assert "row" in outcome.out


def test_text_in_brackets_is_shown_as_it_is(small_store: Path) -> None:
    outcome = run_here("query", "small", "select 'a [bold]b[/bold] [70-80) c' as x", "--store", small_store)
    assert "a [bold]b[/bold] [70-80) c" in outcome.out


@pytest.mark.parametrize(("output", "expected"), [("csv", "x\n"), ("json", "[]\n")])
def test_no_row_is_an_answer_too(small_store: Path, output: str, expected: str) -> None:
    outcome = run_here("query", "small", "select 1 as x where false", "--store", small_store, "--format", output)
    assert (outcome.status, outcome.out) == (0, expected)


@pytest.mark.parametrize("role", list(Role))
def test_a_query_is_answered_as_the_role_that_asks_may_see(small_store: Path, role: Role) -> None:
    sql = "select count(*) filter (suppressed) as hidden, count(*) as n from subgroup_performance"
    outcome = run_here("query", "small", sql, "--role", role, "--store", small_store, "--format", "json")
    (row,) = json.loads(outcome.out)
    assert (row["hidden"] > 0) == (role is not Role.CLINICIAN)
    tables = run_here("query", "small", "show tables", "--role", role, "--store", small_store, "--format", "csv").out
    assert ("patient_list" in tables.split()) == (role is Role.CLINICIAN)


def test_a_study_can_be_named_by_its_file_in_a_query(small_store: Path, small_study: Study) -> None:
    path = small_study.folder / "study.yaml"
    outcome = run_here("query", path, "select study_id from release", "--store", small_store, "--format", "csv")
    assert outcome.out == "study_id\nsmall\n"


def test_the_installed_command_answers_with_data_alone(small_store: Path, small_study: Study) -> None:
    sql = "select n_subjects from release"
    outcome = run_command("query", "small", sql, "--store", small_store, "--format", "csv")
    n = len(pd.read_csv(small_study.source_path))
    assert (outcome.status, outcome.out, outcome.err) == (0, f"n_subjects\n{n}\n", "")


# verify


def test_verify_says_how_many_files_are_as_they_were_published(small_store: Path, release: Release) -> None:
    outcome = run_here("verify", "small", "--store", small_store)
    count = len(read_manifest(release.folder)["files"])
    assert outcome.status == 0
    assert f"small {release.release_id}: {count} files are as they were published." in outcome.out


def test_every_command_says_what_it_does() -> None:
    outcome = run_here("--help")
    assert outcome.status == 0
    for command in ("build", "check", "serve", "query", "verify"):
        assert command in outcome.out
        assert run_here(command, "--help").status == 0
