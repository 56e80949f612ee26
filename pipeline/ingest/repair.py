"""Declared repairs: columns that stand in another row than their subject are moved home, and every move is counted."""

from pathlib import Path

import duckdb

from pipeline.errors import DataError
from pipeline.ingest.files import read_text_columns
from pipeline.study.model import Realign, Study, quote

MOVED, ABSENT, UNCHANGED = "moved", "absent", "unchanged"


def apply_repairs(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Moves values in `typed` home, and creates `subject_repair` with what became of each subject concerned.

    Quarantined values follow: `quarantine.subject_key` names the subject whose value it is, null where it is nobody's.

    Raises:
        DataError: a mapping file is missing, names unknown rows, or gives one row's values to two subjects.
    """
    con.execute("create table subject_repair (subject_key text, repair_id text, result text)")
    for repair in study.repairs:
        _read_mapping(con, repair, (study.folder / repair.by).resolve())
        _move_home(con, repair)
        _record(con, repair)
        con.execute("drop table mapping")


def _read_mapping(con: duckdb.DuckDBPyConnection, repair: Realign, path: Path) -> None:
    if not path.is_file():
        raise DataError(f"expected the mapping of repair {repair.id!r}", got=f"no file {path}", mend="restore the file")
    columns = read_text_columns(con, path, table="mapping_text")
    if absent := {repair.row, repair.taken_from} - set(columns):
        raise DataError(f"expected columns {sorted(absent)} in {path.name}", got=f"columns {', '.join(columns)}")
    con.execute(
        f"create table mapping as select {quote(repair.row)} as home, {quote(repair.taken_from)} as donor "
        "from mapping_text"
    )
    con.execute("drop table mapping_text")
    faults = {
        "names a row to take values from, or -1, for each row": "select home from mapping where donor is null",
        "names each row once": "select home from mapping group by 1 having count(*) > 1",
        "gives the values of each row to one subject": (
            "select donor from mapping where donor <> '-1' group by 1 having count(*) > 1"
        ),
        "names rows of the source only": (
            "select m.home from mapping m anti join typed t on t.subject_key = m.home union all "
            "select m.donor from mapping m anti join typed t on t.subject_key = m.donor where m.donor <> '-1'"
        ),
    }
    for expected, sql in faults.items():
        if broken := con.execute(sql + " limit 1").fetchall():
            raise DataError(f"expected that {path.name} {expected}", got=f"row {broken[0][0]!r}")


def _move_home(con: duckdb.DuckDBPyConnection, repair: Realign) -> None:
    replaced = ", ".join(
        f"case when m.home is null then t.{quote(c)} else d.{quote(c)} end as {quote(c)}" for c in repair.realign
    )
    con.execute(
        f"create or replace table typed as select t.* replace ({replaced}) from typed t "
        "left join mapping m on m.home = t.subject_key left join typed d on d.subject_key = m.donor "
        "order by t.source_row"
    )
    columns = ", ".join("'" + c.replace("'", "''") + "'" for c in repair.realign)
    con.execute(
        "create or replace table quarantine as select q.* replace (case "
        f"when q.column_name not in ({columns}) then q.subject_key "
        "when owner.home is not null then owner.home "
        "when displaced.home is not null then null else q.subject_key end as subject_key) "
        "from quarantine q left join mapping owner on owner.donor = q.subject_key "
        "left join mapping displaced on displaced.home = q.subject_key order by column_name, source_row"
    )


def _record(con: duckdb.DuckDBPyConnection, repair: Realign) -> None:
    con.execute(
        "insert into subject_repair select home, ?, case when donor = '-1' then ? when donor = home then ? else ? end "
        "from mapping",
        [repair.id, ABSENT, UNCHANGED, MOVED],
    )
