"""What a person does: open the app, take each role, open a patient from the list; and what they then read."""

import re
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Page, expect

from pipeline.numerals import format_amount, format_count, format_of_100
from pipeline.settings import Role
from pipeline.store.release import Release, open_release, studies_with_release

pytestmark = pytest.mark.browser

ROW_HEIGHT, HEADER_HEIGHT, CHECKBOX_X = 40, 40, 16
BOARD_PAGES = (
    *("Findings", "Performance", "Subgroups", "Uncertainty", "Elsewhere"),
    *("Drivers", "Explanations", "Audits", "Data"),
)


def release_for(store: Path, role: Role) -> Release:
    return open_release(studies_with_release(store)[0], role, store=store)


def ask(release: Release, sql: str) -> list[tuple[object, ...]]:
    con: duckdb.DuckDBPyConnection = release.cursor()
    return con.execute(sql).fetchall()


def take_role(page: Page, role: Role) -> None:
    page.get_by_role("radio", name=role.label).click()
    expect(page.get_by_role("radio", name=role.label)).to_be_checked()


def open_first_patient(page: Page) -> None:
    table = page.get_by_test_id("stDataFrame").first
    expect(table).to_be_visible()
    # Rows are drawn on a canvas: they are clicked by their place.
    table.click(position={"x": CHECKBOX_X, "y": HEADER_HEIGHT + ROW_HEIGHT / 2})
    page.wait_for_url(re.compile(r"patient="))


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_a_clinician_opens_the_patient_with_the_highest_risk_and_reads_what_the_store_holds(
    page: Page, address: str, small_store: Path
) -> None:
    release = release_for(small_store, Role.CLINICIAN)
    first = release.study.targets[0]
    [(subject_id, risk, lower, upper, headline)] = ask(
        release,
        f"select subject_id, {first.id}_estimate, {first.id}_lower_90, {first.id}_upper_90, headline from patient_list "
        f"order by {first.id}_estimate desc, subject_id limit 1",
    )
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_have_text(release.study.title)
    expect(page.get_by_text("Demonstration · not reviewed")).to_be_visible()
    page.get_by_role("button", name="Look as clinician").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Patients")

    open_first_patient(page)

    expect(page.get_by_role("heading", level=1)).to_have_text(f"Patient {subject_id} · {headline}")
    answer = page.locator(".wl-answer").first
    expect(answer).to_contain_text(format_of_100(float(str(risk))))
    expect(answer).to_contain_text(f"in {release.study.short_title}, {release.study.era}")
    bounds = f"{format_of_100(float(str(lower)))} to {format_of_100(float(str(upper)))} in 90% of rebuilds"
    expect(page.get_by_text(bounds).first).to_be_visible()
    expect(page.get_by_text(f"Data of {release.study.era}")).to_be_visible()
    expect(page.get_by_text("Deaths include those that followed decisions to limit treatment.").first).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("people filled"))).to_be_visible()


def test_the_patient_page_says_the_cost_that_the_store_holds(page: Page, address: str, small_store: Path) -> None:
    release = release_for(small_store, Role.CLINICIAN)
    [(subject_id, cost)] = ask(release, "select subject_id, total_cost_estimate from patient_list order by 1 limit 1")
    page.goto(f"{address}/patients?patient={subject_id}")
    page.get_by_role("radio", name="Total hospital cost").click()
    answer = page.locator(".wl-answer").first
    expect(answer).to_contain_text(format_amount(float(str(cost)), "USD"))
    expect(answer).to_contain_text("nominal, 1989-94")


def test_a_concept_opens_into_its_features(page: Page, address: str, small_store: Path) -> None:
    [(subject_id,)] = ask(
        release_for(small_store, Role.CLINICIAN), "select subject_id from subject where crea > 3 order by 1 limit 1"
    )
    page.goto(f"{address}/patients?patient={subject_id}")
    chart = page.get_by_test_id("stPlotlyChart").filter(has_text="Starting point")
    expect(chart).to_be_visible()
    expect(chart).not_to_contain_text("high creatinine")
    page.get_by_role("radio", name="Kidneys").click()
    expect(page.get_by_test_id("stPlotlyChart").filter(has_text="high creatinine").first).to_be_visible()


def test_browser_back_returns_to_the_list(page: Page, address: str) -> None:
    page.goto(f"{address}/patients")
    expect(page.get_by_role("heading", level=1)).to_have_text("Patients")
    open_first_patient(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Patient ")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Patients")


def test_filters_live_in_the_url_and_a_colleague_opens_the_same_view(
    page: Page, address: str, small_store: Path
) -> None:
    [(n,)] = ask(release_for(small_store, Role.CLINICIAN), "select count(*) from patient_list where diagnosis = 'CHF'")
    page.goto(f"{address}/patients")
    page.get_by_role("combobox", name="Diagnosis").click()
    page.get_by_role("option", name="Heart failure").click()
    page.keyboard.press("Escape")
    expect(page.get_by_text(f"{format_count(float(str(n)))} patients,")).to_be_visible()
    expect(page).to_have_url(re.compile("diagnosis="))
    colleague = page.context.new_page()
    colleague.goto(page.url)
    expect(colleague.get_by_text(f"{format_count(float(str(n)))} patients,")).to_be_visible()


def test_an_administrator_reads_the_projected_total_of_the_store(page: Page, address: str, small_store: Path) -> None:
    release = release_for(small_store, Role.ADMINISTRATOR)
    [(total,)] = ask(
        release, "select projected_total from group_total where target_id = 'total_cost' and attribute = 'all'"
    )
    page.goto(address)
    page.get_by_role("button", name="Look as administrator").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cost outlook")
    expect(page.locator(".wl-figure").first).to_contain_text(format_amount(float(str(total)), "USD"))


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_the_board_walks_its_pages(page: Page, address: str, small_store: Path) -> None:
    release = release_for(small_store, Role.BOARD)
    [(auroc,)] = ask(
        release,
        "select estimate from performance where target_id = 'death_180d' and model_id = 'xgboost' and "
        "population = 'all' and metric = 'auroc'",
    )
    page.goto(address)
    page.get_by_role("button", name="Look as ethics board").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Findings")
    for title in BOARD_PAGES:
        page.get_by_role("link", name=title, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        if title == "Performance":
            expect(page.get_by_test_id("stMain")).to_contain_text(f"{float(str(auroc)):.3f}")
        expect(page.get_by_test_id("stException")).to_have_count(0)


@pytest.mark.parametrize("width", [1440, 1024])
def test_every_page_of_the_board_fits_into_the_bar(page: Page, address: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{address}/findings?role=board")
    expect(page.get_by_role("heading", level=1)).to_have_text("Findings")
    for title in BOARD_PAGES:
        box = page.get_by_role("link", name=title, exact=True).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= width


def test_a_finding_leads_to_the_page_that_shows_more(page: Page, address: str) -> None:
    page.goto(f"{address}/findings?role=board")
    page.get_by_role("link", name=re.compile("→$")).first.click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Findings")
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_a_patient_is_refused_to_the_board(page: Page, address: str, small_store: Path) -> None:
    [(subject_id,)] = ask(release_for(small_store, Role.CLINICIAN), "select min(subject_id) from subject")
    page.goto(f"{address}/patients?patient={subject_id}&role=board")
    expect(page.get_by_text("This page is not for your role")).to_be_visible()
    expect(page.get_by_test_id("stMain")).not_to_contain_text("creatinine")


def test_changing_the_role_takes_the_patient_out_of_the_url(page: Page, address: str) -> None:
    page.goto(f"{address}/patients")
    open_first_patient(page)
    take_role(page, Role.BOARD)
    expect(page).not_to_have_url(re.compile("patient="))
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("Patient")


def test_an_unknown_patient_is_answered_with_a_sentence(page: Page, address: str) -> None:
    page.goto(f"{address}/patients?patient=%3Cscript%3Ealert(1)%3C/script%3E'--")
    expect(page.get_by_text("No such patient in this release")).to_be_visible()
