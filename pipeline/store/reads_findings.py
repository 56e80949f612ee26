"""The SELECT about what the board should look at."""

import duckdb
import pandas as pd


def get_findings(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """source, target_id, about, weight, title, evidence, page: the weightiest first."""
    frame: pd.DataFrame = con.execute("select * from finding order by position").df()
    return frame
