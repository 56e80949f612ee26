"""The SELECT about what the board should look at."""

import duckdb
import pandas as pd

from pipeline.store.rows import fetch_rows


def get_findings(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """source, target_id, about, weight, title, evidence, page: the weightiest first."""
    return fetch_rows(con, "select * from finding order by position")
