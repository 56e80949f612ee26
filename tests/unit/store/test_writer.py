"""Writing a role's file: types by contract, patients in the order of their pseudonyms, explanation as a view."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from pipeline.errors import StoreError
from pipeline.settings import Role
from pipeline.store.release import Release
from pipeline.store.schema import tables_of
from pipeline.store.writer import write_role_file
from pipeline.study import Study


@pytest.fixture(scope="module")
def tables(release_of: Callable[[Role], Release]) -> dict[str, pd.DataFrame]:
    cursor = release_of(Role.CLINICIAN).cursor()
    return {table.name: cursor.execute(f"from {table.name}").df() for table in tables_of(Role.CLINICIAN)}


def test_patients_are_written_in_the_order_of_their_pseudonyms(tables: dict[str, pd.DataFrame]) -> None:
    for name in ("subject", "patient_list", "prediction", "contribution", "baseline_prediction"):
        assert tables[name]["subject_id"].is_monotonic_increasing, name


def test_what_was_written_can_be_written_again(
    tables: dict[str, pd.DataFrame], small_study: Study, tmp_path: Path
) -> None:
    shuffled = {name: table.sample(frac=1, random_state=1) for name, table in tables.items()}
    for role in Role:
        write_role_file(tmp_path / f"{role}.duckdb", shuffled, small_study, role)
    with duckdb.connect(str(tmp_path / "clinician.duckdb"), read_only=True) as con:
        for name in ("subject", "prediction", "performance"):
            written, keys = con.sql(f"from {name}").df(), list(tables[name].columns)
            pd.testing.assert_frame_equal(
                written.sort_values(keys, ignore_index=True), tables[name].sort_values(keys, ignore_index=True)
            )


def test_a_table_without_a_column_of_the_contract_is_not_written(
    tables: dict[str, pd.DataFrame], small_study: Study, tmp_path: Path
) -> None:
    spoilt = {**tables, "subject": tables["subject"].drop(columns="crea")}
    with pytest.raises(duckdb.Error, match="crea"):
        write_role_file(tmp_path / "clinician.duckdb", spoilt, small_study, Role.CLINICIAN)


def test_a_null_where_the_contract_allows_none_is_refused(
    tables: dict[str, pd.DataFrame], small_study: Study, tmp_path: Path
) -> None:
    spoilt = {**tables, "release": tables["release"].assign(era=None)}
    with pytest.raises(StoreError, match=r"no nulls in release\.era"):
        write_role_file(tmp_path / "board.duckdb", spoilt, small_study, Role.BOARD)


def test_the_explanation_is_the_contributions_with_a_row_a_feature(
    tables: dict[str, pd.DataFrame], small_study: Study
) -> None:
    ids = [f.id for f in small_study.features]
    melted = tables["contribution"].melt(
        ["subject_id", "target_id", "base_value"], ids, var_name="feature_id", value_name="contribution"
    )
    keys = ["subject_id", "target_id", "feature_id"]
    pd.testing.assert_frame_equal(
        tables["explanation"].sort_values(keys, ignore_index=True),
        melted.sort_values(keys, ignore_index=True)[list(tables["explanation"])],
        check_dtype=False,
    )
