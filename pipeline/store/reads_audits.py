"""The SELECTs about the audits of a release: leaks, coherence, scope of use, and how models do elsewhere."""

import duckdb
import pandas as pd

from pipeline.store.rows import fetch_rows


def get_leaks(con: duckdb.DuckDBPyConnection, target_id: str) -> pd.DataFrame:
    """A row a column of the source: label (the feature's, else the column's name) and all of `leak_audit`."""
    sql = (
        "select coalesce(f.label, a.column_name) as label, a.* from leak_audit a "
        "left join feature f using (column_name) where a.target_id = ? "
        "order by a.finding desc, a.declared desc, a.gain desc nulls last"
    )
    return fetch_rows(con, sql, [target_id])


def get_leak_findings(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """column_name, why: the features that may know the future, whatever the target."""
    sql = "select column_name, any_value(why) as why from leak_audit where finding group by all order by column_name"
    return fetch_rows(con, sql)


def get_coherence(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Every relation in every block."""
    return fetch_rows(con, "select * from coherence_audit order by relation, block_kind, first_row")


def get_scope_rules(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """rule, limit, n, suppressed."""
    return fetch_rows(con, "select * from scope_rule")


def get_refused(con: duckdb.DuckDBPyConnection) -> int | None:
    """How many patients are not scored; None where that is withheld."""
    row = con.execute("select n from scope_rule where rule = 'in all'").fetchone()
    return None if row is None or row[0] is None else int(row[0])


def get_scored(con: duckdb.DuckDBPyConnection) -> int | None:
    """How many patients are scored, as every page tells it; None where the release has no totals."""
    row = con.execute("select max(n) from group_total where attribute = 'all'").fetchone()
    return None if row is None or row[0] is None else int(row[0])


def get_validation(con: duckdb.DuckDBPyConnection, target_id: str) -> pd.DataFrame:
    """attribute_label, level_label and all of `validation`, in the study's order."""
    sql = (
        "select l.attribute_label, l.level_label, v.* replace (coalesce(t.level_label, v.trained_on) as trained_on) "
        "from validation v join attribute_level l using (attribute, level) "
        "left join attribute_level t on t.attribute = v.attribute and t.level = v.trained_on "
        "where v.target_id = ? order by l.position, v.metric"
    )
    return fetch_rows(con, sql, [target_id])
