"""The SELECTs about groups of patients: what they are projected to cost, and how right that was."""

import duckdb
import pandas as pd

from pipeline.store.rows import fetch_rows


def get_group_outlook(con: duckdb.DuckDBPyConnection, target_id: str, attribute: str) -> pd.DataFrame:
    """A row a level of the attribute, in the study's order: totals of all its patients, means of those observed.

    level, level_label, n, projected_total, total_lower, total_upper, n_observed, observed_total; and for the patients
    whose amount was observed projected_mean, observed_mean, ratio (projected over observed) with lower and upper,
    judgement and flag; suppressed. Intervals are 95%.
    """
    sql = """
        with measured as (
            select level,
                   max(estimate) filter (metric = 'predicted_mean') as projected_mean,
                   max(estimate) filter (metric = 'observed_mean') as observed_mean,
                   max(estimate) filter (metric = 'predictive_ratio') as ratio,
                   max(lower) filter (metric = 'predictive_ratio') as lower,
                   max(upper) filter (metric = 'predictive_ratio') as upper,
                   max(judgement) filter (metric = 'predictive_ratio') as judgement,
                   bool_or(flag) filter (metric = 'predictive_ratio') as flag
            from subgroup_performance where target_id = $target and attribute = $attribute group by level
        )
        select l.level, l.level_label, g.n, g.projected_total, g.lower as total_lower, g.upper as total_upper,
               g.n_observed, g.observed_total, m.projected_mean, m.observed_mean, m.ratio, m.lower, m.upper,
               coalesce(m.judgement, 'not estimable: no patient''s target was observed') as judgement,
               coalesce(m.flag, false) as flag, g.suppressed
        from group_total g
        join attribute_level l using (attribute, level)
        left join measured m using (level)
        where g.target_id = $target and g.attribute = $attribute
        order by l.rowid
    """
    return fetch_rows(con, sql, {"target": target_id, "attribute": attribute})


def get_total_coverage(con: duckdb.DuckDBPyConnection, target_id: str, level: float) -> pd.DataFrame:
    """group_kind (random, attribute), size, coverage, n_groups of intervals that promise `level`, such as 0.95."""
    sql = """
        select group_kind, size, coverage, n_groups from total_coverage
        where target_id = $target and level = $level order by group_kind desc, size
    """
    return fetch_rows(con, sql, {"target": target_id, "level": level})
