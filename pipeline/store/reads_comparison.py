"""The SELECTs about models side by side: how much they differ, and what decisions by them are worth."""

import duckdb
import pandas as pd

from pipeline.store.rows import fetch_rows


def get_compared_models(con: duckdb.DuckDBPyConnection, target_id: str) -> pd.DataFrame:
    """model_id, kind (ours, baseline, rival, combination), label, note: ours first."""
    sql = (
        "select * from compared_model where target_id = ? order by "
        "case kind when 'ours' then 0 when 'baseline' then 1 when 'rival' then 2 else 3 end, model_id"
    )
    return fetch_rows(con, sql, [target_id])


def get_comparisons(con: duckdb.DuckDBPyConnection, target_id: str, metric: str) -> pd.DataFrame:
    """other_id, kind, label, difference (ours less the other), lower, upper, n, n_events, verdict, population."""
    sql = (
        "select c.*, m.kind, m.label from comparison c join compared_model m "
        "on m.model_id = c.other_id and m.target_id = c.target_id "
        "where c.target_id = ? and c.metric = ? and c.model_id = 'xgboost' order by c.difference"
    )
    return fetch_rows(con, sql, [target_id, metric])


def get_net_benefit(con: duckdb.DuckDBPyConnection, target_id: str, model_id: str, population: str) -> pd.DataFrame:
    """threshold, net_benefit, lower, upper, treat_all, n, n_events."""
    sql = "select * from net_benefit_curve where target_id = ? and model_id = ? and population = ? order by threshold"
    return fetch_rows(con, sql, [target_id, model_id, population])


def get_smooth_calibration(con: duckdb.DuckDBPyConnection, target_id: str, model_id: str) -> pd.DataFrame:
    """predicted, observed, lower, upper: of all patients for ours, of those whom all baselines score for others."""
    sql = (
        "select * from calibration_smooth where target_id = ? and model_id = ? and population = "
        "(select population from calibration_smooth where target_id = ? and model_id = ? order by population limit 1) "
        "order by predicted"
    )
    return fetch_rows(con, sql, [target_id, model_id, target_id, model_id])


def get_concentration(con: duckdb.DuckDBPyConnection, target_id: str) -> pd.DataFrame:
    """share, held, lower, upper, held_by_costliest and its interval, n, n_chosen."""
    sql = (
        "select * from concentration where target_id = ? and model_id = 'xgboost' and population = 'all' order by share"
    )
    return fetch_rows(con, sql, [target_id])
