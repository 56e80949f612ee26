"""The SELECTs that pages show, against the same in pandas."""

from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from pipeline.settings import Role
from pipeline.store import reads
from pipeline.store.reads import ListFilter
from pipeline.store.reads_groups import get_group_outlook, get_total_coverage
from pipeline.store.reads_selection import get_selection_groups
from pipeline.store.release import Release
from pipeline.study import Study

DEATH, COST = "death_180d", "total_cost"
SHOW: dict[str, Any] = {"target_id": DEATH, "cost_id": COST, "sort": "estimate", "descending": True, "page": 1}


@pytest.fixture
def con(release_of: Callable[[Role], Release]) -> duckdb.DuckDBPyConnection:
    return release_of(Role.CLINICIAN).cursor()


@pytest.fixture
def patients(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return con.execute("from patient_list").df()


def _percent(risks: pd.Series) -> pd.Series:
    return (100 * risks + 0.5).floordiv(1)


def test_without_a_filter_the_list_is_everybody(con: duckdb.DuckDBPyConnection, patients: pd.DataFrame) -> None:
    risks = patients[f"{DEATH}_estimate"]
    found = reads.get_list_totals(con, ListFilter(), target_id=DEATH, threshold=0.5)
    assert found["n_all"] == found["n"] == len(patients)
    assert found["n_refused"] == risks.isna().sum() == (patients["status"] == "refused").sum() > 0
    assert found["n_above"] == (risks >= 0.5).sum()
    assert found["expected"] == pytest.approx(risks.sum())


def test_each_filter_keeps_those_it_names_and_filters_add_up(
    con: duckdb.DuckDBPyConnection, patients: pd.DataFrame
) -> None:
    risks = patients[f"{DEATH}_estimate"]
    filters: dict[str, tuple[Any, pd.Series]] = {
        "diagnoses": (("CHF", "COPD"), patients["diagnosis"].isin(["CHF", "COPD"])),
        "sexes": (("female",), patients["sex"] == "female"),
        "ages": ((40, 64), np.floor(patients["age"]).between(40, 64)),
        "risks": ((0.25, 0.75), _percent(risks).between(25, 75)),
    }
    chosen: dict[str, Any] = {}
    mask = np.ones(len(patients), dtype=bool)
    for name, (value, own) in filters.items():
        alone = reads.get_list_totals(con, ListFilter(**{name: value}), target_id=DEATH, threshold=None)
        assert alone["n"] == own.sum()
        chosen[name], mask = value, mask & own.to_numpy()
    together = reads.get_list_totals(con, ListFilter(**chosen), target_id=DEATH, threshold=None)
    assert together["n"] == mask.sum() > 0
    assert together["expected"] == pytest.approx(risks[mask].sum())


def test_both_ends_of_the_range_of_risks_belong_to_it(con: duckdb.DuckDBPyConnection, patients: pd.DataFrame) -> None:
    shown = _percent(patients[f"{DEATH}_estimate"])
    wrong = []
    for percent in range(101):
        chosen = ListFilter(risks=(percent / 100, percent / 100))
        found = reads.get_list_totals(con, chosen, target_id=DEATH, threshold=None)
        if found["n"] != (shown == percent).sum():
            wrong.append(percent)
    assert not wrong


@pytest.mark.parametrize(
    "change", [str, str.lower, lambda i: i.replace("-", ""), lambda i: f"  {i} ", lambda i: i[2:8]]
)
def test_a_patient_is_found_by_id_however_it_is_typed(
    con: duckdb.DuckDBPyConnection, patients: pd.DataFrame, change: Callable[[str], str]
) -> None:
    wanted = patients["subject_id"][17]
    page = reads.get_list_page(con, ListFilter(search=change(wanted)), **SHOW)
    assert wanted in set(page["subject_id"])


def test_an_id_that_is_no_id_finds_nobody_and_harms_nothing(con: duckdb.DuckDBPyConnection) -> None:
    for search in ("%", "'; drop table subject; --", "___", "\\"):
        assert reads.get_list_page(con, ListFilter(search=search), **SHOW).empty


@pytest.mark.parametrize("sort", ["estimate", "cost", "age", "gaps", "diagnosis", "subject_id", "no such column"])
@pytest.mark.parametrize("descending", [True, False])
def test_pages_together_are_the_whole_list_in_order(
    con: duckdb.DuckDBPyConnection, patients: pd.DataFrame, sort: str, descending: bool
) -> None:
    show = SHOW | {"sort": sort, "descending": descending, "rows": 400}
    pages = [reads.get_list_page(con, ListFilter(), **(show | {"page": page})) for page in range(1, 6)]
    together = pd.concat(pages, ignore_index=True)
    column = sort if sort in ("cost", "age", "gaps", "diagnosis", "subject_id") else "estimate"
    expected = patients.assign(estimate=patients[f"{DEATH}_estimate"], cost=patients[f"{COST}_estimate"]).sort_values(
        [column, "subject_id"] if column != "subject_id" else column,
        ascending=[not descending, True] if column != "subject_id" else not descending,
    )
    assert together["subject_id"].tolist() == expected["subject_id"].tolist()
    np.testing.assert_array_equal(together["cost"], expected["cost"])
    if column in ("estimate", "cost"):
        assert together["estimate"].tail(int(expected["estimate"].isna().sum())).isna().all()


def test_a_page_past_the_end_is_empty(con: duckdb.DuckDBPyConnection) -> None:
    assert reads.get_list_page(con, ListFilter(), **(SHOW | {"page": 10_000})).empty


def test_a_patients_tables_are_in_the_order_of_the_study(
    con: duckdb.DuckDBPyConnection, patients: pd.DataFrame, small_study: Study
) -> None:
    subject_id = patients.query("status == 'scored'")["subject_id"].iloc[3]
    assert reads.get_subject(con, subject_id)["subject_id"].tolist() == [subject_id]
    assert reads.get_subject(con, "no such patient").empty
    predictions = reads.get_predictions(con, subject_id)
    assert predictions["target_id"].tolist() == [t.id for t in small_study.targets]
    explanation = reads.get_explanation(con, subject_id, DEATH)
    assert explanation["feature_id"].tolist() == [f.id for f in small_study.features]
    margin = predictions.set_index("target_id")["margin"][DEATH]
    assert explanation["contribution"].sum() + explanation["base_value"][0] == pytest.approx(margin, abs=1e-9)


def test_levels_come_in_the_order_of_the_study_with_their_reference(
    con: duckdb.DuckDBPyConnection, small_study: Study
) -> None:
    table = reads.get_subgroups(con, DEATH, "observed_expected")
    expected = [(a.id, level) for a in small_study.subgroups for level in [*a.levels, "missing"]]
    found = list(zip(table["attribute"], table["level"], strict=True))
    assert found == [pair for pair in expected if pair in set(found)]
    assert {(a.id, level) for a in small_study.subgroups for level in a.levels} <= set(found)
    references = table[table["reference"]].set_index("attribute")["level"].to_dict()
    assert references == {a.id: a.reference for a in small_study.subgroups}


def test_a_threshold_chooses_its_rows_and_none_those_without(con: duckdb.DuckDBPyConnection) -> None:
    at = reads.get_subgroups(con, DEATH, "sensitivity", 0.5)
    assert len(at) > 0
    assert reads.get_subgroups(con, DEATH, "sensitivity").empty
    assert reads.get_subgroups(con, DEATH, "auroc", 0.5).empty


def test_the_coverage_of_totals_is_that_of_the_level_asked_for(con: duckdb.DuckDBPyConnection) -> None:
    found = get_total_coverage(con, COST, 0.9)
    stored = con.execute(f"from total_coverage where target_id = '{COST}'").df()
    assert found["group_kind"].tolist() == ["random", "random", "random", "attribute"]
    assert found["size"].dropna().tolist() == [20, 100, 500]
    own = stored[stored["level"] == 0.9]
    assert sorted(found["coverage"]) == sorted(own["coverage"])
    assert len(stored) == 3 * len(own)


@pytest.mark.parametrize("attribute", ["diagnosis", "race"])
def test_the_outlook_of_a_group_is_its_totals_beside_how_right_they_were(
    con: duckdb.DuckDBPyConnection, small_study: Study, attribute: str
) -> None:
    outlook = get_group_outlook(con, COST, attribute).set_index("level")
    subject = con.execute("from subject").df().set_index("subject_id")
    prediction = con.execute(f"from prediction where target_id = '{COST}'").df().set_index("subject_id")["estimate"]
    assert list(outlook.index)[: len(small_study.attribute(attribute).levels)] == list(
        small_study.attribute(attribute).levels
    )
    for level, row in outlook.iterrows():
        own = subject[(subject[attribute] == level) & prediction.loc[subject.index].notna()]
        seen = own[own[COST].notna()]
        assert (row["n"], row["n_observed"]) == (len(own), len(seen))
        assert row["projected_total"] == pytest.approx(prediction[own.index].sum())
        assert row["observed_total"] == pytest.approx(seen[COST].sum())
        assert row["ratio"] == pytest.approx(prediction[seen.index].sum() / seen[COST].sum())
        assert row["projected_mean"] == pytest.approx(prediction[seen.index].mean())


@pytest.mark.parametrize("chosen", [ListFilter(), ListFilter(sexes=("female",), ages=(40, 64), risks=(0.2, 0.9))])
def test_a_selection_says_what_estimates_of_each_level_add_up_to(
    con: duckdb.DuckDBPyConnection, patients: pd.DataFrame, small_study: Study, chosen: ListFilter
) -> None:
    found = get_selection_groups(con, chosen, target_id=DEATH)
    subject = con.execute("from subject").df().set_index("subject_id")
    listed = patients.set_index("subject_id")
    risks = listed[f"{DEATH}_estimate"]
    inside = risks.notna()
    if chosen.sexes:
        inside &= (listed["sex"] == "female") & np.floor(listed["age"]).between(40, 64)
        inside &= _percent(risks).between(20, 90)
    assert set(found["attribute"]) == {a.id for a in small_study.subgroups}
    for row in found.to_dict("records"):
        own = subject[row["attribute"]].loc[listed.index] == row["level"]
        assert row["own"] == pytest.approx(risks[own & inside].sum())
        assert row["whole"] == pytest.approx(risks[own].sum())
    effects = con.execute(f"select attribute, sd from group_effect where target_id = '{DEATH}'").df()
    sds = dict(zip(effects["attribute"], effects["sd"], strict=True))
    assert found["sd"].tolist() == pytest.approx([sds[a] for a in found["attribute"]], nan_ok=True)


def test_the_list_can_be_narrowed_by_status_and_says_why_somebody_is_not_scored(
    con: duckdb.DuckDBPyConnection, patients: pd.DataFrame
) -> None:
    refused = patients.query("status == 'refused'")
    page = reads.get_list_page(con, ListFilter(status="refused"), **(SHOW | {"rows": 400}))
    assert set(page["subject_id"]) == set(refused["subject_id"])
    assert page["refusal"].str.startswith("Not scored: ").all()
    scored = reads.get_list_totals(con, ListFilter(status="scored"), target_id=DEATH, threshold=None)
    assert (scored["n"], scored["n_refused"]) == (len(patients) - len(refused), 0)
    assert reads.get_list_page(con, ListFilter(status="scored"), **SHOW)["refusal"].isna().all()


def test_explanations_that_change_are_found_by_patient(con: duckdb.DuckDBPyConnection) -> None:
    table = con.execute("from patient_stability").df()
    for subject_id in table["subject_id"].unique()[:20]:
        expected = table[(table["subject_id"] == subject_id) & table["unstable"]]
        found = reads.get_unstable_explanations(con, subject_id)
        assert found["target_id"].tolist() == sorted(expected["target_id"])


def test_a_diagnosis_has_errors_of_its_own_where_the_release_holds_them(con: duckdb.DuckDBPyConnection) -> None:
    stored = con.execute("select distinct fold, diagnosis from conformal_score where target_id = ?", [COST]).df()
    assert not reads.has_own_errors(con, COST, 0, "no such diagnosis")
    for row in stored.dropna().itertuples():
        assert reads.has_own_errors(con, COST, int(str(row.fold)), str(row.diagnosis))
