"""The SELECTs about groups that were searched among many: pairs of attributes, and slices of up to three conditions."""

import duckdb
import pandas as pd

from pipeline.store.rows import fetch_rows


def get_pairs(con: duckdb.DuckDBPyConnection, target_id: str, metric: str) -> pd.DataFrame:
    """attribute, level (halves joined by ×), estimate, lower, upper, n, n_events, q_value, judgement, flag;
    attribute_1, label_1, attribute_2, label_2 of the halves, attribute_label of both.

    Flagged first, then by q.
    """
    sql = """
        with halves as (
            select *, split_part(attribute, ' × ', 1) as a1, split_part(attribute, ' × ', 2) as a2,
                   split_part(level, ' × ', 1) as v1, split_part(level, ' × ', 2) as v2
            from subgroup_performance
            where target_id = $target and metric = $metric and family = 'pair' and threshold is null
        )
        select h.* exclude (a1, a2, v1, v2), one.attribute_label as attribute_1, one.level_label as label_1,
               two.attribute_label as attribute_2, two.level_label as label_2,
               one.attribute_label || ' and ' || two.attribute_label as attribute_label
        from halves h
        join attribute_level one on one.attribute = h.a1 and one.level = h.v1
        join attribute_level two on two.attribute = h.a2 and two.level = h.v2
        order by h.flag desc, h.q_value nulls last, one.position, two.position
    """
    return fetch_rows(con, sql, {"target": target_id, "metric": metric})


def get_slices(con: duckdb.DuckDBPyConnection, target_id: str) -> pd.DataFrame:
    """The confirmed slices of a target, worst first."""
    return fetch_rows(con, "select * from slice where target_id = ? order by rank", [target_id])


def get_slice_search(con: duckdb.DuckDBPyConnection, target_id: str) -> pd.DataFrame:
    """What was searched: conditions_searched, groups_searched, tried, confirmed, fewest; empty where nothing was."""
    return fetch_rows(con, "select * from slice_search where target_id = ?", [target_id])
