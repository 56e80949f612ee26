"""The contract of a role's file: anything that differs from it stops the build."""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import StoreError
from pipeline.settings import Role
from pipeline.store.release import Release
from pipeline.store.schema import check_contract, study_columns, tables_of
from pipeline.store.tables import TABLES
from pipeline.study import Study


@pytest.fixture
def con(release_of: Callable[[Role], Release], tmp_path: Path) -> duckdb.DuckDBPyConnection:
    """A copy of the board's file that may be spoilt."""
    folder = release_of(Role.BOARD).folder
    shutil.copy(folder / "board.duckdb", tmp_path / "copy.duckdb")
    return duckdb.connect(str(tmp_path / "copy.duckdb"))


def test_a_file_as_it_was_built_meets_the_contract(con: duckdb.DuckDBPyConnection, small_study: Study) -> None:
    check_contract(con, small_study, Role.BOARD)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ("alter table release drop column era", "expected columns .* in release"),
        ("alter table release add column more int", "expected columns .* in release"),
        ("alter table release rename column era to years", "expected columns .* in release"),
        ("drop table performance", "expected tables .* for the board"),
        ("create table subject as select 1 as subject_id", "expected tables .* for the board"),
        ("create view more as select 1 as x", "expected tables .* for the board"),
        ("alter table release alter seed type integer", "expected release.seed as BIGINT"),
        ("update release set era = null", "expected no nulls in release.era"),
        ("update performance set n = null where metric = 'auroc'", "expected no nulls in performance.n"),
    ],
)
def test_anything_that_differs_is_refused(
    con: duckdb.DuckDBPyConnection, small_study: Study, spoil: str, message: str
) -> None:
    con.execute(spoil)
    with pytest.raises(StoreError, match=message):
        check_contract(con, small_study, Role.BOARD)


def test_nulls_are_allowed_where_the_contract_says_so(con: duckdb.DuckDBPyConnection, small_study: Study) -> None:
    con.execute("update performance set lower = null, threshold = null")
    check_contract(con, small_study, Role.BOARD)


def test_a_file_of_another_study_is_refused_where_the_study_adds_columns(
    release_of: Callable[[Role], Release], tiny_study: Study
) -> None:
    with pytest.raises(StoreError, match="expected columns"):
        check_contract(release_of(Role.CLINICIAN).cursor(), tiny_study, Role.CLINICIAN)


def test_roles_that_see_no_patient_have_no_table_with_patients() -> None:
    for role in (Role.ADMINISTRATOR, Role.BOARD):
        for table in tables_of(role):
            assert not any(column.name in ("subject_id", "source_row") for column in table.columns)
    assert {t.name for t in TABLES} == {t.name for t in tables_of(Role.CLINICIAN)}


def test_a_study_adds_its_features_attributes_and_targets(tiny_study: Study) -> None:
    by_name = {table.name: list(study_columns(table, tiny_study)) for table in TABLES}
    assert by_name["subject"] == ["age", "sex", "lactate", "ward", "age_band", "death", "cost"]
    assert by_name["contribution"] == ["age", "sex", "lactate", "ward"]
    assert by_name["patient_list"][:4] == ["death_estimate", "death_lower_90", "death_upper_90", "death_reasons"]
    assert by_name["release"] == []
