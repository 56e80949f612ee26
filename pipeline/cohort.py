"""The cohort: who is in, what was recorded of them, and what happened to them. Every step is counted."""

import hashlib
import hmac
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from pipeline.errors import DataError, StudyError
from pipeline.ingest.source import Source
from pipeline.study.model import MISSING, Attribute, Baseline, Kind, Study, Target, quote

# Crockford's base 32: no letter that is mistaken for a digit.
_PSEUDONYM_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Cohort:
    """Frames with one row a subject, in the order of the source: the same seed then gives the same folds in any store.

    subjects: subject_id (a salted pseudonym), every feature, every attribute (level or "missing").
    targets: a float column a target (NaN = not observed; an event is 1.0).
    baselines: a float column a baseline.
    not_given: every column of the source that is no feature, as it stands there: what audits look at.
    attrition: step, why, n_before, n_after.
    quarantine: source_table, source_row, subject_id, column_name, value, rule, action.
    repairs: repair_id, why, result, n; subject_repairs: subject_id, repair_id, result.
    """

    subjects: pd.DataFrame
    targets: pd.DataFrame
    baselines: pd.DataFrame
    not_given: pd.DataFrame
    attrition: pd.DataFrame
    quarantine: pd.DataFrame
    repairs: pd.DataFrame
    subject_repairs: pd.DataFrame


def build_cohort(study: Study, source: Source, *, salt: bytes) -> Cohort:
    """The study's cohort.

    Raises:
        StudyError: an expression of the study cannot be computed.
        DataError: nobody is left, a target has one class, or an attribute has an undeclared level.
    """
    con = source.con
    attrition = _apply_population(con, study)
    keys = _column(con, "select subject_key from member order by source_row", "subject_key")
    ids = pd.Series([pseudonym(study.id, key, salt=salt) for key in keys], index=keys, name="subject_id")
    if not ids.is_unique:
        raise DataError("expected different pseudonyms for different subjects", mend="remove the salt of the store")
    attributes = _attributes(con, study)
    # A column that is both is kept as the attribute, whose missing values have a level.
    features = _features(con, study).drop(columns=attributes.columns, errors="ignore")
    subjects = pd.concat([ids.reset_index(drop=True), features, attributes], axis=1)
    targets = pd.DataFrame({t.id: _target(con, t) for t in study.targets})
    baselines = pd.DataFrame({b.id: _baseline(con, b) for b in study.baselines}, index=subjects.index)
    return Cohort(
        subjects=subjects,
        targets=targets,
        baselines=baselines,
        not_given=_not_given(con, study),
        attrition=attrition,
        quarantine=_with_ids(con.table("quarantine").df(), ids),
        repairs=_count_repairs(con, study),
        subject_repairs=_with_ids(con.table("subject_repair").df(), ids).dropna(subset=["subject_id"]),
    )


def mask_missing(study: Study, subjects: pd.DataFrame) -> pd.DataFrame:
    """The features of `subjects`, null where there is no value, also where the column is an attribute as well."""
    features = subjects[[f.id for f in study.features]]
    return features.mask(features == MISSING)


def pseudonym(study_id: str, key: str, *, salt: bytes) -> str:
    """Ten letters and digits that stand for a subject: keyed, so that only who holds the salt can compute them."""
    number = int.from_bytes(hmac.digest(salt, f"{study_id}\x00{key}".encode(), hashlib.sha256)[:8], "big")
    letters = "".join(_PSEUDONYM_LETTERS[(number >> (5 * i)) & 31] for i in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def _apply_population(con: duckdb.DuckDBPyConnection, study: Study) -> pd.DataFrame:
    """Creates `member` from `typed` by the study's steps; returns the attrition table."""
    con.execute("create or replace table member as select * from typed")
    n = _count(con)
    rows = [("rows in the source", "one row a " + study.subject.noun, n, n)]
    for step in study.population:
        try:
            con.execute(f"create or replace table member as select * from member where coalesce(({step.keep}), false)")
        except duckdb.Error as error:
            raise _bad_expression(f"population step {step.keep!r}", error) from None
        rows.append((step.keep, step.why, n, _count(con)))
        n = _count(con)
        if n == 0:
            raise DataError(
                "expected somebody left after the population steps",
                got=f"nobody after {step.keep!r}",
                mend="check the step in the study file against the values of the source",
            )
    return pd.DataFrame(rows, columns=["step", "why", "n_before", "n_after"])


def _count(con: duckdb.DuckDBPyConnection) -> int:
    return int(con.execute("select count(*) from member").fetchall()[0][0])


def _column(con: duckdb.DuckDBPyConnection, sql: str, name: str) -> pd.Series:
    return con.execute(sql).df()[name]


def _expression(con: duckdb.DuckDBPyConnection, sql: str, what: str, cast: str = "double") -> pd.Series:
    try:
        return _column(con, f"select cast(({sql}) as {cast}) as value from member order by source_row", "value")
    except duckdb.Error as error:
        raise _bad_expression(what, error) from None


def _bad_expression(what: str, error: duckdb.Error) -> StudyError:
    return StudyError(
        f"expected {what} to be an SQL expression over the columns of the source",
        got=str(error).strip().splitlines()[0],
        mend='check names and types; a name with a dot needs quotes: "d.time"',
    )


def _features(con: duckdb.DuckDBPyConnection, study: Study) -> pd.DataFrame:
    named = ", ".join(f"{quote(f.column)} as {quote(f.id)}" for f in study.features)
    return con.execute(f"select {named} from member order by source_row").df()


def _not_given(con: duckdb.DuckDBPyConnection, study: Study) -> pd.DataFrame:
    given = {f.column for f in study.features} | {"subject_key", "source_row"}
    columns = [c for c in con.table("member").columns if c not in given]
    return con.execute(f"select {', '.join(map(quote, columns)) or 'null'} from member order by source_row").df()


def _attributes(con: duckdb.DuckDBPyConnection, study: Study) -> pd.DataFrame:
    return pd.DataFrame({a.id: _levels(con, a) for a in study.subgroups})


def _levels(con: duckdb.DuckDBPyConnection, attribute: Attribute) -> pd.Series:
    values = _expression(con, attribute.sql, f"subgroup {attribute.id!r}", cast="varchar")
    # A column of whole numbers is typed as numbers: 1 comes out as "1.0".
    whole = values.str.replace(r"^(-?\d+)\.0$", r"\1", regex=True)
    values = values.where(values.isin(list(attribute.levels)), whole)
    unknown = values[values.notna() & ~values.isin(list(attribute.levels))]
    if len(unknown):
        raise DataError(
            f"expected subgroup {attribute.id!r} to take the levels {', '.join(attribute.levels)}",
            got=f"{unknown.iloc[0]!r} in {len(unknown)} rows",
            mend="declare the level in the study, or map it to one that is",
        )
    return values.fillna(MISSING)


def _target(con: duckdb.DuckDBPyConnection, target: Target) -> pd.Series:
    values = _expression(con, target.sql, f"target {target.id!r}")
    observed = values.dropna()
    if target.kind is Kind.OUTCOME:
        _check_events(target, observed)
    else:
        _check_amounts(target, observed)
    return values


# Inner folds, bootstrap samples and their left-out rows each need some of both.
_FEWEST_EVENTS, _FEWEST_AMOUNTS = 20, 50


def _check_events(target: Target, observed: pd.Series) -> None:
    if not observed.isin([0, 1]).all():
        raise DataError(
            f"expected the event of target {target.id!r} to be true or false, 1 or 0",
            got=f"{observed[~observed.isin([0, 1])].iloc[0]:g}",
            mend="make `event:` a condition, such as `died = 1`",
        )
    events = int(observed.sum())
    if min(events, len(observed) - events) < _FEWEST_EVENTS:
        raise DataError(
            f"expected {_FEWEST_EVENTS} or more patients each with and without the event of target {target.id!r}",
            got=f"{events} events among {len(observed)}",
            mend="check the `event:` expression and the population steps, or bring more patients",
        )


def _check_amounts(target: Target, observed: pd.Series) -> None:
    finite = observed[np.isfinite(observed)]
    if len(finite) < len(observed) or (observed <= 0).any():
        raise DataError(
            f"expected finite amounts above zero in target {target.id!r}",
            got=f"{int((~(observed > 0)).sum())} at or below zero, {len(observed) - len(finite)} infinite",
            mend="say in `value:` which values are not observed, for instance nullif(cost, 0)",
        )
    if len(observed) < _FEWEST_AMOUNTS or observed.nunique() < 2:
        raise DataError(
            f"expected at least {_FEWEST_AMOUNTS} amounts that vary in target {target.id!r}",
            got=f"{len(observed)} amounts, {observed.nunique()} different",
            mend="check the `value:` expression, or bring more patients",
        )


def _baseline(con: duckdb.DuckDBPyConnection, baseline: Baseline) -> pd.Series:
    values = _expression(con, baseline.sql, f"baseline {baseline.id!r}")
    outside = values[(values < 0) | (values > 1)]
    if baseline.risk and len(outside):
        raise DataError(
            f"expected risks from 0 to 1 of baseline {baseline.id!r}",
            got=f"{outside.iloc[0]:g}, and {len(outside)} in all outside",
            mend="divide percentages by 100, or call it a `score:`",
        )
    return values


def _with_ids(frame: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    column = frame["subject_key"].map(ids)
    return frame.assign(subject_id=column).drop(columns="subject_key")


def _count_repairs(con: duckdb.DuckDBPyConnection, study: Study) -> pd.DataFrame:
    counts = con.execute("select repair_id, result, count(*) as n from subject_repair group by all order by all").df()
    return counts.assign(why=counts["repair_id"].map({r.id: r.why for r in study.repairs}).astype("str"))
