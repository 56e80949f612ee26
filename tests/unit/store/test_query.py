"""Read-only SQL on a release."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import StoreError
from pipeline.settings import Role
from pipeline.store.query import run_query
from pipeline.store.release import Release

ReleaseOf = Callable[[Role], Release]


def test_a_query_gives_rows_at_full_precision(release_of: ReleaseOf) -> None:
    frame = run_query(release_of(Role.CLINICIAN), "select 0.1::double + 0.2::double as x, 'a' as y")
    assert frame.to_dict("records") == [{"x": 0.1 + 0.2, "y": "a"}]


def test_a_query_may_give_no_row_at_all(release_of: ReleaseOf) -> None:
    assert run_query(release_of(Role.CLINICIAN), "select 1 as x where false").empty


@pytest.mark.parametrize("sql", ["show tables", "describe release", "from release", "  select 1;  "])
def test_what_helps_to_find_ones_way_works(release_of: ReleaseOf, sql: str) -> None:
    assert len(run_query(release_of(Role.BOARD), sql)) > 0


@pytest.mark.parametrize(
    "sql",
    [
        "drop table release",
        "delete from release",
        "insert into threshold values ('a', 0.5)",
        "update release set seed = 1",
        "create table other as select 1",
        "create view other as select 1",
        "set lock_configuration = false",
        "set enable_external_access = true",
        "set memory_limit = '90GB'",
    ],
)
def test_nothing_can_be_written_or_set(release_of: ReleaseOf, sql: str) -> None:
    release = release_of(Role.CLINICIAN)
    before = run_query(release, "from release")
    with pytest.raises(StoreError):
        run_query(release, sql)
    pd.testing.assert_frame_equal(run_query(release, "from release"), before)


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('{file}')",
        "select * from read_text('{file}')",
        "select * from '{file}'",
        "select * from glob('{folder}/*')",
        "copy (select 1) to '{folder}/out.csv'",
        "copy release to '{folder}/out.parquet'",
        "export database '{folder}/out'",
        "attach '{folder}/out.duckdb'",
        "install httpfs",
        "load httpfs",
    ],
)
def test_no_file_can_be_read_or_written(release_of: ReleaseOf, tmp_path: Path, sql: str) -> None:
    file = tmp_path / "secret.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(StoreError):
        run_query(release_of(Role.CLINICIAN), sql.format(file=file, folder=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


@pytest.mark.parametrize("other", ["clinician", "administrator"])
def test_the_file_of_another_role_cannot_be_attached(release_of: ReleaseOf, other: str) -> None:
    release = release_of(Role.BOARD)
    with pytest.raises(StoreError):
        run_query(release, f"attach '{release.folder / f'{other}.duckdb'}' (read_only)")


def test_frames_of_the_calling_program_are_no_tables(release_of: ReleaseOf) -> None:
    secret = pd.DataFrame({"x": [1]})
    with pytest.raises(StoreError, match="secret"):
        run_query(release_of(Role.CLINICIAN), "select * from secret")
    assert len(secret) == 1


@pytest.mark.parametrize(
    ("sql", "found"), [("selec 1", "Parser Error"), ("select nothing from release", "Binder Error")]
)
def test_wrong_sql_says_what_is_wrong_and_where_to_look(release_of: ReleaseOf, sql: str, found: str) -> None:
    with pytest.raises(StoreError, match="expected SQL over the tables that the board has") as caught:
        run_query(release_of(Role.BOARD), sql)
    assert f"got: {found}" in str(caught.value)
    assert "`show tables`" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 3


def test_what_gives_no_rows_is_no_query(release_of: ReleaseOf) -> None:
    with pytest.raises(StoreError, match="expected a query that gives rows"):
        run_query(release_of(Role.BOARD), "")


def test_a_query_that_takes_too_long_is_ended_and_the_release_stays_usable(release_of: ReleaseOf) -> None:
    release = release_of(Role.CLINICIAN)
    endless = "select count(*) from range(10000000) a, range(10000000) b where hash(a.range, b.range) = 7"
    with pytest.raises(StoreError, match=r"expected an answer within 0\.2 s"):
        run_query(release, endless, time_limit_s=0.2)
    assert len(run_query(release, "from release")) == 1


def test_patients_are_not_in_the_files_of_roles_that_see_none(release_of: ReleaseOf) -> None:
    for role in (Role.ADMINISTRATOR, Role.BOARD):
        for table in ("subject", "prediction", "patient_list"):
            with pytest.raises(StoreError, match=f"the tables that the {role} has"):
                run_query(release_of(role), f"from {table}")
