"""Read-only SQL on a release, with a time limit."""

import threading

import duckdb
import pandas as pd

from pipeline.errors import StoreError
from pipeline.store.release import Release

_TIME_LIMIT_S = 60.0


def run_query(release: Release, sql: str, *, time_limit_s: float = _TIME_LIMIT_S) -> pd.DataFrame:
    """The rows of `sql` on what the release's role may see.

    Raises:
        StoreError: the SQL is wrong, gives no rows, or takes longer than the limit.
    """
    cursor = release.cursor()
    timer = threading.Timer(time_limit_s, cursor.interrupt)
    timer.start()
    try:
        relation = cursor.sql(sql)
        if relation is None:
            raise StoreError("expected a query that gives rows", got=sql.strip()[:80], mend="start it with SELECT")
        frame: pd.DataFrame = relation.df()
        return frame
    except duckdb.InterruptException:
        raise StoreError(f"expected an answer within {time_limit_s:g} s", got="none", mend="ask for less") from None
    except duckdb.Error as error:
        raise StoreError(
            f"expected SQL over the tables that the {release.role} has",
            got=str(error).strip().splitlines()[0],
            mend="`show tables` lists them; docs/store.md says what is in them",
        ) from None
    finally:
        timer.cancel()
