"""Writing the tables of one role into its file, by contract."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pandas as pd

from pipeline.settings import Role
from pipeline.store.schema import check_contract, study_columns, tables_of
from pipeline.store.tables import Table
from pipeline.study.model import Study, quote


def write_role_file(path: Path, tables: Mapping[str, pd.DataFrame], study: Study, role: Role) -> None:
    """Writes `tables` into a DuckDB file for `role`, types by contract, then checks the contract.

    Raises:
        StoreError: the file does not meet the contract.
    """
    with duckdb.connect(str(path)) as con:
        for table in tables_of(role):
            if table.name == "explanation":
                _create_explanation_view(con, study)
            else:
                _create(con, table, tables[table.name], study)
        con.execute("checkpoint")
        check_contract(con, study, role)


def _create(con: duckdb.DuckDBPyConnection, table: Table, frame: pd.DataFrame, study: Study) -> None:
    contract = [f"cast({quote(c.name)} as {c.type}) as {quote(c.name)}" for c in table.columns]
    added = [quote(name) for name in study_columns(table, study)]
    # Sorted by patient, a patient's rows lie together; and the order of the source, which tells more, is gone.
    order = "order by subject_id" if any(c.name == "subject_id" for c in table.columns) else ""
    con.register("frame", frame)
    con.execute(f"create table {quote(table.name)} as select {', '.join([*contract, *added])} from frame {order}")
    con.unregister("frame")


def _create_explanation_view(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    features = ", ".join(quote(f.id) for f in study.features)
    con.execute(
        "create view explanation as select subject_id, target_id, feature_id, contribution, base_value "
        f"from contribution unpivot include nulls (contribution for feature_id in ({features}))"
    )
