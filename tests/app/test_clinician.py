"""The clinician's pages: normal, empty, refused, forbidden; and that they say what the store holds."""

import html
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.components.pictures import no_picture
from pipeline.build import build_release
from pipeline.models.boosting import Boosting
from pipeline.numerals import format_count, format_dollars, format_of_100
from pipeline.settings import Role
from pipeline.store.reads import PAGE_ROWS
from pipeline.store.release import Release, open_release
from pipeline.study import Study
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
    patient = rows(clinician, "select min(subject_id) as id from prediction where status = 'scored'")["id"][0]
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


def html_of(app: AppTest) -> list[str]:
    """The pieces of the page that are markup, one by one."""
    return [element.proto.body for element in app.get("html")]


@pytest.mark.parametrize("target", ["death_180d", "hospital_death"])
def test_no_level_is_ever_said_of_the_calibration_band(open_app: OpenApp, clinician: Release, target: str) -> None:
    sql = f"select * from prediction where target_id = '{target}' and status = 'scored' order by subject_id limit 60"
    for _, row in rows(clinician, sql)[::20].iterrows():
        app = open_app(PATIENTS, patient=row["subject_id"])
        app.button_group(key="estimate").set_value(target).run()
        pieces = [*html_of(app), *(str(part.value) for part in [*app.markdown, *app.caption])]
        said = [piece for piece in pieces if "Calibration:" in piece]
        assert len(said) == 1
        assert re.search(r"Calibration: (less than 1|more than 99|[\d.]+) to [\w .]+ of 100 such patients", said[0])
        assert not re.search(r"\d\s*%|confiden|\b(80|90|95) of", said[0])
        # Nor does the sentence before or after it name one.
        place = pieces.index(said[0])
        assert pieces[place - 1 : place] != [piece for piece in pieces if "90%" in piece]


def test_an_amount_has_two_prediction_intervals_and_no_band(open_app: OpenApp, clinician: Release) -> None:
    sql = "select * from prediction where target_id = 'total_cost' and status = 'scored' order by subject_id limit 1"
    row = rows(clinician, sql).iloc[0]
    app = open_app(PATIENTS, patient=row["subject_id"])
    app.button_group(key="estimate").set_value("total_cost").run()
    text = text_of(app).replace("\\$", "$")
    for level in ("80", "90"):
        ends = [format_dollars(row[f"{end}_{level}"]) for end in ("lower", "upper")]
        assert f"{level}%" in text
        assert " to ".join(ends) in text
    assert "Calibration:" not in text
    assert "made from how far the model missed for all patients" in text


def test_reasons_that_change_with_a_rebuild_are_marked_and_others_are_not(
    open_app: OpenApp, clinician: Release
) -> None:
    for unstable in (True, False):
        sql = f"select * from patient_stability where target_id = 'death_180d' and unstable = {unstable} order by 1"
        row = rows(clinician, sql).iloc[0]
        text = text_of(open_app(PATIENTS, patient=row["subject_id"]))
        assert ("The reasons below change when the model is rebuilt" in text) == unstable


# Refused


@pytest.mark.parametrize("words", ["are missing", "is outside what can be"])
def test_a_patient_who_is_not_scored_has_a_reason_and_values_and_no_number(
    open_app: OpenApp, clinician: Release, words: str
) -> None:
    sql = f"select subject_id, reason from prediction where reason like '%{words}%' order by 1 limit 1"
    row = rows(clinician, sql).iloc[0]
    app = open_app(PATIENTS, patient=row["subject_id"])
    text = text_of(app)
    assert "Not scored" in text
    assert row["reason"].removeprefix("Not scored: ") in html.unescape(text)
    assert f"Patient {row['subject_id']}" in text
    # What was recorded stays; nothing is estimated, pictured or explained.
    assert "Mean arterial pressure" in text
    for absent in (
        "of 100 such",
        "with this estimate",
        "icon",
        "rebuil",
        "Calibration",
        "$",
        "Why this estimate",
        "Points",
    ):
        assert absent not in text, absent
    assert not app.get("plotly_chart")
    assert not [widget for widget in app.get("button_group") if widget.key == "estimate"]


def test_the_list_counts_who_is_not_scored_and_shows_them_last(open_app: OpenApp, clinician: Release) -> None:
    listed = rows(clinician, "select replace(subject_id, '-', '') as id, status from patient_list order by 1")
    refused = listed[listed["status"] == "refused"]["id"]
    app = open_app(PATIENTS)
    assert f"{len(refused)} not scored" in text_of(app)
    # A search that leaves one page, with patients of both kinds.
    found = {
        search: listed[listed["id"].str.contains(search)] for search in (i[k : k + 2] for i in refused for k in (0, 5))
    }
    search, both = next(
        (s, f) for s, f in found.items() if len(f) <= PAGE_ROWS and set(f["status"]) == {"scored", "refused"}
    )
    app.text_input(key="id").input(search).run()
    n = int((both["status"] == "refused").sum())
    reasons = rows(clinician, "select distinct subject_id, reason from prediction").set_index("subject_id")["reason"]
    for order in ("highest", "lowest"):
        app.button_group(key="order").set_value(order).run()
        table = app.dataframe[0].value
        assert (table["estimate"] == "not scored").tolist() == [False] * (len(both) - n) + [True] * n
        last = table.tail(n)
        assert set(last["Cost"]) == {"not scored"}
        assert set(last["bar"]) == {no_picture()}
        for patient, (why,) in zip(last["Patient"], last["Why"], strict=True):
            assert reasons[patient].startswith(f"Not scored: {why}")


def test_the_list_can_be_narrowed_to_who_is_not_scored(open_app: OpenApp, clinician: Release) -> None:
    app = open_app(PATIENTS)
    app.selectbox(key="show").select("refused").run()
    n = rows(clinician, "select count(*) as n from patient_list where status = 'refused'")["n"][0]
    assert f"{n} patients, 14 a page" in text_of(app)
    assert "Expected" not in text_of(app)
    app.selectbox(key="show").select("scored").run()
    assert "not scored" not in text_of(app)


def test_expected_deaths_are_of_the_scored_and_say_what_they_assume(open_app: OpenApp, clinician: Release) -> None:
    expected = rows(clinician, "select sum(death_180d_estimate) as n from patient_list")["n"][0]
    text = text_of(open_app(PATIENTS))
    assert f">{format_count(expected)}<" in text
    assert "assumes this selection behaves like the whole cohort, but for what its groups differ by" in text


def test_a_quick_build_says_that_intervals_were_not_measured(
    open_app: OpenApp, small_study: Study, tmp_path: Path
) -> None:
    build_release(small_study, store=tmp_path, boosting=Boosting(max_rounds=8, patience=4, inner_folds=3, refits=0))
    cursor = open_release(small_study.id, Role.CLINICIAN, store=tmp_path).cursor()
    patient = cursor.sql("select min(subject_id) from prediction where status = 'scored'").fetchall()[0][0]
    app = open_app(PATIENTS, store=tmp_path)
    assert set(app.dataframe[0].value["interval"]) == {"not measured"}
    for target in small_study.targets:
        app = open_app(PATIENTS, store=tmp_path, patient=patient)
        app.button_group(key="estimate").set_value(target.id).run()
        assert not app.exception
        text = text_of(app)
        assert ("not measured in a quick build" in text) is True
        assert not re.search(r"\bnan\b|NaN", text)


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
