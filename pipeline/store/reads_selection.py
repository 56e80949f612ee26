"""The SELECT about a selection of patients: how it is made up, beside the whole cohort."""

import duckdb
import pandas as pd

from pipeline.store.reads import ListFilter
from pipeline.study.model import quote


def get_selection_groups(con: duckdb.DuckDBPyConnection, chosen: ListFilter, *, target_id: str) -> pd.DataFrame:
    """attribute, sd, level, own, whole: what the estimates of each level add up to in the selection and in all.

    `sd` is how much the attribute's levels differ beyond chance, as in `group_effect`. Only patients who are scored
    have an estimate.
    """
    effects = con.execute("select attribute, sd from group_effect where target_id = ?", [target_id]).df()
    estimate = quote(f"{target_id}_estimate")
    where, bound = chosen.where(f"{target_id}_estimate")
    levels = [
        f"select '{attribute}' as attribute, subject.{quote(attribute)} as level, chosen.estimate, chosen.inside "
        "from chosen join subject using (subject_id)"
        for attribute in effects["attribute"]
    ]
    if not levels:
        return pd.DataFrame(columns=["attribute", "sd", "level", "own", "whole"])
    sql = (
        f"with chosen as (select subject_id, {estimate} as estimate, {where} as inside from patient_list "
        f"where {estimate} is not null), by_level as ({' union all '.join(levels)}) "
        "select attribute, level, coalesce(sum(estimate) filter (inside), 0) as own, sum(estimate) as whole "
        "from by_level group by all order by all"
    )
    groups: pd.DataFrame = con.execute(sql, bound).df()
    return groups.merge(effects, on="attribute")
