"""Checking a release against its column contracts."""

from collections.abc import Iterator

import duckdb

from pipeline.errors import StoreError
from pipeline.settings import Role
from pipeline.store.tables import TABLES, Table
from pipeline.study.model import Study


def tables_of(role: Role) -> tuple[Table, ...]:
    """The tables in a role's file."""
    return tuple(table for table in TABLES if role in table.audience)


def study_columns(table: Table, study: Study) -> Iterator[str]:
    """The names of the columns that `study` adds to `table`."""
    features = [f.id for f in study.features]
    targets = [t.id for t in study.targets]
    if table.name == "subject":
        yield from dict.fromkeys([*features, *(a.id for a in study.subgroups), *targets])
    elif table.name == "contribution":
        yield from features
    elif table.name == "patient_list":
        for target in targets:
            yield from (f"{target}_{part}" for part in ("estimate", "lower_90", "upper_90", "reasons"))


def check_contract(con: duckdb.DuckDBPyConnection, study: Study, role: Role) -> None:
    """Passes if the open file has exactly the tables and columns of the contract, with their types and no stray nulls.

    Raises:
        StoreError: anything differs; that is a defect of the build, and nothing is published.
    """
    found = {name for (name,) in con.execute("select table_name from information_schema.tables").fetchall()}
    expected = {table.name for table in tables_of(role)}
    if found != expected:
        raise StoreError(f"expected tables {sorted(expected)} for the {role}", got=f"tables {sorted(found)}")
    for table in tables_of(role):
        _check_table(con, table, [*(c.name for c in table.columns), *study_columns(table, study)])


def _check_table(con: duckdb.DuckDBPyConnection, table: Table, expected: list[str]) -> None:
    described = {row[0]: row[1] for row in con.execute(f'describe "{table.name}"').fetchall()}
    if list(described) != expected:
        raise StoreError(f"expected columns {expected} in {table.name}", got=f"columns {list(described)}")
    for column in table.columns:
        if described[column.name] != column.type:
            raise StoreError(f"expected {table.name}.{column.name} as {column.type}", got=described[column.name])
        nulls = con.execute(f'select count(*) from "{table.name}" where "{column.name}" is null').fetchall()[0][0]
        if nulls and not column.nullable:
            raise StoreError(f"expected no nulls in {table.name}.{column.name}", got=f"{nulls} nulls")
