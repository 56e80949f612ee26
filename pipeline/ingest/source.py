"""The source as one table of typed, validated, repaired columns."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.ingest.files import checksum, find_source, read_text_columns
from pipeline.ingest.repair import apply_repairs
from pipeline.ingest.validate import check_columns, type_columns
from pipeline.study.model import Study


@dataclass(frozen=True)
class Source:
    """An in-memory DuckDB with `typed`, `quarantine` and `subject_repair`, and the checksum of every file read."""

    con: duckdb.DuckDBPyConnection
    files: dict[str, str]

    @property
    def sha256(self) -> str:
        """The checksum of the study's source file."""
        return next(iter(self.files.values()))


def read_source(study: Study, source_dir: Path | None = None) -> Source:
    """The study's source, typed and repaired.

    Raises:
        StudyError: the study does not declare what the file holds.
        DataError: a file is missing, is another one, cannot be read, or breaks a rule that has no remedy.
    """
    path = find_source(study, source_dir)
    con = duckdb.connect()
    columns = read_text_columns(con, path, table="source")
    check_columns(study, columns, file=path.name)
    type_columns(con, study, columns, file=path.name)
    apply_repairs(con, study)
    # From here on only expressions of the study run; they have no business with files or the network.
    con.execute("set enable_external_access = false")
    mappings = {r.by.name: checksum((study.folder / r.by).resolve()) for r in study.repairs}
    return Source(con=con, files={path.name: checksum(path), **mappings})
