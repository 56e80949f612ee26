"""The source as a whole."""

import duckdb
import pytest

from pipeline.hashing import sha256_of
from pipeline.ingest.source import read_source
from pipeline.study import Study


def test_a_source_knows_the_checksum_of_every_file_that_was_read(small_study: Study) -> None:
    source = read_source(small_study)
    assert source.files == {
        "small.csv": sha256_of(small_study.folder / "small.csv"),
        "alignment.csv": sha256_of(small_study.folder / "alignment.csv"),
    }
    assert source.sha256 == source.files["small.csv"]


def test_expressions_of_a_study_cannot_read_files_once_the_source_is_read(tiny_study: Study) -> None:
    source = read_source(tiny_study)
    with pytest.raises(duckdb.Error, match="disabled"):
        source.con.execute(f"select * from read_csv('{tiny_study.source_path}')")
