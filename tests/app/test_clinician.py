"""The clinician's pages: normal, empty, refused, forbidden; and that they say what the store holds."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pipeline.numerals import format_count, format_of_100
from pipeline.settings import Role
from pipeline.store.release import Release
from tests.app.reading import text_of

PATIENTS = "views/clinician/patients.py"
OpenApp = Callable[..., AppTest]
ReleaseOf = Callable[[Role], Release]


def rows(release: Release, sql: str) -> pd.DataFrame:
    frame: pd.DataFrame = release.cursor().sql(sql).df()
    return frame


@pytest.fixture
def clinician(release_of: ReleaseOf) -> Release:
    return release_of(Role.CLINICIAN)


def test_the_list_is_ranked_by_risk_and_shows_the_first_page(open_app: OpenApp, clinician: Release) -> None:
    app = open_app(PATIENTS)
    expected = rows(
        clinician, "select subject_id from patient_list order by death_180d_estimate desc, subject_id limit 14"
    )
    assert list(app.dataframe[0].value["Patient"]) == list(expected["subject_id"])
    assert "Demonstration · not reviewed" in text_of(app)
    assert "1989-94" in text_of(app)


def test_the_list_counts_whom_a_filter_leaves(open_app: OpenApp, clinician: Release) -> None:
    app = open_app(PATIENTS)
    app.multiselect(key="diagnosis").select("Coma").run()
    expected = rows(clinician, "select count(*) as n from patient_list where diagnosis = 'Coma'")["n"][0]
    assert f"{format_count(expected)} patients" in text_of(app)
    assert set(app.dataframe[0].value["Diagnosis"]) == {"Coma"}


def test_the_list_sorts_by_any_offered_column(open_app: OpenApp, clinician: Release) -> None:
    app = open_app(PATIENTS)
    app.selectbox(key="sort").select("age").run()
    oldest = rows(clinician, "select subject_id from patient_list order by age desc, subject_id limit 1")
    assert app.dataframe[0].value["Patient"].iloc[0] == oldest["subject_id"][0]


def test_a_list_that_nobody_matches_says_so(open_app: OpenApp) -> None:
    app = open_app(PATIENTS)
    app.text_input(key="id").input("nobody-has-this'; drop table subject --").run()
    assert "Nobody matches these filters" in text_of(app)
    assert not app.dataframe


def test_the_list_of_an_amount_shows_dollars(open_app: OpenApp) -> None:
    app = open_app(PATIENTS)
    app.selectbox(key="target").select("total_cost").run()
    assert all(value.startswith("$") for value in app.dataframe[0].value["estimate"])
    assert "nominal, 1989-94" in text_of(app)


@pytest.mark.parametrize("target", ["death_180d", "hospital_death", "total_cost", "bed_days"])
def test_the_patient_page_works_for_every_target(open_app: OpenApp, clinician: Release, target: str) -> None:
    patient = rows(clinician, "select min(subject_id) as id from subject")["id"][0]
    app = open_app(PATIENTS, patient=patient)
    app.button_group(key="estimate").set_value(target).run()
    assert not app.exception
    caution = clinician.study.target(target).caution
    assert caution
    assert caution in text_of(app)
    assert "which never saw this patient" in text_of(app)


def test_the_patient_page_says_the_risk_its_interval_and_the_reasons(open_app: OpenApp, clinician: Release) -> None:
    row = rows(clinician, "select * from patient_list where crea_high order by 1 limit 1".replace(
        "crea_high", "subject_id in (select subject_id from subject where crea > 3)")).iloc[0]  # fmt: skip
    text = text_of(open_app(PATIENTS, patient=row["subject_id"]))
    risk = format_of_100(row["death_180d_estimate"])
    assert f"in SUPPORT, 1989-94, about {risk} died within 180 days" in text
    interval = f"{format_of_100(row['death_180d_lower_90'])} to {format_of_100(row['death_180d_upper_90'])}"
    assert f"{interval} in 90% of rebuilds" in text
    assert "Why this estimate, in words" in text
    assert "Association, not effect." in text


def test_a_moved_patient_and_one_without_physiology_say_so(open_app: OpenApp, clinician: Release) -> None:
    for result, words in (("moved", "re-matched"), ("absent", "missing in the public file")):
        sql = f"select min(subject_id) as id from subject_repair where result = '{result}'"
        assert words in text_of(open_app(PATIENTS, patient=rows(clinician, sql)["id"][0]))


def test_a_value_that_validation_removed_says_why(open_app: OpenApp, clinician: Release) -> None:
    removed = rows(
        clinician,
        "select min(subject_id) as id from quarantine where action = 'set to missing' and subject_id is not null",
    )["id"][0]
    assert "a code for missing" in text_of(open_app(PATIENTS, patient=removed))


@pytest.mark.parametrize("patient", ["nobody", "'; drop table subject; --", "<b>x</b>", "00000-00000"])
def test_an_unknown_patient_is_a_sentence(open_app: OpenApp, patient: str) -> None:
    app = open_app(PATIENTS, patient=patient)
    assert "No such patient in this release" in text_of(app)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.BOARD])
def test_other_roles_are_refused_patients(open_app: OpenApp, role: Role) -> None:
    app = open_app(PATIENTS, role=role.value)
    assert "This page is not for your role" in text_of(app)
    assert not app.dataframe


def test_the_start_page_says_what_it_is_and_is_not(open_app: OpenApp, clinician: Release) -> None:
    text = text_of(open_app())
    assert clinician.study.title in text
    assert "not a medical device" in text
    assert "Never a reason to limit, withhold or withdraw treatment" in text


def test_an_empty_store_is_answered_with_what_to_do(open_app: OpenApp, tmp_path: Path) -> None:
    app = open_app(store=tmp_path)
    assert "wardlight build STUDY" in text_of(app)


def test_the_app_refuses_any_address_but_loopback(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlit.get_option", lambda name: "0.0.0.0" if name == "server.address" else None)  # noqa: S104
    text = text_of(open_app())
    assert "expected the demonstration on this machine only".capitalize()[:40].lower() in text.lower()
    assert "0.0.0.0" in text  # noqa: S104
