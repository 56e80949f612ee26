"""Repairs: values move home, their quarantine follows, and a mapping that cannot be is refused."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import DataError
from pipeline.ingest.source import Source, read_source
from pipeline.study import Study, load_study
from tests.conftest import WriteStudy
from tests.synthetic import REPAIR, build_frame

# Row 1 takes the values of row 2, row 2 those of row 3, row 3 has none; row 4 is as it should be; row 5 is not named.
MAPPING = "pid,donor\np0001,p0002\np0002,p0003\np0003,-1\np0004,p0004\n"


def _source(write_study: WriteStudy, folder: Path, mapping: str = MAPPING, **changes: object) -> Source:
    frame = build_frame()
    frame.loc[:4, "lactate"] = [1.5, 0, 99, 4.5, 0]
    path = write_study(folder, frame=frame, repairs=[{**REPAIR, **changes}])
    (folder / "mapping.csv").write_text(mapping, encoding="utf-8")
    return read_source(load_study(path))


def _first_five(source: Source, column: str) -> list[object]:
    rows = source.con.execute(f'select "{column}" from typed order by source_row limit 5').fetchall()
    return [value for (value,) in rows]


def test_values_move_home_and_nothing_else_does(write_study: WriteStudy, tmp_path: Path) -> None:
    source = _source(write_study, tmp_path)
    # Row 2 holds an impossible zero: it moves to row 1 as missing. Row 5 keeps its own.
    assert _first_five(source, "lactate") == [None, 99, None, 4.5, None]
    assert _first_five(source, "subject_key") == [f"p000{i}" for i in range(1, 6)]
    assert _first_five(source, "age") == [float(age) for age in build_frame()["age"][:5]]


def test_the_quarantine_follows_each_value_to_its_owner_and_keeps_the_row_of_the_file(
    write_study: WriteStudy, tmp_path: Path
) -> None:
    source = _source(write_study, tmp_path)
    sql = "select source_row, value, subject_key from quarantine where column_name = 'lactate' and source_row <= 5"
    assert source.con.execute(sql + " order by 1").fetchall() == [
        (2, "0", "p0001"),
        (3, "99", "p0002"),
        (5, "0", "p0005"),
    ]


def test_a_rejected_value_that_belongs_to_nobody_says_so(write_study: WriteStudy, tmp_path: Path) -> None:
    # Row 2 is taken away from its own patient and given to nobody.
    source = _source(write_study, tmp_path, "pid,donor\np0002,p0003\np0003,-1\n")
    sql = "select source_row, subject_key from quarantine where column_name = 'lactate' and source_row <= 3 order by 1"
    assert source.con.execute(sql).fetchall() == [(2, None), (3, "p0002")]


def test_values_of_other_columns_keep_their_owner(write_study: WriteStudy, tmp_path: Path) -> None:
    frame = build_frame().astype({"age": object})
    frame.loc[1, "age"] = 150
    path = write_study(tmp_path, frame=frame, repairs=[REPAIR])
    (tmp_path / "mapping.csv").write_text(MAPPING, encoding="utf-8")
    source = read_source(load_study(path))
    sql = "select subject_key from quarantine where column_name = 'age' and source_row = 2"
    assert source.con.execute(sql).fetchall() == [("p0002",)]


def test_what_became_of_each_subject_is_recorded(write_study: WriteStudy, tmp_path: Path) -> None:
    source = _source(write_study, tmp_path)
    assert source.con.execute("select * from subject_repair order by 1").fetchall() == [
        ("p0001", "blood", "moved"),
        ("p0002", "blood", "moved"),
        ("p0003", "blood", "absent"),
        ("p0004", "blood", "unchanged"),
    ]


def test_the_mapping_is_named_with_its_checksum_beside_the_source(write_study: WriteStudy, tmp_path: Path) -> None:
    assert list(_source(write_study, tmp_path).files) == ["tiny.csv", "mapping.csv"]


@pytest.mark.parametrize(
    ("mapping", "expected", "found"),
    [
        ("pid,donor\np0001,p0002\np0001,p0003\n", "names each row once", "'p0001'"),
        ("pid,donor\np0001,p0003\np0002,p0003\n", "gives the values of each row to one subject", "'p0003'"),
        ("pid,donor\nq1,p0003\n", "names rows of the source only", "'q1'"),
        ("pid,donor\np0001,q9\n", "names rows of the source only", "'q9'"),
        ("pid,giver\np0001,p0002\n", "expected columns ['donor'] in mapping.csv", "columns pid, giver"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(
    write_study: WriteStudy, tmp_path: Path, mapping: str, expected: str, found: str
) -> None:
    with pytest.raises(DataError) as caught:
        _source(write_study, tmp_path, mapping)
    assert expected in str(caught.value)
    assert found in str(caught.value)


def test_a_mapping_that_leaves_a_donor_out_is_refused(write_study: WriteStudy, tmp_path: Path) -> None:
    # -1 says that no row holds the values; an empty cell says nothing, and must not pass for "moved".
    with pytest.raises(DataError, match=r"mapping\.csv"):
        _source(write_study, tmp_path, "pid,donor\np0001,\np0002,p0002\n")


def test_a_mapping_that_is_not_there_is_refused(write_study: WriteStudy, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected the mapping of repair 'blood'"):
        _source(write_study, tmp_path, by="nowhere.csv")


def test_every_value_of_support2_stands_where_a_plain_loop_puts_it(small_study: Study) -> None:
    repair = small_study.repairs[0]
    text = pd.read_csv(small_study.source_path, dtype=str).set_index("sno")
    mapping = pd.read_csv(small_study.folder / repair.by, dtype=str).set_index("sno")["physiology_sno"]
    typed = read_source(small_study).con.execute("select * from typed").df().set_index("subject_key")
    assert list(typed.index) == list(text.index)
    for column in repair.realign:
        feature = next(f for f in small_study.features if f.column == column)
        expected = {}
        for sno in text.index:
            donor = mapping.get(sno, sno)
            value = float("nan") if donor == "-1" else float(text.loc[donor, column])
            expected[sno] = float("nan") if value in feature.invalid else value
        pd.testing.assert_series_equal(typed[column], pd.Series(expected), check_names=False, check_index_type=False)


def test_an_outcome_never_moves(small_study: Study) -> None:
    text = pd.read_csv(small_study.source_path)
    typed = read_source(small_study).con.execute("select * from typed order by source_row").df()
    for column in ("death", "hospdead", "slos", "d.time", "totcst", "aps", "surv6m", "dzgroup"):
        assert list(typed[column].fillna(-1)) == list(text[column].fillna(-1))
