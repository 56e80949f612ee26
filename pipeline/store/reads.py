"""Every SELECT that anyone shows: pages, exports and "where from" share one SQL."""

from dataclasses import dataclass

import duckdb
import pandas as pd

from pipeline.store.rows import fetch_rows
from pipeline.study.model import quote

Bound = list[object]

PAGE_ROWS = 14


@dataclass(frozen=True)
class ListFilter:
    """What the list of patients is narrowed to. Risks are 0 to 1; an empty selection means everybody."""

    search: str = ""
    diagnoses: tuple[str, ...] = ()
    sexes: tuple[str, ...] = ()
    ages: tuple[float, float] | None = None
    risks: tuple[float, float] | None = None
    status: str = ""

    def where(self, estimate: str) -> tuple[str, Bound]:
        """The condition and its bound values; `estimate` is the column that `risks` is about."""
        parts: list[str] = []
        bound: Bound = []
        if self.search.strip():
            parts.append("contains(replace(subject_id, '-', ''), ?)")
            bound.append(self.search.strip().upper().replace("-", ""))
        for column, chosen in (("diagnosis", self.diagnoses), ("sex", self.sexes)):
            if chosen:
                parts.append(f"{column} in ({', '.join('?' * len(chosen))})")
                bound.extend(chosen)
        if self.ages:
            parts.append("floor(age) between ? and ?")
            bound.extend(self.ages)
        if self.risks:
            parts.append(f"round(100 * {quote(estimate)}) between ? and ?")
            bound.extend(round(100 * risk) for risk in self.risks)
        if self.status:
            parts.append("status = ?")
            bound.append(self.status)
        return " and ".join(parts) or "true", bound


def get_release(con: duckdb.DuckDBPyConnection) -> pd.Series:
    """The release's one row."""
    return fetch_rows(con, "select * from release").iloc[0]


def get_targets(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The targets, in the study's order."""
    return fetch_rows(con, "select * from target order by position")


def get_statements(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """field, value: what only people can say."""
    return fetch_rows(con, "select * from statement")


def get_features(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The features, in the model's order."""
    return fetch_rows(con, "select * from feature order by position")


def get_levels(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The attributes and their levels, in the study's order."""
    return fetch_rows(con, "select * from attribute_level order by position")


def get_baselines(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The baselines."""
    return fetch_rows(con, "select * from baseline")


def get_ranges(con: duckdb.DuckDBPyConnection) -> pd.Series:
    """age_low, age_high: the ends of the age filter, in whole years."""
    return fetch_rows(con, "select floor(min(age)) as age_low, floor(max(age)) as age_high from patient_list").iloc[0]


def get_list_totals(
    con: duckdb.DuckDBPyConnection, chosen: ListFilter, *, target_id: str, threshold: float | None
) -> pd.Series:
    """n_all, n, n_refused, n_above (at or above the threshold), expected and variance of the filtered list.

    `expected` is the sum of the estimates, of those who have one; `variance` is that of the number of events if each
    risk is right.
    """
    estimate = f"{target_id}_estimate"
    where, bound = chosen.where(estimate)
    above = "null" if threshold is None else f"count(*) filter ({quote(estimate)} >= {threshold!r})"
    sql = (
        f"select (select count(*) from patient_list) as n_all, count(*) as n, "
        f"count(*) filter (status = 'refused') as n_refused, {above} as n_above, "
        f"sum({quote(estimate)}) as expected, sum({quote(estimate)} * (1 - {quote(estimate)})) as variance "
        f"from patient_list where {where}"
    )
    return fetch_rows(con, sql, bound).iloc[0]


def get_list_page(
    con: duckdb.DuckDBPyConnection,
    chosen: ListFilter,
    *,
    target_id: str,
    cost_id: str | None,
    sort: str,
    descending: bool,
    page: int,
    rows: int = PAGE_ROWS,
) -> pd.DataFrame:
    """One page (from 1) of the list: subject_id, headline, age, sex, diagnosis, gaps, estimate, bounds, reasons, cost,
    and `refusal`, why there is no estimate.

    By estimate or cost, those who have none come last, whatever the direction. Ids are found first and rows fetched
    for them: far pages of long lists stay fast.
    """
    estimate = f"{target_id}_estimate"
    where, bound = chosen.where(estimate)
    columns = {
        "estimate": quote(estimate),
        "cost": quote(f"{cost_id}_estimate") if cost_id else quote(estimate),
        **{name: name for name in ("age", "gaps", "diagnosis", "subject_id")},
    }
    direction = "desc" if descending else "asc"
    order = f"{columns.get(sort, columns['estimate'])} {direction} nulls last, subject_id"
    shown = (
        f"subject_id, headline, age, sex, diagnosis, gaps, {quote(estimate)} as estimate, "
        f"{quote(f'{target_id}_lower_90')} as lower_90, {quote(f'{target_id}_upper_90')} as upper_90, "
        f"{quote(f'{target_id}_reasons')} as reasons, {columns['cost'] if cost_id else 'null'} as cost, "
        "(select any_value(reason) from prediction p where p.subject_id = patient_list.subject_id) as refusal"
    )
    sql = (
        f"select {shown} from patient_list where subject_id in "
        f"(select subject_id from patient_list where {where} order by {order} limit ? offset ?) order by {order}"
    )
    return fetch_rows(con, sql, [*bound, rows, (page - 1) * rows])


def get_subject(con: duckdb.DuckDBPyConnection, subject_id: str) -> pd.DataFrame:
    """The patient's row of `subject`; empty where there is no such patient."""
    return fetch_rows(con, "select * from subject where subject_id = ?", [subject_id])


def get_predictions(con: duckdb.DuckDBPyConnection, subject_id: str) -> pd.DataFrame:
    """The patient's predictions, in the order of the targets."""
    sql = "select p.* from prediction p join target t using (target_id) where subject_id = ? order by t.position"
    return fetch_rows(con, sql, [subject_id])


def get_base_values(con: duckdb.DuckDBPyConnection, subject_id: str) -> dict[str, float]:
    """The margin that a patient's contributions start from, by target."""
    rows = fetch_rows(con, "select target_id, base_value from contribution where subject_id = ?", [subject_id])
    return dict(zip(rows["target_id"], rows["base_value"], strict=True))


def get_explanation(con: duckdb.DuckDBPyConnection, subject_id: str, target_id: str) -> pd.DataFrame:
    """feature_id, contribution, base_value of one patient and target, in the model's order."""
    sql = (
        "select e.feature_id, e.contribution, e.base_value from explanation e join feature f using (feature_id) "
        "where e.subject_id = ? and e.target_id = ? order by f.position"
    )
    return fetch_rows(con, sql, [subject_id, target_id])


def has_own_errors(con: duckdb.DuckDBPyConnection, target_id: str, fold: int, diagnosis: str) -> bool:
    """Whether intervals of this amount are made from the errors of patients with this diagnosis alone."""
    sql = "select * from conformal_score where target_id = ? and fold = ? and diagnosis = ?"
    return not fetch_rows(con, sql, [target_id, fold, diagnosis]).empty


def get_unstable_explanations(con: duckdb.DuckDBPyConnection, subject_id: str) -> pd.DataFrame:
    """target_id, top5_overlap, same_first_share: the patient's explanations that change when a model is rebuilt."""
    sql = (
        "select target_id, top5_overlap, same_first_share from patient_stability where subject_id = ? and unstable "
        "order by target_id"
    )
    return fetch_rows(con, sql, [subject_id])


def get_subject_repairs(con: duckdb.DuckDBPyConnection, subject_id: str) -> pd.DataFrame:
    """repair_id, result, note of the patient."""
    return fetch_rows(con, "select * from subject_repair where subject_id = ?", [subject_id])


def get_subject_quarantine(con: duckdb.DuckDBPyConnection, subject_id: str) -> pd.DataFrame:
    """feature_id, value, rule, action: the patient's values that broke a rule."""
    sql = (
        "select f.feature_id, q.value, q.rule, q.action from quarantine q join feature f using (column_name) "
        "where q.subject_id = ?"
    )
    return fetch_rows(con, sql, [subject_id])


def get_mean_estimate(con: duckdb.DuckDBPyConnection, target_id: str) -> pd.Series:
    """mean, n: the mean estimate of all patients who have one."""
    estimate = quote(f"{target_id}_estimate")
    sql = f"select avg({estimate}) as mean, count({estimate}) as n from patient_list"
    return fetch_rows(con, sql).iloc[0]


def get_summary(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """label, metric, estimate, lower, upper, n, n_events: what a build prints of our models, three decimals."""
    return fetch_rows(
        con,
        "select label, metric, round(estimate, 3) as estimate, round(lower, 3) as lower, round(upper, 3) as upper, "
        "p.n, p.n_events from performance p join target using (target_id) where model_id = 'xgboost' and "
        "population = 'all' and metric in ('auroc', 'calibration_slope', 'observed_expected', 'r2', 'r2_log', "
        "'predictive_ratio', 'interval_coverage_90') order by position, metric",
    )


def get_performance(con: duckdb.DuckDBPyConnection, target_id: str, population: str) -> pd.DataFrame:
    """model_id, metric, threshold, estimate, lower, upper, n, n_events of one target and population."""
    sql = "select * from performance where target_id = ? and population = ? order by model_id, metric, threshold"
    return fetch_rows(con, sql, [target_id, population])


def get_subgroups(
    con: duckdb.DuckDBPyConnection, target_id: str, metric: str, threshold: float | None = None
) -> pd.DataFrame:
    """A row a level of an attribute, in the study's order.

    attribute_label, level_label, reference, estimate, lower, upper, n, n_events, judgement, suppressed, flag; ratio,
    ratio_lower, ratio_upper (to the reference), q_value, detectable.
    """
    sql = (
        "select l.attribute, l.attribute_label, l.level, l.level_label, l.reference, s.estimate, s.lower, s.upper, "
        "s.n, s.n_events, s.judgement, s.suppressed, s.flag, s.ratio, s.ratio_lower, s.ratio_upper, s.q_value, "
        "s.detectable "
        "from subgroup_performance s join attribute_level l using (attribute, level) "
        "where s.target_id = ? and s.metric = ? and s.threshold is not distinct from ? "
        "order by l.position, l.attribute"
    )
    return _in_study_order(con, fetch_rows(con, sql, [target_id, metric, threshold]))


def get_group_totals(con: duckdb.DuckDBPyConnection, target_id: str, attribute: str) -> pd.DataFrame:
    """level, level_label, n, n_observed, projected_total, lower, upper, observed_total, suppressed by level."""
    sql = (
        "select coalesce(l.level_label, 'All') as level_label, g.* from group_total g "
        "left join attribute_level l using (attribute, level) where g.target_id = ? and g.attribute = ?"
    )
    return fetch_rows(con, sql, [target_id, attribute])


def get_calibration(con: duckdb.DuckDBPyConnection, target_id: str, model_id: str) -> pd.DataFrame:
    """bin, predicted, observed, lower, upper, n, n_events."""
    sql = "select * from calibration_curve where target_id = ? and model_id = ? order by bin"
    return fetch_rows(con, sql, [target_id, model_id])


def get_amount_curve(con: duckdb.DuckDBPyConnection, target_id: str) -> pd.DataFrame:
    """tenth, predicted, observed, lower, upper, n."""
    return fetch_rows(con, "select * from amount_curve where target_id = ? order by tenth", [target_id])


def get_distribution(con: duckdb.DuckDBPyConnection, target_id: str, model_id: str) -> pd.DataFrame:
    """bin_low, bin_high, n_event, n_no_event of what one model says."""
    sql = "select * from risk_distribution where target_id = ? and model_id = ? order by bin_low"
    return fetch_rows(con, sql, [target_id, model_id])


def get_concept_importance(con: duckdb.DuckDBPyConnection, target_id: str) -> pd.DataFrame:
    """concept, mean_absolute with its interval, largest first."""
    sql = "select * from concept_importance where target_id = ? order by mean_absolute desc"
    return fetch_rows(con, sql, [target_id])


def get_feature_importance(con: duckdb.DuckDBPyConnection, target_id: str) -> pd.DataFrame:
    """feature_id, label, concept, mean_absolute with its interval, largest first."""
    sql = (
        "select f.label, f.concept, i.* from importance i join feature f using (feature_id) "
        "where target_id = ? order by mean_absolute desc"
    )
    return fetch_rows(con, sql, [target_id])


def get_data_report(con: duckdb.DuckDBPyConnection) -> dict[str, pd.DataFrame]:
    """attrition, repair, quarantine_count, excluded_column: what was done to the data."""
    return {
        "attrition": fetch_rows(con, "select * from attrition order by position"),
        "repair": fetch_rows(con, "select * from repair"),
        "quarantine_count": fetch_rows(con, "select * from quarantine_count order by column_name, rule"),
        "excluded_column": fetch_rows(con, "select * from excluded_column"),
    }


def _in_study_order(con: duckdb.DuckDBPyConnection, table: pd.DataFrame) -> pd.DataFrame:
    levels = get_levels(con)
    order = {(a, v): i for i, (a, v) in enumerate(zip(levels["attribute"], levels["level"], strict=True))}
    keys = [order[a, v] for a, v in zip(table["attribute"], table["level"], strict=True)]
    return table.assign(order=keys).sort_values("order").drop(columns="order").reset_index(drop=True)
