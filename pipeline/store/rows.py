"""What a SELECT gives, as a frame: the one way in which every read of a release asks."""

from collections.abc import Mapping, Sequence

import duckdb
import pandas as pd

Bound = Sequence[object] | Mapping[str, object]


def fetch_rows(con: duckdb.DuckDBPyConnection, sql: str, bound: Bound = ()) -> pd.DataFrame:
    """The rows of `sql` with its values bound, by position or by name."""
    frame: pd.DataFrame = con.execute(sql, bound).df()
    return frame
