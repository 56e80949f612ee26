"""The board's pages on whether to trust a release: findings, uncertainty, elsewhere, audits, pairs and slices."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pipeline.build import build_release
from pipeline.govern.words import shorten_conditions
from pipeline.models.boosting import Boosting
from pipeline.numerals import format_count, format_of_100, format_ratio
from pipeline.settings import Role
from pipeline.store.release import Release
from pipeline.study import load_study
from tests.app.reading import table, text_of, titles
from tests.conftest import WriteStudy

FINDINGS, UNCERTAINTY = "views/ethics/findings.py", "views/ethics/uncertainty.py"
ELSEWHERE, AUDITS = "views/ethics/sites.py", "views/ethics/audits.py"
PERFORMANCE, SUBGROUPS = "views/ethics/performance.py", "views/ethics/subgroups.py"
DRIVERS, EXPLANATIONS, DATA = (f"views/ethics/{name}.py" for name in ("drivers", "explanations", "data"))
PAGES = [FINDINGS, PERFORMANCE, SUBGROUPS, UNCERTAINTY, ELSEWHERE, DRIVERS, EXPLANATIONS, AUDITS, DATA]
WITH_TARGET = [PERFORMANCE, SUBGROUPS, UNCERTAINTY, ELSEWHERE, DRIVERS, EXPLANATIONS, AUDITS]
# What must never be read on a page: numbers that are none, ids of models, signs that are no words. ("None." is a
# statement of the tiny study.)
NOT_FOR_PEOPLE = re.compile(r"\b(nan|None|NaT|inf)\b(?!\.)|<NA>|xgboost|age_sex_diagnosis|glass_box|_plus_| ~ ")
OpenApp = Callable[..., AppTest]


def rows(release: Release, sql: str) -> list[dict[str, Any]]:
    frame: pd.DataFrame = release.cursor().sql(sql).df()
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def words_of(app: AppTest) -> str:
    """Everything that can be read: text, the tables behind their buttons, and the words of charts."""
    tables = [" ".join([*map(str, t.value.columns), *t.value.astype(str).to_numpy().ravel()]) for t in app.dataframe]
    return "\n".join([text_of(app), *tables])


@pytest.fixture
def board(release_of: Callable[[Role], Release]) -> Release:
    return release_of(Role.BOARD)


@pytest.fixture(scope="module")
def quick_store(write_study: WriteStudy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny study built in a hurry: no rebuilds, so no interval of a risk and no test elsewhere."""
    store = tmp_path_factory.mktemp("quick")
    study = load_study(write_study(tmp_path_factory.mktemp("tiny")))
    build_release(study, store=store, boosting=Boosting(max_rounds=5, patience=2, inner_folds=2, refits=0))
    return store


@pytest.mark.parametrize("page", PAGES)
def test_a_page_speaks_in_words(open_app: OpenApp, page: str) -> None:
    assert not NOT_FOR_PEOPLE.findall(words_of(open_app(page, role="board")))


@pytest.mark.parametrize("page", WITH_TARGET)
@pytest.mark.parametrize("target", ["hospital_death", "total_cost", "bed_days"])
def test_a_page_speaks_in_words_of_every_target(open_app: OpenApp, page: str, target: str) -> None:
    app = open_app(page, role="board")
    app.selectbox(key="target").select(target).run()
    assert not app.exception
    assert not NOT_FOR_PEOPLE.findall(words_of(app))


@pytest.mark.parametrize("page", PAGES)
def test_a_release_built_in_a_hurry_has_every_page(open_app: OpenApp, quick_store: Path, page: str) -> None:
    app = open_app(page, role="board", store=quick_store)
    assert app.title
    assert not NOT_FOR_PEOPLE.findall(words_of(app))


@pytest.mark.parametrize("page", PAGES)
def test_the_rounding_is_told_once(open_app: OpenApp, page: str) -> None:
    text = text_of(open_app(page, role="board"))
    assert text.count("counts are told in tens") == 1
    assert "rounded to tens" not in text


def test_findings_that_ask_for_the_board_are_listed_and_searched_ones_only_counted(
    open_app: OpenApp, board: Release
) -> None:
    app = open_app(FINDINGS, role="board")
    text = text_of(app)
    stored = rows(board, "select * from finding order by position")
    asking = [row for row in stored if row["weight"] != "explore"]
    searched = [row for row in stored if row["weight"] == "explore"]
    assert asking
    for row in asking:
        assert f"**{row['title']}**".replace("$", "\\$") in text
        assert str(row["evidence"]).replace("$", "\\$") in text
    assert titles(app)[0].startswith(f"{len(asking)} finding")
    assert (f"{len(searched)} more came up among many groups" in text) == bool(searched)
    assert not [row for row in searched if f"**{row['title']}**".replace("$", "\\$") in text]


def test_searched_findings_are_shown_when_they_are_chosen(open_app: OpenApp, board: Release) -> None:
    searched = rows(board, "select * from finding where weight = 'explore' order by position")
    if not searched:
        pytest.skip("the small study has none")
    app = open_app(FINDINGS, role="board")
    app.segmented_control(key="weight").select("explore").run()
    assert f"**{searched[0]['title']}**".replace("$", "\\$") in text_of(app)


def test_every_page_that_a_finding_names_is_there(open_app: OpenApp, board: Release) -> None:
    from dashboard.components.finding_cards import PAGES as LINKED

    assert {row["page"] for row in rows(board, "select distinct page from finding")} <= set(LINKED)
    assert {path for path, _ in LINKED.values()} <= set(PAGES)


def test_intervals_are_held_against_their_promise(open_app: OpenApp, board: Release) -> None:
    text = text_of(open_app(UNCERTAINTY, role="board"))
    measured = rows(
        board,
        "select * from performance where model_id = 'xgboost' and population = 'all' and metric like "
        "'interval_coverage%' and estimate is not null",
    )
    assert measured
    for row in measured:
        held, lower, upper = (format_of_100(row[name]) for name in ("estimate", "lower", "upper"))
        assert f"{held} ({lower} to {upper})" in text
        assert f">{format_count(row['n'])}<" in text
    assert "if the model were rebuilt" in text.lower()


def test_totals_are_shown_at_one_level_and_the_rest_is_in_the_table(open_app: OpenApp, board: Release) -> None:
    app = open_app(UNCERTAINTY, role="board")
    app.selectbox(key="target").select("total_cost").run()
    stored = rows(board, "select * from total_coverage where target_id = 'total_cost'")
    assert len(table(app, "Groups tried")) == len(stored)
    assert text_of(app).count(">random, ") == len(
        [row for row in stored if row["group_kind"] == "random" and row["level"] == 0.9]
    )


def test_places_where_the_model_was_never_trained_stand_with_their_numbers(open_app: OpenApp, board: Release) -> None:
    stored = rows(
        board,
        "select level_label, v.* from validation v join attribute_level using (attribute, level) "
        "where target_id = 'death_180d' and metric = 'observed_expected'",
    )
    app = open_app(ELSEWHERE, role="board")
    if not stored:
        assert "says nothing of places or times" in text_of(app)
        return
    shown = table(app, "Tried on").set_index("Tried on")
    for row in stored:
        if row["estimate"] == row["estimate"]:
            assert shown.loc[row["level_label"], "Observed ÷ expected (95% interval)"] == format_ratio(
                row["estimate"], row["lower"], row["upper"]
            )
            assert shown.loc[row["level_label"], "Patients"] == format_count(row["n"])
    assert "trained on others" not in text_of(app)


def test_a_quick_build_says_that_it_was_not_tried_elsewhere(open_app: OpenApp, quick_store: Path) -> None:
    assert "says nothing of places or times" in text_of(open_app(ELSEWHERE, role="board", store=quick_store))


def test_columns_are_audited_for_knowing_the_future(open_app: OpenApp, board: Release) -> None:
    app = open_app(AUDITS, role="board")
    audited = rows(board, "select * from leak_audit where target_id = 'death_180d'")
    assert len(table(app, "Alone (AUROC)")) == len(audited)
    found = {row["column_name"] for row in rows(board, "select * from leak_audit where finding")}
    assert titles(app)[0].startswith("No feature looks" if not found else tuple(found))


def test_associations_are_followed_through_the_rows(open_app: OpenApp, board: Release) -> None:
    app = open_app(AUDITS, role="board")
    stored = rows(board, "select * from coherence_audit")
    assert len(table(app, "Association")) == len(stored)
    broken = any(row["finding"] for row in stored)
    assert any(title.startswith("Rows may have been mixed up") for title in titles(app)) == broken


def test_who_is_not_scored_is_told_with_the_rule_or_withheld(open_app: OpenApp, board: Release) -> None:
    text = text_of(open_app(AUDITS, role="board"))
    rules = rows(board, "select * from scope_rule")
    assert rules
    for row in rules:
        assert f"<b>{str(row['rule'])[:1].upper()}{str(row['rule'])[1:]}</b>" in text
    assert text.count("withheld: under 11") >= sum(bool(row["suppressed"]) for row in rules)


def test_pairs_stand_with_their_numbers_and_the_withheld_without(open_app: OpenApp, board: Release) -> None:
    shown = table(open_app(SUBGROUPS, role="board"), "Attributes")
    stored = rows(
        board,
        "select * from subgroup_performance where family = 'pair' and target_id = 'death_180d' "
        "and metric = 'observed_expected'",
    )
    assert len(shown) == len(stored)
    column = "Observed ÷ expected (95% interval)"
    assert (shown[column] == "withheld: under 11").sum() == sum(row["suppressed"] for row in stored)
    judged = [row for row in stored if not row["suppressed"] and row["judgement"] == "judged"]
    assert sorted(t for t in shown[column] if t[0].isdigit()) == sorted(
        format_ratio(row["estimate"], row["lower"], row["upper"]) for row in judged
    )


def test_slices_are_those_of_the_store(open_app: OpenApp, board: Release) -> None:
    app = open_app(SUBGROUPS, role="board")
    for target in ("death_180d", "hospital_death", "total_cost"):
        app.selectbox(key="target").select(target).run()
        stored = rows(board, f"select * from slice where target_id = '{target}' order by rank")
        confirmed = [title for title in titles(app) if "that stood out" in title]
        if stored:
            assert f"{len(stored)} of " in confirmed[0]
        for row in stored:
            assert shorten_conditions(row["conditions"]).replace(">", "&gt;").replace("<", "&lt;") in text_of(app)


def test_flag_rates_are_compared_with_the_reference_and_never_marked(open_app: OpenApp, board: Release) -> None:
    app = open_app(SUBGROUPS, role="board")
    app.selectbox(key="measure").select("flag_rate").run()
    shown = table(app, "Times the reference group")
    assert "◆" not in "".join(element.proto.spec for element in app.get("plotly_chart"))
    stored = rows(
        board,
        "select level_label, s.* from subgroup_performance s join attribute_level using (attribute, level) "
        "where target_id = 'death_180d' and metric = 'flag_rate' and threshold = 0.5 and ratio is not null "
        "and not reference and not suppressed and judgement = 'judged'",
    )
    told = dict(
        zip(zip(shown["Attribute"], shown["Group"], strict=True), shown["Times the reference group"], strict=True)
    )
    assert stored
    for row in stored:
        said = [ratio for (_, level), ratio in told.items() if level == row["level_label"]]
        assert format_ratio(row["ratio"], row["ratio_lower"], row["ratio_upper"]) in said
    assert not any(row["flag"] for row in stored)


def test_models_are_compared_on_the_same_patients(open_app: OpenApp, board: Release) -> None:
    app = open_app(PERFORMANCE, role="board")
    stored = rows(
        board,
        "select * from comparison c join compared_model m on m.model_id = other_id and m.target_id = c.target_id "
        "where c.target_id = 'death_180d' and metric = 'auroc' and c.model_id = 'xgboost'",
    )
    text = text_of(app)
    for row in stored:
        assert row["label"].replace("'", "&#x27;") in text
        signed = f"{row['difference']:+.3f}".replace("-", "−")
        assert signed in text
    alone = [row for row in stored if row["kind"] != "combination"]
    beaten = sum(row["verdict"] == "better" for row in alone)
    title = next(title for title in titles(app) if title.startswith("This model does better than"))
    assert f"{beaten} of {len(alone)}" in title or beaten in (0, len(alone))


def test_the_door_of_the_board_opens_the_findings(open_app: OpenApp) -> None:
    app = open_app()
    app.button(key="door-board").click().run()
    assert not app.exception
    assert app.title[0].value == "Findings"
