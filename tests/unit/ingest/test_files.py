"""Source files: found, checked, and read as the text they hold."""

import hashlib
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import DataError
from pipeline.ingest.files import find_source, read_text_columns
from pipeline.study import load_study
from tests.conftest import WriteStudy
from tests.synthetic import build_frame

CSV = build_frame().to_csv(index=False)


def _read(folder: Path, content: str | bytes) -> tuple[list[str], list[tuple[object, ...]]]:
    path = folder / "source.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with duckdb.connect() as con:
        columns = read_text_columns(con, path, table="source")
        return columns, con.execute("select * from source order by source_row").fetchall()


def _refusal(folder: Path, content: str | bytes) -> str:
    with pytest.raises(DataError) as caught:
        _read(folder, content)
    return str(caught.value)


def test_the_source_is_found_beside_the_study_or_in_a_folder_of_its_own(
    write_study: WriteStudy, tmp_path: Path
) -> None:
    study = load_study(write_study(tmp_path / "study"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "tiny.csv").write_text(CSV, encoding="utf-8")
    assert find_source(study) == tmp_path / "study" / "tiny.csv"
    assert find_source(study, elsewhere) == elsewhere / "tiny.csv"


def test_a_source_that_is_not_there_is_named_with_its_whole_path(write_study: WriteStudy, tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    (tmp_path / "tiny.csv").unlink()
    with pytest.raises(DataError, match="--source DIR") as caught:
        find_source(study)
    assert f"got: no file {tmp_path / 'tiny.csv'}" in str(caught.value)


def test_a_source_with_another_checksum_is_refused_and_both_are_shown(write_study: WriteStudy, tmp_path: Path) -> None:
    source = {"kind": "csv", "path": "tiny.csv", "sha256": "0" * 64}
    study = load_study(write_study(tmp_path, source=source))
    found = hashlib.sha256((tmp_path / "tiny.csv").read_bytes()).hexdigest()
    with pytest.raises(DataError) as caught:
        find_source(study)
    assert f"SHA-256 {'0' * 64}\n  got: {found}" in str(caught.value)
    right = load_study(write_study(tmp_path, source={**source, "sha256": found}))
    assert find_source(right) == tmp_path / "tiny.csv"


def test_values_are_the_trimmed_text_of_the_file_and_empty_text_is_null(tmp_path: Path) -> None:
    columns, rows = _read(tmp_path, 'id,num.co,note\n1, 007 ,"a, b"\n2,, \n3,NA,NULL\n')
    assert columns == ["id", "num.co", "note"]
    assert rows == [(1, "1", "007", "a, b"), (2, "2", None, None), (3, "3", "NA", "NULL")]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_endings_and_a_byte_order_mark_change_nothing(tmp_path: Path, ending: str, mark: str) -> None:
    columns, rows = _read(tmp_path, mark + CSV.replace("\n", ending))
    assert columns[0] == "pid"
    assert len(rows) == 240
    assert rows[0][1] == "p0001"
    assert rows[-1][-1] == CSV.splitlines()[-1].split(",")[-1]


def test_rows_are_numbered_in_the_order_of_the_file(tmp_path: Path) -> None:
    # More rows than one piece that DuckDB reads at a time.
    _, rows = _read(tmp_path, "id,x\n" + "".join(f"r{i},{i % 7}\n" for i in range(1, 300_001)))
    assert all(row[1] == f"r{row[0]}" for row in rows)
    assert len(rows) == 300_000


def test_a_row_whose_first_value_starts_with_a_hash_is_no_comment(tmp_path: Path) -> None:
    _, rows = _read(tmp_path, CSV.replace("p0005", "#p0005"))
    assert len(rows) == 240
    assert rows[4][1] == "#p0005"


@pytest.mark.parametrize(
    "content",
    [b"", "pid,age\np1,5\np2,mälé\n".encode("latin-1"), bytes(range(256)) * 50],
    ids=["empty", "latin-1", "binary"],
)
def test_a_file_that_is_no_csv_is_refused_with_what_to_look_for(tmp_path: Path, content: bytes) -> None:
    message = _refusal(tmp_path, content)
    assert "expected source.csv to be a readable CSV file with a header\n  got: " in message
    assert "broken quote, a short row or another encoding than UTF-8" in message


@pytest.mark.parametrize("position", [1, 100, 240])
@pytest.mark.parametrize("values", [6, 10])
def test_a_row_with_too_few_or_too_many_values_is_no_readable_csv(tmp_path: Path, position: int, values: int) -> None:
    lines = CSV.splitlines()
    lines[position] = ",".join([*lines[position].split(","), "7", "8"][:values])
    assert "expected source.csv to be a readable CSV file" in _refusal(tmp_path, "\n".join(lines) + "\n")


def test_a_header_without_rows_is_refused(tmp_path: Path) -> None:
    assert "expected rows in source.csv\n  got: none" in _refusal(tmp_path, CSV.splitlines()[0] + "\n")
