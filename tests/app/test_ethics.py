"""The board's pages: normal, amounts, withheld and small groups, refused; and that they say what the store holds."""

import html
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.charts.model_dots import axis_ends
from dashboard.components.tables import table_html
from dashboard.presentation import data_report, explanation_quality, importance, performance, subgroups
from dashboard.presentation.measures import MEASURES, Key, Measured, join_words
from pipeline.build import build_release
from pipeline.models.boosting import Boosting
from pipeline.numerals import format_count, format_ratio
from pipeline.settings import Role
from pipeline.store.release import Release
from pipeline.study import load_study
from pipeline.study.model import Kind, Target
from tests.app.reading import table, text_of, titles
from tests.conftest import WriteStudy

PERFORMANCE, SUBGROUPS = "views/ethics/performance.py", "views/ethics/subgroups.py"
DRIVERS, DATA = "views/ethics/drivers.py", "views/ethics/data.py"
EXPLANATIONS = "views/ethics/explanations.py"
FINDINGS, UNCERTAINTY = "views/ethics/findings.py", "views/ethics/uncertainty.py"
ELSEWHERE, AUDITS = "views/ethics/sites.py", "views/ethics/audits.py"
PAGES = [FINDINGS, PERFORMANCE, SUBGROUPS, UNCERTAINTY, ELSEWHERE, DRIVERS, EXPLANATIONS, AUDITS, DATA]
OpenApp = Callable[..., AppTest]
ReleaseOf = Callable[[Role], Release]

DEATH = Target(id="death", kind=Kind.OUTCOME, label="Death", event="died = 1", happened="died")
COST = Target(id="cost", kind=Kind.COST, label="Cost", unit="USD", value="cost")
RATIO, SLOPE, AUROC = MEASURES["observed_expected"], MEASURES["calibration_slope"], MEASURES["auroc"]


def open_board(open_app: OpenApp, page: str, **query: Any) -> AppTest:
    return open_app(page, role="board", **query)


def rows(release: Release, sql: str) -> list[dict[str, Any]]:
    frame: pd.DataFrame = release.cursor().sql(sql).df()
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def levels_of(board: Release, target: str, metric: str, threshold: str = "threshold is null") -> list[dict[str, Any]]:
    return rows(
        board,
        "select attribute_label, level_label, s.* from subgroup_performance s "
        f"join attribute_level using (attribute, level) where target_id = '{target}' and metric = '{metric}' "
        f"and {threshold}",
    )


def group(**changes: Any) -> dict[str, Any]:
    """A group in line, as `get_subgroups` gives it."""
    usual = {
        "attribute_label": "Fruit",
        "level_label": "Apples",
        "estimate": 1.0,
        "lower": 0.9,
        "upper": 1.1,
        "n": 1000.0,
        "n_events": 500.0,
        "judgement": "judged",
        "suppressed": False,
        "flag": False,
        "reference": False,
        "ratio": 1.2,
        "ratio_lower": 1.0,
        "ratio_upper": 1.4,
        "q_value": 0.0004,
        "detectable": 1.15,
    }
    return usual | changes


def judge(measure: Any, *changes: dict[str, Any]) -> pd.DataFrame:
    return subgroups.judge_groups(pd.DataFrame([group(**change) for change in changes]), measure)


@pytest.fixture
def board(release_of: ReleaseOf) -> Release:
    return release_of(Role.BOARD)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("role", "label"), [("clinician", "Clinician"), ("administrator", "Administrator")])
def test_other_roles_are_refused(open_app: OpenApp, page: str, role: str, label: str) -> None:
    app = open_app(page, role=role)
    assert "This page is not for your role" in text_of(app)
    assert f"you are looking as **{label}**" in text_of(app)
    assert not app.get("plotly_chart")
    assert not app.selectbox


@pytest.mark.parametrize("page", [PERFORMANCE, SUBGROUPS, DRIVERS, EXPLANATIONS])
@pytest.mark.parametrize("target", ["death_180d", "hospital_death", "total_cost", "bed_days"])
def test_every_page_works_for_every_target(open_app: OpenApp, board: Release, page: str, target: str) -> None:
    app = open_board(open_app, page)
    app.selectbox(key="target").select(target).run()
    assert not app.exception
    assert app.get("plotly_chart")
    chosen = board.study.target(target)
    assert chosen.label in text_of(app) or str(chosen.caution) in text_of(app)
    if chosen.unit == "USD":
        assert "nominal, 1989-94" in text_of(app)


@pytest.mark.parametrize("page", PAGES)
def test_charts_have_an_alternative_in_words_and_in_a_table(open_app: OpenApp, page: str) -> None:
    app = open_board(open_app, page)
    charts = app.get("plotly_chart")
    assert {chart.proto.alt for chart in charts} <= set(titles(app))
    assert len(app.dataframe) >= len(charts)
    assert all(json.loads(chart.proto.spec)["data"] for chart in charts)


@pytest.mark.parametrize("page", PAGES)
def test_no_patient_is_on_the_page(open_app: OpenApp, release_of: ReleaseOf, page: str) -> None:
    app = open_board(open_app, page)
    words = text_of(app) + "".join(element.proto.spec for element in app.get("plotly_chart"))
    ids = [row["subject_id"] for row in rows(release_of(Role.CLINICIAN), "select subject_id from subject")]
    assert not [subject_id for subject_id in ids if subject_id in words]


def test_the_figures_above_the_page_are_those_of_the_store(open_app: OpenApp, board: Release) -> None:
    text = text_of(open_board(open_app, PERFORMANCE))
    measures = {
        row["metric"]: row
        for row in rows(
            board,
            "select * from performance where target_id = 'death_180d' and model_id = 'xgboost' and population = 'all' "
            "and threshold is null",
        )
    }
    auroc, slope = measures["auroc"], measures["calibration_slope"]
    assert f"{auroc['estimate']:.3f}" in text
    assert f"AUROC, 95%: {auroc['lower']:.3f} to {auroc['upper']:.3f}" in text
    assert f"Calibration slope, 95%: {slope['lower']:.2f} to {slope['upper']:.2f}; 1 is right" in text
    assert f"n {format_count(auroc['n'])}, {format_count(auroc['n_events'])} events" in text


def test_every_model_stands_on_the_same_patients_and_none_is_called_better(open_app: OpenApp, board: Release) -> None:
    app = open_board(open_app, PERFORMANCE)
    text = text_of(app)
    measured = rows(
        board,
        "select * from performance where target_id = 'death_180d' and population = 'all_baselines' "
        "and metric in ('auroc', 'brier', 'calibration_slope', 'observed_expected')",
    )
    assert len({row["model_id"] for row in measured}) == 10
    assert len({row["n"] for row in measured}) == 1
    for row in measured:
        decimals = 2 if row["metric"] in ("calibration_slope", "observed_expected") else 3
        estimate, lower, upper = (f"{row[name]:.{decimals}f}" for name in ("estimate", "lower", "upper"))
        assert f"{estimate} ({lower} to {upper})" in text
    assert f"the same {format_count(measured[0]['n'])} patients" in text
    assert "Each interval is that of one model alone" in text
    assert not [title for title in titles(app) if "better" in title and not title.startswith("This model does better")]


def test_a_score_only_ranks(open_app: OpenApp) -> None:
    app = open_board(open_app, PERFORMANCE)
    app.selectbox(key="target").select("hospital_death").run()
    # Two scores, and three measures of those shown that need a risk.
    assert text_of(app).count(">ranks only<") == 2 * 3
    # A score has no calibration to look at; models and combinations have.
    options = app.selectbox(key="model").options
    assert "This model" in options
    assert not [name for name in options if "score" in name and "together" not in name]


def test_the_calibration_of_a_baseline_can_be_looked_at(open_app: OpenApp, board: Release) -> None:
    app = open_board(open_app, PERFORMANCE)
    app.selectbox(key="model").select("physician").run()
    curve = rows(
        board,
        "select * from calibration_curve where target_id = 'death_180d' and model_id = 'physician' order by bin",
    )
    inside = sum(row["lower"] <= row["predicted"] <= row["upper"] for row in curve)
    title = next(title for title in titles(app) if title.startswith("The patient's physician: risks fit"))
    assert f"fit {inside} of {len(curve)}" in title or inside == len(curve)
    shown = table(app, "Predicted, of 100")
    assert list(shown["Patients"]) == [format_count(row["n"]) for row in curve]


def test_the_thresholds_of_the_study_are_measured_in_plain_words(open_app: OpenApp, board: Release) -> None:
    text = text_of(open_board(open_app, PERFORMANCE))
    for threshold in board.study.thresholds["death_180d"]:
        assert f"At a risk of {100 * threshold:.0f} of 100" in text
    at_half = {
        row["metric"]: row
        for row in rows(
            board,
            "select * from performance where target_id = 'death_180d' and model_id = 'xgboost' and population = 'all' "
            "and threshold = 0.5",
        )
    }
    for metric in ("sensitivity", "specificity", "ppv", "npv", "flag_rate"):
        row = at_half[metric]
        assert f"{100 * row['estimate']:.0f} ({100 * row['lower']:.0f} to {100 * row['upper']:.0f})" in text
    rate = at_half["ppv"]["n_events"] / at_half["ppv"]["n"]
    assert f">{abs(100 * (rate - (1 - rate))):.1f}<".replace(">", ">−") in text
    assert "Right when flagged (PPV)" in text


def test_the_measures_of_a_cost_are_those_of_the_store(open_app: OpenApp, board: Release) -> None:
    app = open_board(open_app, PERFORMANCE)
    app.selectbox(key="target").select("total_cost").run()
    text = text_of(app)
    ours = "target_id = 'total_cost' and model_id = 'xgboost' and population = 'all'"
    for row in rows(board, f"select * from performance where {ours} and metric in ('r2', 'r2_log')"):
        assert f"{row['estimate']:.3f} ({row['lower']:.3f} to {row['upper']:.3f})" in text
    [ratio] = rows(board, f"select * from performance where {ours} and metric = 'predictive_ratio'")
    assert format_ratio(ratio["estimate"], ratio["lower"], ratio["upper"]) in text
    assert "tenth" in text


def test_the_title_of_the_groups_counts_what_the_store_flags(open_app: OpenApp, board: Release) -> None:
    app = open_board(open_app, SUBGROUPS)
    levels = levels_of(board, "death_180d", "observed_expected")
    shown = [row for row in levels if not row["suppressed"]]
    judged = [row for row in shown if row["judgement"] == "judged"]
    misses = sum(row["flag"] for row in judged)
    title = titles(app)[0]
    assert f"Risks fit {len(judged) - misses} of {len(judged)} groups" in title or misses == 0
    if misses:
        assert f"{misses} {'is' if misses == 1 else 'are'} clearly off" in title
    assert f"{len(levels) - len(shown)} withheld" in title
    assert f"{len(judged)} groups are looked at. Of all marks" in text_of(app)


def test_every_group_stands_with_its_numbers(open_app: OpenApp, board: Release) -> None:
    shown = table(open_board(open_app, SUBGROUPS), "Observed ÷ expected (95% interval)")
    by_name = {(row["Attribute"], row["Group"]): row for row in shown.to_dict("records")}
    levels = levels_of(board, "death_180d", "observed_expected")
    assert len(by_name) == len(levels) == len(shown)
    for row in levels:
        own = by_name[row["attribute_label"], row["level_label"]]
        text = own["Observed ÷ expected (95% interval)"]
        if row["suppressed"]:
            assert (text, own["Patients"], own["Events"]) == ("withheld: under 11", "–", "–")
        else:
            assert own["Patients"] == format_count(row["n"])
            assert own["Events"] == format_count(row["n_events"])
            if row["judgement"] == "judged":
                assert row["n_events"] >= 20
                assert text == format_ratio(row["estimate"], row["lower"], row["upper"])
            else:
                assert text == row["judgement"]
            assert bool(own["Clearly off"]) == row["flag"]


def test_what_is_withheld_is_nowhere_on_the_page(open_app: OpenApp, board: Release, release_of: ReleaseOf) -> None:
    hidden = [row for row in levels_of(board, "death_180d", "observed_expected") if row["suppressed"]]
    assert len(hidden) >= 2
    in_full = {
        (row["attribute"], row["level"]): row
        for row in levels_of(release_of(Role.CLINICIAN), "death_180d", "observed_expected")
    }
    app = open_board(open_app, SUBGROUPS)
    words = text_of(app) + "".join(element.proto.spec for element in app.get("plotly_chart"))
    for row in hidden:
        secret = in_full[row["attribute"], row["level"]]
        assert str(secret["estimate"]) not in words
        assert format_ratio(secret["estimate"], secret["lower"], secret["upper"]) not in words
    assert "withheld: under 11" in words
    assert "does not mean zero" in words


def test_slopes_are_judged_from_a_hundred_events_and_others(open_app: OpenApp, board: Release) -> None:
    app = open_board(open_app, SUBGROUPS)
    app.selectbox(key="measure").select("calibration_slope").run()
    shown = table(app, "Calibration slope (95% interval)")
    texts = {
        (row["Attribute"], row["Group"]): row["Calibration slope (95% interval)"] for row in shown.to_dict("records")
    }
    levels = [row for row in levels_of(board, "death_180d", "calibration_slope") if not row["suppressed"]]
    few = [row for row in levels if row["judgement"] == "too few to judge"]
    assert few
    # Counts are told in tens, the rule was applied before.
    assert all(min(row["n_events"], row["n"] - row["n_events"]) <= 100 for row in few)
    assert all(min(row["n_events"], row["n"] - row["n_events"]) >= 100 for row in levels if row not in few)
    for row in few:
        assert texts[row["attribute_label"], row["level_label"]] == "too few to judge"
    judged = len(levels) - len(few)
    assert f"of {judged} groups" in titles(app)[0] or f"all {judged} groups" in titles(app)[0]
    assert f"{len(few)} too few to judge" in titles(app)[0]


def test_flags_can_be_compared_at_each_threshold(open_app: OpenApp, board: Release) -> None:
    app = open_board(open_app, SUBGROUPS)
    app.selectbox(key="measure").select("ppv").run()
    assert app.selectbox(key="threshold_death_180d").options == ["50 of 100", "70 of 100"]
    app.selectbox(key="threshold_death_180d").select(0.7).run()
    assert not app.exception
    shown = table(app, "Right when flagged (PPV) (95% interval)")
    [men] = [row for row in shown.to_dict("records") if row["Group"] == "Men"]
    [stored] = [
        row
        for row in levels_of(board, "death_180d", "ppv", "threshold = 0.7")
        if (row["attribute"], row["level"]) == ("sex", "male")
    ]
    assert men["Right when flagged (PPV) (95% interval)"].startswith(f"{100 * stored['estimate']:.0f} (")
    assert "flagged at a risk of 70 of 100 or more" in text_of(app)
    assert "no right value" in text_of(app)


@pytest.mark.parametrize("metric", ["predictive_ratio", "r2", "interval_coverage_90"])
def test_groups_of_a_cost_are_compared_by_measures_of_amounts(open_app: OpenApp, metric: str) -> None:
    app = open_board(open_app, SUBGROUPS)
    app.selectbox(key="target").select("total_cost").run()
    app.selectbox(key="amount_measure").select(metric).run()
    assert not app.exception
    assert "whose amount was recorded, nominal, 1989-94" in text_of(app)
    assert "Events" not in table(app, "Attribute").columns


def test_the_notes_on_attributes_are_shown(open_app: OpenApp, board: Release) -> None:
    text = text_of(open_board(open_app, SUBGROUPS))
    for attribute in board.study.subgroups:
        if attribute.note:
            assert attribute.note.split(".")[0].replace("'", "&#x27;") in text


def test_the_drivers_are_those_of_the_store(open_app: OpenApp, board: Release) -> None:
    app = open_board(open_app, DRIVERS)
    concepts = rows(
        board, "select * from concept_importance where target_id = 'death_180d' order by mean_absolute desc"
    )
    shown = table(app, "Concept")
    assert list(shown["Concept"]) == [row["concept"] for row in concepts]
    assert list(shown["Log-odds"]) == [f"{row['mean_absolute']:.3f}" for row in concepts]
    assert titles(app)[0].endswith(f"by a factor of {np.exp(concepts[0]['mean_absolute']):.2f}")
    assert len(table(app, "Feature")) == len(board.study.features)
    assert "Association, not effect" in text_of(app)
    assert "log-odds" in text_of(app)


def test_the_drivers_of_a_cost_are_changes_in_percent(open_app: OpenApp, board: Release) -> None:
    app = open_board(open_app, DRIVERS)
    app.selectbox(key="target").select("total_cost").run()
    [first] = rows(
        board,
        "select * from concept_importance where target_id = 'total_cost' order by mean_absolute desc limit 1",
    )
    assert titles(app)[0] == (
        f"{first['concept']} moves the projection most, typically by {100 * np.expm1(first['mean_absolute']):.0f}%"
    )


def test_what_the_models_are_not_given_is_said(open_app: OpenApp) -> None:
    app = open_board(open_app, DRIVERS)
    title = next(title for title in titles(app) if "not given to the models" in title)
    for label in ("Race as recorded", "household income", "years of schooling"):
        assert label in title
    for label in ("diagnosis", "sex", "age"):
        assert label not in title.lower().replace(", ", " ").split()


def test_the_data_page_tells_what_was_done(open_app: OpenApp, board: Release) -> None:
    app = open_board(open_app, DATA)
    text = text_of(app)
    for row in rows(board, "select * from repair"):
        assert f">{format_count(row['n'])}<" in text
    [release] = rows(board, "select * from release")
    for name in ("release_id", "data_sha256", "study_sha256", "code_version"):
        assert str(release[name]) in text
    assert f"{format_count(release['n_subjects'])} patients of the source are in the cohort" in text
    for row in rows(board, "select * from excluded_column"):
        assert f"<b>{row['column_name']}</b>" in text
    assert "What it must not be used for" in text


def test_small_counts_of_bad_values_are_withheld(open_app: OpenApp, board: Release, release_of: ReleaseOf) -> None:
    hidden = rows(board, "select column_name, rule from quarantine_count where suppressed")
    shown = rows(board, "select n from quarantine_count where not suppressed")
    assert hidden
    text = text_of(open_board(open_app, DATA))
    assert text.count(">withheld: under 11<") == len(hidden)
    for row in shown:
        assert f">{format_count(row['n'])}<" in text
    assert "does not mean zero" in text


def test_the_missing_shares_are_those_of_the_store(open_app: OpenApp, board: Release) -> None:
    app = open_board(open_app, DATA)
    shown = table(app, "Feature").set_index("Feature")["Missing, of 100"]
    for row in rows(board, "select label, missing_share from feature"):
        share = 100 * row["missing_share"]
        expected = "0" if share == 0 else "less than 1" if share < 1 else f"{share:.0f}"
        assert shown[row["label"]] == expected


@pytest.mark.parametrize("page", PAGES)
def test_a_study_that_names_little_still_has_its_pages(
    open_app: OpenApp,
    write_study: Callable[..., Path],
    quick: Boosting,
    tmp_path_factory: pytest.TempPathFactory,
    page: str,
) -> None:
    app = open_board(open_app, page, store=_bare_store(write_study, quick, tmp_path_factory))
    text = text_of(app)
    if page == SUBGROUPS:
        assert "names no attribute to form groups by" in text
    if page == PERFORMANCE:
        assert "with nothing to compare it with" in text
        assert "The study names no threshold for this outcome" in text
    if page == DATA:
        assert "Nothing was repaired" in text


_BARE: dict[str, Path] = {}


def _bare_store(write_study: Callable[..., Path], quick: Boosting, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a study of outcomes, the first without a baseline: no attribute, threshold, repair. Built once."""
    if "store" not in _BARE:
        folder = tmp_path_factory.mktemp("bare")
        death = {"id": "death", "kind": "outcome", "label": "Death", "event": "died = 1", "happened": "died"}
        costly = {**death, "id": "costly", "label": "Costly stay", "event": "cost_usd > 3000"}
        nurse = {"id": "nurse", "target": "costly", "label": "The nurse", "risk": "nurse_risk"}
        path = write_study(folder, targets=[death, costly], subgroups=[], baselines=[nurse], thresholds={})
        build_release(load_study(path), store=folder / "store", boosting=quick)
        _BARE["store"] = folder / "store"
    return _BARE["store"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([{}, {}], "Risks fit all 2 groups that can be judged"),
        ([{}, {"flag": True}], "Risks fit 1 of 2 groups; 1 is clearly off"),
        ([{"flag": True}, {"flag": True}], "Risks fit 0 of 2 groups; 2 are clearly off"),
        ([{}, {"judgement": "too few to judge"}], "Risks fit 1 group that can be judged; 1 too few to judge"),
        ([{"suppressed": True, "n": None}], "No group can be judged by this measure; 1 withheld"),
    ],
)
def test_the_title_of_the_groups_is_right_whatever_is_found(changes: list[dict[str, Any]], expected: str) -> None:
    assert subgroups.tell_groups(judge(RATIO, *changes), RATIO) == expected


def test_a_group_too_small_to_judge_keeps_its_counts_and_loses_its_estimate_and_its_flag() -> None:
    [row] = judge(SLOPE, {"n_events": 99.0, "judgement": "too few to judge", "flag": True}).to_dict("records")
    assert (row["n"], row["n_events"], row["flagged"]) == (1000.0, 99.0, False)
    assert row["text"] == "too few to judge"
    assert np.isnan([row["estimate"], row["lower"], row["upper"]]).all()


def test_a_withheld_group_keeps_nothing() -> None:
    [row] = judge(RATIO, {"suppressed": True}).to_dict("records")
    assert np.isnan([row["n"], row["n_events"], row["estimate"], row["lower"], row["upper"]]).all()
    assert row["suppressed"]
    assert not row["flagged"]


def test_a_group_that_nothing_can_be_estimated_of_says_why_in_the_table() -> None:
    judged = judge(RATIO, {}, {"judgement": "not estimable: no patient had the event", "estimate": None})
    assert judged["text"].iloc[1] == "not estimable"
    shown = subgroups.build_group_table(judged, RATIO, "died")["Observed ÷ expected (95% interval)"]
    assert shown.iloc[1] == "not estimable: no patient had the event"
    assert subgroups.tell_groups(judged, RATIO).endswith("1 too few to judge")


def test_what_a_mark_means_is_said_in_the_numbers_of_the_rule() -> None:
    assert "below 0.8 or above 1.25" in subgroups.tell_mark(RATIO)
    assert "more than 0.2 from 1" in subgroups.tell_mark(SLOPE)
    assert "more than 5 of 100 off" in subgroups.tell_mark(MEASURES["interval_coverage_90"])
    assert "No group is marked" in subgroups.tell_mark(AUROC)


def test_without_a_right_value_the_ends_are_named() -> None:
    judged = judge(AUROC, {"estimate": 0.7}, {"estimate": 0.8, "level_label": "Pears"})
    assert subgroups.tell_groups(judged, AUROC) == "AUROC: from 0.700 in Apples to 0.800 in Pears"
    assert "There is no right value" in subgroups.tell_chance(judged, AUROC)
    assert not judged["flagged"].any()


@pytest.mark.parametrize(
    ("metric", "estimate", "expected"),
    [
        ("observed_expected", 1.14, "Risks are too low: 14% more died than predicted."),
        ("observed_expected", 0.9, "Risks are too high: 10% fewer died than predicted."),
        ("calibration_slope", 1.3, "Too timid: real risks differ more than the model says."),
        ("calibration_slope", 0.7, "Too extreme: real risks differ less than the model says."),
        ("predictive_ratio", 1.15, "Projected 15% too high."),
        ("predictive_ratio", 0.81, "Projected 19% too low."),
        ("interval_coverage_90", 85.0, "Fewer patients inside their interval than it promises."),
    ],
)
def test_a_miss_is_told_in_plain_words(metric: str, estimate: float, expected: str) -> None:
    assert subgroups.tell_miss(MEASURES[metric], estimate, "died") == expected


def test_the_groups_furthest_off_come_first() -> None:
    judged = judge(
        RATIO,
        {"level_label": "a", "estimate": 1.2, "flag": True},
        {"level_label": "b", "estimate": 0.7, "flag": True},
        {"level_label": "c", "estimate": 1.0},
    )
    assert list(subgroups.select_notable(judged, RATIO)["level"]) == ["b", "a"]


@pytest.mark.parametrize(
    ("misses", "expected"),
    [
        (0, "No group is clearly off"),
        (1, "The group that is clearly off"),
        (3, "The 3 groups that are clearly off"),
        (15, "The 12 furthest off of 15 groups that are clearly off"),
    ],
)
def test_the_list_of_groups_to_look_at_says_how_many_there_are(misses: int, expected: str) -> None:
    judged = judge(RATIO, {}, *[{"flag": True, "estimate": 1.2}] * misses)
    assert subgroups.tell_notable(judged, RATIO) == expected
    assert len(subgroups.build_notable_table(judged, RATIO, "died")) == min(misses, 12)


@pytest.mark.parametrize(
    ("n", "expected"),
    [(40, "40 groups are looked at. Of all marks"), (1, "1 group is looked at"), (3, "at most about 5 of 100")],
)
def test_what_chance_would_flag_is_said(n: int, expected: str) -> None:
    assert expected in subgroups.tell_chance(judge(RATIO, *[{}] * n), RATIO)


@pytest.mark.parametrize(
    ("metric", "value", "expected"),
    [
        ("auroc", 0.78512, "0.785"),
        ("observed_expected", 0.9612, "0.96"),
        ("sensitivity", 0.716, "72"),
        ("net_benefit", 0.0312, "3.1"),
        ("net_benefit", -0.063, "−6.3"),
        ("mae", 19089.35, "$19.1k"),
        ("r2", float("nan"), "–"),
    ],
)
def test_a_measure_is_written_with_at_most_three_digits(metric: str, value: float, expected: str) -> None:
    assert MEASURES[metric].format(value, "USD") == expected


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        ([0.1, 0.5], "Risks fit all 2 risk groups"),
        ([0.3, 0.5], "Risks fit 1 of 2 risk groups; where 30 of 100 were predicted, 10 died"),
    ],
)
def test_the_title_of_the_calibration_names_what_leaves_the_diagonal(predicted: list[float], expected: str) -> None:
    curve = pd.DataFrame({"predicted": predicted, "observed": [0.1, 0.5], "lower": [0.05, 0.4], "upper": [0.2, 0.6]})
    assert performance.tell_calibration(curve, performance.THIS_MODEL, "died") == expected
    assert performance.tell_calibration(curve, "The nurse", "died").startswith("The nurse: risks fit")


def test_the_middle_risks_are_read_off_the_bins() -> None:
    bins = pd.DataFrame({"bin_low": [0.0, 0.5], "bin_high": [0.5, 1.0], "n_event": [10, 30], "n_no_event": [50, 10]})
    sentence = performance.tell_distribution(bins, "died")
    assert sentence == "Half of those who died had a risk above about 75 of 100; half of the others below about 25"
    assert performance.tell_distribution(bins.assign(n_event=0), "died") == "How the predicted risks are spread"


def test_the_threshold_sentence_tells_both_sides() -> None:
    measured: dict[Key, Measured] = {
        ("ppv", 0.5): Measured(0.73, 0.72, 0.75, 100, 50),
        ("sensitivity", 0.5): Measured(0.64, 0.62, 0.65, 100, 50),
    }
    assert performance.tell_threshold(measured, [0.5], "died") == (
        "Flagged at 50 of 100: 73 of 100 flagged patients died, and 36 of 100 who died were not flagged"
    )


def test_the_net_benefit_of_flagging_everybody_is_the_formula_of_the_field() -> None:
    measured: dict[Key, Measured] = {("net_benefit", 0.25): Measured(0.2, 0.1, 0.3, 200, 80)}
    rows_ = performance.build_threshold_table(measured, [0.25], "died").to_numpy().tolist()
    # Vickers & Elkin: 0.4 − 0.6 · 0.25 / 0.75 = 0.2
    assert rows_[-1][-1] == "20"


def test_importance_is_a_factor_of_the_odds_or_a_change_in_percent() -> None:
    stored = pd.DataFrame(
        {
            "population": ["all", "all", "test"],
            "concept": ["Kidneys", "Age", "Age"],
            "mean_absolute": [0.2, np.log(2), 5.0],
            "mean_absolute_lower": [0.1, 0.6, 4.0],
            "mean_absolute_upper": [0.3, 0.8, 6.0],
        }
    )
    risks = importance.build_importance_frame(stored, DEATH, label="concept")
    assert list(risks["label"]) == ["Age", "Kidneys"]
    assert importance.tell_largest(risks, DEATH) == "Age moves the risk most: typically the odds by a factor of 2.00"
    changes = importance.build_importance_frame(stored, COST, label="concept")
    assert changes["value"].tolist() == pytest.approx([1.0, np.exp(0.2) - 1])
    assert list(changes["text"]) == ["100%", "22%"]
    assert changes["lower"].tolist() == pytest.approx([np.exp(0.6) - 1, np.exp(0.1) - 1])


def test_the_data_sentences_are_right_when_nothing_was_done() -> None:
    nothing = pd.DataFrame(columns=["column_name", "rule", "action", "n", "suppressed"])
    assert data_report.tell_quarantine(nothing) == "No value broke a rule"
    assert data_report.tell_repairs(pd.DataFrame(columns=["repair_id", "why", "result", "n"]), "patient") == (
        "Nothing was repaired: the values are as filed"
    )


def test_the_quarantine_sentence_counts_only_what_may_be_shown() -> None:
    counts = pd.DataFrame(
        {
            "action": ["set to missing", "kept, marked", "kept, marked"],
            "n": [83.0, 17.0, None],
            "suppressed": [False, False, True],
        }
    )
    assert data_report.tell_quarantine(counts) == (
        "83 values were set to missing and 17 values were kept and marked; 1 count withheld"
    )


def test_tables_escape_what_they_are_given_and_set_words_apart_from_numbers() -> None:
    frame = pd.DataFrame({"Group": ["<b>x</b>", "y ◆"], "n": ["withheld: under 11", "3"]})
    html = table_html(frame, label='a "table"', right=["n"], notes={"n": "patients & more"}, row_notes={})
    assert "<b>x</b>" not in html
    assert "&lt;b&gt;x&lt;/b&gt;" in html
    assert '<td class="right gap">withheld: under 11</td>' in html
    assert "<b>y ◆</b>" in html
    assert "patients &amp; more" in html
    assert 'aria-label="a &quot;table&quot;"' in html


def test_the_axis_of_the_models_ends_on_round_numbers_beyond_the_intervals() -> None:
    frame = pd.DataFrame({"estimate": [0.785, 0.827], "lower": [0.773, 0.817], "upper": [0.796, 0.85]})
    assert axis_ends(frame) == (0.75, 0.9)


def test_words_are_joined_as_in_a_sentence() -> None:
    assert [join_words(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_the_quality_of_explanations_is_that_of_the_store(open_app: OpenApp, board: Release) -> None:
    app = open_board(open_app, EXPLANATIONS)
    quality = rows(board, "select * from explanation_quality where target_id = 'death_180d' order by position")
    by_check = {row["check"]: row for row in quality}
    text = text_of(app)
    assert f"**{by_check['unstable']['told']}.**" in text
    assert f"{100 * by_check['unstable']['estimate']:.0f}</div>" in text
    for row in quality:
        assert html.escape(row["told"]) in text
    assert text.count("<td>held</td>") == sum(row["passed"] is True for row in quality)
    assert titles(app)[:2] == [by_check["stability"]["told"], by_check["deletion"]["told"]]
    bins = rows(board, "select * from stability_distribution where target_id = 'death_180d' order by bin_low")
    assert list(table(app, "Of the first 5 reasons stay, percent")["Patients"]) == [format_count(b["n"]) for b in bins]
    assert len(table(app, "Features replaced")) == 11
    assert len(table(app, "Estimate of")) == 4


def test_a_release_without_rebuilds_says_that_stability_was_not_measured(
    open_app: OpenApp, write_study: WriteStudy, tmp_path: Path
) -> None:
    study = load_study(write_study(tmp_path / "study"))
    fast = Boosting(max_rounds=5, patience=2, inner_folds=2, refits=0)
    build_release(study, store=tmp_path / "store", boosting=fast)
    app = open_board(open_app, EXPLANATIONS, store=tmp_path / "store")
    assert "Not measured, because this release was built without rebuilds of its models" in text_of(app)
    assert "was not measured" in " ".join(titles(app))
    assert "nan" not in text_of(app).lower().replace("finance", "")


def check(**changes: Any) -> dict[str, Any]:
    """A check that held, as `get_explanation_quality` gives it."""
    usual = {"estimate": 0.2, "lower": 0.1, "upper": 0.3, "n": 500, "passed": True, "told": "It held"}
    return usual | changes


def test_a_check_that_did_not_hold_is_marked_in_words_and_named_in_the_title() -> None:
    own = {"additivity": check(), "deletion": check(passed=False), "unstable": check(passed=None)}
    assert list(explanation_quality.build_check_table(own)["Verdict"]) == [
        "held",
        "did not hold ◆",
        "for the board to say",
    ]
    assert explanation_quality.tell_checks(own) == (
        "1 of 2 checks that have a right value did not hold ◆: own reasons against random features"
    )
    assert explanation_quality.tell_checks({"additivity": check()}) == "Every check that has a right value held: 1 of 1"


def test_a_check_is_written_in_the_unit_of_its_sentence() -> None:
    own = {
        "additivity": check(estimate=2.2e-16, lower=np.nan, upper=np.nan),
        "shuffled": check(estimate=0.04, lower=np.nan, upper=np.nan),
        "stability": check(estimate=0.9, lower=0.88, upper=0.92, passed=None),
        "unstable": check(estimate=0.12, lower=0.11, upper=0.14, passed=None),
        "agreement": check(estimate=np.nan, passed=None),
    }
    measured = explanation_quality.build_check_table(own).set_index("Check")
    assert list(measured["Measured (95%)"]) == [
        "exact",
        "4 of 100",
        "4.5 (4.4 to 4.6) of 5",
        "12 (11 to 14) of 100",
        "–",
    ]
    assert measured["Verdict"].iloc[-1] == "not estimable"


def test_every_check_that_a_build_makes_has_a_name(board: Release) -> None:
    made = {row["check"] for row in rows(board, 'select distinct "check" from explanation_quality')}
    assert made <= set(explanation_quality.NAMES)
