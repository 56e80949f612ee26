"""Reading source files as text, exactly as they are, one row number a row."""

from pathlib import Path

import duckdb

from pipeline.errors import DataError
from pipeline.hashing import sha256_of
from pipeline.study.model import Study, quote


def find_source(study: Study, source_dir: Path | None = None) -> Path:
    """The study's source file, in `source_dir` if one is given, with the checksum that the study declares.

    Raises:
        DataError: the file is not there, or is not the file that the study was written for.
    """
    path = (source_dir / study.source.path.name).resolve() if source_dir else study.source_path
    if not path.is_file():
        raise DataError(
            f"expected the source file of study {study.id!r}",
            got=f"no file {path}",
            mend="put it there, or name its folder with --source DIR",
        )
    found = checksum(path)
    if study.source.sha256 and found != study.source.sha256:
        raise DataError(
            f"expected {path.name} with SHA-256 {study.source.sha256}",
            got=found,
            mend="fetch the file again, or, if it was meant to change, write its new checksum into the study",
        )
    return path


def checksum(path: Path) -> str:
    """The SHA-256 of a source file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return sha256_of(path)
    except OSError as error:
        raise DataError(
            f"expected to read {path.name}", got=error.strerror or error, mend="check the disk and the file's rights"
        ) from None


def read_text_columns(con: duckdb.DuckDBPyConnection, path: Path, *, table: str) -> list[str]:
    """Creates `table` with `source_row` (from 1) and every column of the CSV as trimmed text; returns its columns.

    Empty text is null. Nothing is typed here, so that a rejected value can be shown as it stands in the file.

    Raises:
        DataError: the file cannot be read as CSV, or has no rows.
    """
    try:
        relation = _read_csv(con, path)
        columns = _check_names(relation.columns, path)
        trimmed = ", ".join(f"nullif(trim({quote(c)}), '') as {quote(c)}" for c in columns)
        con.execute(
            f"create table {quote(table)} as select row_number() over () as source_row, {trimmed} from relation"
        )
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise DataError(
            f"expected {path.name} to be a readable CSV file with a header",
            got=str(error).strip().splitlines()[0],
            mend="open it in an editor; look for a broken quote, a short row or another encoding than UTF-8",
        ) from None
    if con.table(table).count("*").fetchall()[0][0] == 0:
        raise DataError(f"expected rows in {path.name}", got="none", mend="check that the file is complete")
    return columns


# The table of a source file has these beside its columns.
_OWN_COLUMNS = {"source_row", "subject_key"}


def _check_names(columns: list[str], path: Path) -> list[str]:
    if taken := [c for c in columns if c.lower() in _OWN_COLUMNS]:
        raise DataError(
            f"expected no column of {path.name} to be called {' or '.join(sorted(_OWN_COLUMNS))}",
            got=", ".join(taken),
            mend="rename the column",
        )
    return columns


def _read_csv(con: duckdb.DuckDBPyConnection, path: Path) -> duckdb.DuckDBPyRelation:
    """The file with its delimiter found; one row of another length must not make it a file of one column."""

    def read(delimiter: str | None = None) -> duckdb.DuckDBPyRelation:
        return con.read_csv(str(path), header=True, all_varchar=True, sample_size=-1, skiprows=0, delimiter=delimiter)

    relation = read()
    if len(relation.columns) > 1:
        return relation
    delimiter = max(",;\t|", key=relation.columns[0].count)
    return read(delimiter) if delimiter in relation.columns[0] else relation
