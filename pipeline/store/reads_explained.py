"""The SELECTs about the quality of explanations."""

import duckdb
import pandas as pd


def get_explanation_quality(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Every check of every target, targets in the study's order: target_id, check, estimate, lower, upper, n, passed,
    told."""
    sql = """
        select q.target_id, q."check", q.estimate, q.lower, q.upper, q.n, q.passed, q.told
        from explanation_quality q join target t using (target_id) order by t.position, q.position
    """
    return con.execute(sql).df()


def get_stability_distribution(con: duckdb.DuckDBPyConnection, target_id: str) -> pd.DataFrame:
    """bin_low, bin_high, n: how many patients keep which share of their first five reasons, from low to high."""
    sql = "select bin_low, bin_high, n from stability_distribution where target_id = ? order by bin_low"
    return con.execute(sql, [target_id]).df()


def get_deletion_curve(con: duckdb.DuckDBPyConnection, target_id: str) -> pd.DataFrame:
    """taken, removed, moved, lower, upper: how far the margin moves with so many features replaced, by their order."""
    sql = "select taken, removed, moved, lower, upper from deletion_curve where target_id = ? order by taken, removed"
    return con.execute(sql, [target_id]).df()
