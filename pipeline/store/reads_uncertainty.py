"""The SELECTs about how sure estimates are: coverage and width of intervals, of totals, and spread over repeats."""

import duckdb
import pandas as pd

from pipeline.store.rows import fetch_rows


def get_interval_quality(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """A row a target and level (80, 90): label, kind, unit, interval_kind, coverage and width with intervals, n."""
    sql = """
        with measured as (
            select target_id, right(metric, 2) as level, estimate, lower, upper, n,
                   metric like 'interval_coverage%' as is_coverage
            from performance
            where model_id = 'xgboost' and population = 'all' and metric similar to 'interval_(coverage|width)_(80|90)'
        )
        select t.label, t.kind, t.unit, t.interval_kind, cast(c.level as integer) as level, c.n,
               c.estimate as coverage, c.lower as coverage_lower, c.upper as coverage_upper,
               w.estimate as width, w.lower as width_lower, w.upper as width_upper
        from measured c join measured w using (target_id, level) join target t using (target_id)
        where c.is_coverage and not w.is_coverage order by t.position, level
    """
    return fetch_rows(con, sql)


def get_total_coverage(con: duckdb.DuckDBPyConnection, target_id: str) -> pd.DataFrame:
    """group_kind, size, level, coverage, lower, upper, n_groups: random groups first, by size."""
    sql = "select * from total_coverage where target_id = ? order by group_kind desc, size, level"
    return fetch_rows(con, sql, [target_id])


def get_group_effects(con: duckdb.DuckDBPyConnection, target_id: str) -> pd.DataFrame:
    """attribute_label, sd: how much levels of an attribute differ from what is predicted, largest first."""
    sql = (
        "select any_value(l.attribute_label) as attribute_label, g.sd from group_effect g "
        "join attribute_level l using (attribute) where g.target_id = ? group by g.attribute, g.sd order by g.sd desc"
    )
    return fetch_rows(con, sql, [target_id])


def get_repeat_spread(con: duckdb.DuckDBPyConnection, target_id: str) -> pd.DataFrame:
    """metric, n_repeats, mean, sd, low, high over repeats; estimate, lower, upper (bootstrap) beside them."""
    sql = (
        "select r.*, p.estimate, p.lower, p.upper from repeat_spread r join performance p using (target_id, metric) "
        "where r.target_id = ? and p.model_id = 'xgboost' and p.population = 'all' and p.threshold is null"
    )
    return fetch_rows(con, sql, [target_id])
