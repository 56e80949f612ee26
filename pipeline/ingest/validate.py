"""Typing and validating source columns. What breaks a rule is recorded with file row, value and rule."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from pipeline.errors import DataError, StudyError
from pipeline.study.model import Feature, Study, columns_in, quote

SET_TO_MISSING = "set to missing"
KEPT = "kept, marked"
UNKNOWN_CATEGORY = "unknown category"


@dataclass(frozen=True)
class Rule:
    """A condition over a text column `{c}` (and its number `{n}`) that a value must not meet."""

    name: str
    broken: str
    action: str


def check_columns(study: Study, columns: list[str], *, file: str) -> None:
    """Passes if the study declares every column of the file, and names no other.

    Raises:
        StudyError: a column of the file is not declared.
        DataError: the study names a column that the file does not have.
    """
    named = {study.subject.id, *(f.column for f in study.features), *(e.column for e in study.excluded)}
    named |= {a.column for a in study.subgroups if a.column}
    named |= {c for r in study.repairs for c in (*r.realign, r.row)}
    named |= {c for r in study.known_relations for c in (r.explained, *r.by)}
    if absent := sorted(named - set(columns)):
        raise DataError(
            f"expected column {', '.join(map(repr, absent))} in {file}, as the study says",
            got=f"columns {', '.join(columns)}",
            mend="check the spelling (`column:`), or bring the file that has it",
        )
    expressions = [t.sql for t in study.targets] + [a.sql for a in study.subgroups] + [b.sql for b in study.baselines]
    used = {c for sql in expressions for c in columns_in(sql, columns)}
    if undeclared := [c for c in columns if c not in named | used]:
        raise StudyError(
            f"expected every column of {file} to be declared in the study",
            got=f"{len(undeclared)} that are not: {', '.join(undeclared)}",
            mend="use each as feature, subgroup, target or baseline, or list it under `excluded:` with a reason",
        )


def type_columns(con: duckdb.DuckDBPyConnection, study: Study, columns: list[str], *, file: str) -> None:
    """Creates `typed` (one row a source row, values by type) and `quarantine` from the text table `source`.

    Features get the type the study declares. Any other column is a number where every value of it is one.

    Raises:
        DataError: the subject id is missing or repeated.
    """
    _check_subject_ids(con, study, file=file)
    features = {f.column: f for f in study.features}
    con.execute(
        "create table quarantine (source_table text, source_row bigint, subject_key text, column_name text, "
        "value text, rule text, action text)"
    )
    key = quote(study.subject.id)
    typed = [f"source_row, {key} as subject_key"]
    for column in columns:
        feature = features.get(column)
        rules = list(_rules(feature)) if feature else []
        _record_broken(con, column, rules, file=file, key=key)
        typed.append(f"{_typed(con, column, feature, rules)} as {quote(column)}")
    con.execute(f"create table typed as select {', '.join(typed)} from source order by source_row")


def _check_subject_ids(con: duckdb.DuckDBPyConnection, study: Study, *, file: str) -> None:
    key = quote(study.subject.id)
    missing = con.execute(f"select min(source_row), count(*) from source where {key} is null").fetchall()[0]
    if missing[1]:
        raise DataError(
            f"expected a {study.subject.id!r} in every row of {file}",
            got=f"{missing[1]} without, the first in row {missing[0]}",
            mend="complete the ids, or name another column under `subject:`",
        )
    repeated = con.execute(
        f"select {key}, count(*) from source group by 1 having count(*) > 1 order by min(source_row) limit 1"
    ).fetchall()
    if repeated:
        raise DataError(
            f"expected each {study.subject.id!r} once in {file}",
            got=f"{repeated[0][0]!r} {repeated[0][1]} times",
            mend="remove the repeated rows, or name a column that is unique under `subject:`",
        )


def _rules(feature: Feature) -> Iterator[Rule]:
    if feature.is_categorical:
        levels = " or ".join(f"{{c}} = {_literal(level)}" for level in feature.levels)
        yield Rule(UNKNOWN_CATEGORY, f"{{c}} is not null and not ({levels})", SET_TO_MISSING)
        return
    yield Rule("not a number", "{c} is not null and (not isfinite({n}) or {n} is null)", SET_TO_MISSING)
    if feature.invalid:
        codes = ", ".join(map(repr, feature.invalid))
        yield Rule("impossible, a code for missing", f"{{n}} in ({codes})", SET_TO_MISSING)
    if feature.plausible:
        low, high = feature.plausible
        inside = f"{{n}} between {low!r} and {high!r}"
        codes = " and ".join(f"{{n}} <> {code!r}" for code in feature.invalid) or "true"
        name = f"outside the plausible range {low:g} to {high:g}"
        yield Rule(name, f"isfinite({{n}}) and not ({inside}) and {codes}", KEPT)


def _record_broken(con: duckdb.DuckDBPyConnection, column: str, rules: list[Rule], *, file: str, key: str) -> None:
    for rule in rules:
        con.execute(
            f"insert into quarantine select ?, source_row, {key}, ?, {quote(column)}, ?, ? from source "
            f"where {_fill(rule, column)} order by source_row",
            [file, column, rule.name, rule.action],
        )


def _typed(con: duckdb.DuckDBPyConnection, column: str, feature: Feature | None, rules: list[Rule]) -> str:
    number = f"try_cast({quote(column)} as double)"
    removed = " or ".join(f"({_fill(rule, column)})" for rule in rules if rule.action == SET_TO_MISSING)
    if feature:
        value = quote(column) if feature.is_categorical else number
        return f"case when {removed} then null else {value} end"
    not_a_number = con.execute(
        f"select count(*) from source where {quote(column)} is not null and {number} is null"
    ).fetchall()[0][0]
    return quote(column) if not_a_number else number


def _fill(rule: Rule, column: str) -> str:
    # Not `format`: a level may hold braces.
    return rule.broken.replace("{n}", f"try_cast({quote(column)} as double)").replace("{c}", quote(column))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
