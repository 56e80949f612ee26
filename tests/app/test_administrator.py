"""The cost outlook: normal, withheld groups, refused, nothing to project; and that it says what the store holds."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.presentation import amounts
from pipeline.build import build_release
from pipeline.models.boosting import Boosting
from pipeline.numerals import format_amount, format_count, format_dollars, format_ratio
from pipeline.settings import Role
from pipeline.store.release import Release
from pipeline.study import load_study
from pipeline.study.model import Kind, Target
from tests.app.reading import table, text_of, titles

OUTLOOK = "views/administrator/outlook.py"
OpenApp = Callable[..., AppTest]
ReleaseOf = Callable[[Role], Release]

COST = Target(id="cost", kind=Kind.COST, label="Cost", unit="USD", value="cost", year="nominal, 2001")
DAYS = Target(id="stay", kind=Kind.RESOURCE, label="Stay", unit="days", value="stay")


def open_outlook(open_app: OpenApp, **query: Any) -> AppTest:
    return open_app(OUTLOOK, role="administrator", **query)


def rows(release: Release, sql: str) -> pd.DataFrame:
    frame: pd.DataFrame = release.cursor().sql(sql).df()
    return frame


def groups(**changes: Any) -> pd.DataFrame:
    """Three groups as `get_group_outlook` gives them: one 20% too high, one in line, one small and withheld."""
    frame = pd.DataFrame(
        {
            "level": ["a", "b", "c"],
            "level_label": ["Apples", "Pears", "Plums"],
            "n": [100.0, 300.0, None],
            "projected_total": [1.2e6, 2.0e6, None],
            "total_lower": [1.1e6, 1.9e6, None],
            "total_upper": [1.3e6, 2.1e6, None],
            "n_observed": [90.0, 280.0, None],
            "observed_total": [0.9e6, 1.9e6, None],
            "projected_mean": [12000.0, 6700.0, None],
            "observed_mean": [10000.0, 6600.0, None],
            "ratio": [1.2, 1.015, None],
            "lower": [1.1, 0.95, None],
            "upper": [1.3, 1.08, None],
            "judgement": ["judged", "judged", "too few to judge"],
            "flag": [True, False, False],
            "suppressed": [False, False, True],
        }
    )
    return frame.assign(**changes)


@pytest.fixture
def administrator(release_of: ReleaseOf) -> Release:
    return release_of(Role.ADMINISTRATOR)


def test_the_figures_above_the_page_are_those_of_the_store(open_app: OpenApp, administrator: Release) -> None:
    text = text_of(open_outlook(open_app))
    total = rows(administrator, "select * from group_total where target_id = 'total_cost' and attribute = 'all'").iloc[
        0
    ]
    measures = rows(
        administrator,
        "select * from performance where target_id = 'total_cost' and population = 'all' and model_id = 'xgboost'",
    ).set_index("metric")
    assert format_dollars(total["projected_total"]) in text
    assert f"{format_dollars(total['lower'])} to {format_dollars(total['upper'])}" in text
    assert format_dollars(total["projected_total"] / total["n"]) in text
    assert "assumes this selection behaves like the whole cohort" in text
    ratio, coverage = (measures.T[metric].to_dict() for metric in ("predictive_ratio", "interval_coverage_90"))
    assert f"${ratio['estimate']:.2f}" in text
    assert f"95%: {ratio['lower']:.2f} to {ratio['upper']:.2f}; {int(ratio['n']):,} patients" in text
    assert f"{100 * coverage['estimate']:.0f} of 100" in text
    assert "90 is what the interval promises" in text


def test_the_year_stands_beside_the_dollars_and_the_caution_on_the_page(
    open_app: OpenApp, administrator: Release
) -> None:
    app = open_outlook(open_app)
    text = text_of(app)
    assert str(administrator.study.target("total_cost").caution) in text
    assert text.count("nominal, 1989-94") >= 4
    axes = [element.proto.spec for element in app.get("plotly_chart") if "Mean per patient" in element.proto.spec]
    assert len(axes) == 2
    assert all("nominal, 1989-94" in spec for spec in axes)


def test_every_group_that_may_be_shown_stands_with_its_ratio(open_app: OpenApp, administrator: Release) -> None:
    shown = table(open_outlook(open_app), "Projected ÷ observed (95%)").set_index("Group")
    expected = rows(
        administrator,
        "select level_label, estimate, lower, upper, n, flag from subgroup_performance "
        "join attribute_level using (attribute, level) where target_id = 'total_cost' and attribute = 'diagnosis' "
        "and metric = 'predictive_ratio' and not suppressed",
    )
    assert len(expected)
    for row in expected.to_dict("records"):
        own = shown.loc[row["level_label"]]
        assert own["Projected ÷ observed (95%)"] == format_ratio(row["estimate"], row["lower"], row["upper"])
        assert own["Patients observed"] == format_count(row["n"])
        assert (own["Clearly off"] == "◆") == row["flag"]


def test_the_title_counts_the_groups_in_line(open_app: OpenApp, administrator: Release) -> None:
    shown = rows(
        administrator,
        "select flag from subgroup_performance where target_id = 'total_cost' and attribute = 'diagnosis' "
        "and metric = 'predictive_ratio' and not suppressed",
    )
    in_line, n = int((~shown["flag"]).sum()), len(shown)
    expected = f"{in_line} of {n} groups" if in_line < n else f"All {n} groups are in line"
    assert expected in titles(open_outlook(open_app))[0]


def test_withheld_groups_say_so_and_their_numbers_are_nowhere(open_app: OpenApp, release_of: ReleaseOf) -> None:
    hidden = rows(
        release_of(Role.ADMINISTRATOR),
        "select level, level_label from group_total join attribute_level using (attribute, level) "
        "where target_id = 'total_cost' and attribute = 'race' and suppressed",
    )
    assert len(hidden) >= 2
    app = open_app(OUTLOOK, role="administrator")
    app.selectbox(key="group").select("race").run()
    shown = table(app, "Projected ÷ observed (95%)").set_index("Group")
    assert set(shown.loc[hidden["level_label"], "Projected ÷ observed (95%)"]) == {"withheld: under 11"}
    assert set(shown.loc[hidden["level_label"], "Patients observed"]) == {"–"}
    assert text_of(app).count("withheld: under 11") >= len(hidden)
    in_full = rows(
        release_of(Role.CLINICIAN),
        "select level, projected_total from group_total where target_id = 'total_cost' and attribute = 'race'",
    ).set_index("level")["projected_total"]
    specs = "".join(element.proto.spec for element in app.get("plotly_chart"))
    for level in hidden["level"]:
        assert format_dollars(in_full[level]) not in text_of(app)
        assert str(in_full[level]) not in specs


def test_the_totals_of_the_groups_are_those_of_the_store(open_app: OpenApp, administrator: Release) -> None:
    text = text_of(open_outlook(open_app))
    totals = rows(
        administrator,
        "select * from group_total where target_id = 'total_cost' and attribute = 'diagnosis' and not suppressed",
    )
    for row in totals.to_dict("records"):
        assert f">{format_dollars(row['projected_total'])}<" in text
        assert f">{format_dollars(row['lower'])} to {format_dollars(row['upper'])}<" in text
        assert f">{format_dollars(row['observed_total'])}<" in text


def test_how_often_the_intervals_of_totals_held_is_told(open_app: OpenApp, administrator: Release) -> None:
    text = text_of(open_outlook(open_app))
    coverage = rows(
        administrator, "select * from total_coverage where target_id = 'total_cost' and level = 0.95"
    ).set_index("group_kind")
    random, levels = coverage[coverage["size"] == 100].loc["random"], coverage.loc["attribute"]
    assert f"of random groups of 100 patients, {100 * random['coverage']:.0f} of 100 lay inside" in text
    held = round(levels["coverage"] * levels["n_groups"])
    assert f"of groups by diagnosis, sex and 6 other attributes, {held} of {levels['n_groups']} " in text


def test_a_study_that_tried_no_groups_says_nothing_of_coverage(release_of: ReleaseOf) -> None:
    study = release_of(Role.ADMINISTRATOR).study
    columns = ["group_kind", "size", "coverage", "n_groups"]
    assert amounts.tell_coverage(pd.DataFrame(columns=columns), study) == ""
    few = pd.DataFrame([("random", 20, 0.93, 400)], columns=columns)
    assert amounts.tell_coverage(few, study) == (
        "Tried on groups that nothing had been learnt from: of random groups of 20 patients, 93 of 100 lay inside "
        "(95 of 100 are promised)."
    )
    alone = study.model_copy(update={"subgroups": study.subgroups[:1]})
    levels = pd.DataFrame([("attribute", None, 0.75, 8)], columns=columns)
    assert "of groups by diagnosis, 6 of 8 (95" in amounts.tell_coverage(levels, alone)


def test_the_drivers_are_the_typical_change_of_a_projection(open_app: OpenApp, administrator: Release) -> None:
    app = open_outlook(open_app)
    first = rows(
        administrator,
        "select concept, exp(mean_absolute) - 1 as change from concept_importance where target_id = 'total_cost' "
        "order by mean_absolute desc limit 1",
    ).iloc[0]
    assert f"{first['concept']} moves the projection most, typically by {100 * first['change']:.0f}%" in titles(app)
    assert "Association, not effect" in text_of(app)


def test_days_are_projected_without_a_dollar(open_app: OpenApp, administrator: Release) -> None:
    app = open_outlook(open_app)
    app.selectbox(key="target").select("bed_days").run()
    assert not app.exception
    total = rows(
        administrator, "select projected_total from group_total where target_id = 'bed_days' and attribute = 'all'"
    )
    text = text_of(app)
    assert format_amount(total["projected_total"][0], "days") in text
    assert "$" not in text
    assert "Projected for each day observed" in text


def test_only_costs_and_other_amounts_can_be_chosen(open_app: OpenApp) -> None:
    assert open_outlook(open_app).selectbox(key="target").options == [
        "Total hospital cost",
        "Days in hospital from study entry",
    ]


def test_choices_are_read_from_the_url(open_app: OpenApp) -> None:
    app = open_outlook(open_app, target="Days in hospital from study entry", group="Sex")
    assert app.selectbox(key="target").value == "bed_days"
    assert set(table(app, "Projected ÷ observed (95%)")["Group"]) == {"Men", "Women"}


def test_no_patient_is_on_the_page(open_app: OpenApp, release_of: ReleaseOf) -> None:
    ids = rows(release_of(Role.CLINICIAN), "select subject_id from subject")["subject_id"]
    app = open_outlook(open_app)
    words = text_of(app) + "".join(element.proto.spec for element in app.get("plotly_chart"))
    assert not [subject_id for subject_id in ids if subject_id in words]


@pytest.mark.parametrize(("role", "label"), [("clinician", "Clinician"), ("board", "Ethics board")])
def test_other_roles_are_refused(open_app: OpenApp, role: str, label: str) -> None:
    app = open_app(OUTLOOK, role=role)
    assert "This page is not for your role" in text_of(app)
    assert f"you are looking as **{label}**" in text_of(app)
    assert not app.get("plotly_chart")
    assert not app.selectbox


def test_a_study_without_amounts_says_so(
    open_app: OpenApp, write_study: Callable[..., Path], quick: Boosting, tmp_path: Path
) -> None:
    (tmp_path / "study").mkdir()
    death = {"id": "death", "kind": "outcome", "label": "Death", "event": "died = 1", "happened": "died"}
    path = write_study(tmp_path / "study", targets=[death])
    build_release(load_study(path), store=tmp_path / "store", boosting=quick)
    app = open_outlook(open_app, store=tmp_path / "store")
    assert "projects no cost and no other amount" in text_of(app)
    assert not app.get("plotly_chart")


def test_charts_have_an_alternative_in_words_and_in_a_table(open_app: OpenApp) -> None:
    app = open_outlook(open_app)
    charts = app.get("plotly_chart")
    assert [chart.proto.alt for chart in charts] == [title for title in titles(app) if "of 100 patients" not in title]
    assert len(app.dataframe) == len(charts)
    assert all(json.loads(chart.proto.spec)["data"] for chart in charts)


def test_the_title_names_the_group_that_is_furthest_off() -> None:
    frame = amounts.build_group_frame(groups(), largest_first=False)
    assert amounts.tell_groups(frame) == "Apples: projected 20% too high; 1 of 2 groups is in line; 1 withheld"


def test_the_title_is_right_when_nothing_is_wrong() -> None:
    frame = amounts.build_group_frame(groups(flag=False).head(2), largest_first=False)
    assert amounts.tell_groups(frame) == "All 2 groups are in line with what was observed"


def test_the_title_is_right_when_everything_is_wrong() -> None:
    frame = amounts.build_group_frame(groups(flag=True, ratio=0.8).head(2), largest_first=False)
    assert amounts.tell_groups(frame) == "Apples: projected 20% too low; no group is in line"


def test_a_group_of_few_patients_is_not_judged_and_not_in_line() -> None:
    frame = amounts.build_group_frame(
        groups(n_observed=[90.0, 19.0, None], judgement=["judged", "too few to judge", "too few to judge"]),
        largest_first=False,
    )
    assert list(frame["text"]) == ["1.20 (1.10 to 1.30)", "too few to judge", "withheld: under 11"]
    assert amounts.tell_groups(frame).startswith("Apples: projected 20% too high; no group is in line; 1 too few")


def test_groups_can_be_ordered_by_what_was_observed() -> None:
    frame = amounts.build_group_frame(groups(observed_mean=[1.0, 2.0, None]), largest_first=True)
    assert list(frame["label"]) == ["Pears", "Apples", "Plums"]


def test_the_largest_group_is_named_with_its_shares() -> None:
    total = pd.Series({"n": 500, "projected_total": 4.0e6})
    words = amounts.tell_largest_group(groups(), total, COST)
    assert words == "Pears: 60 of 100 patients, 50 of 100 projected dollars"
    assert amounts.tell_largest_group(groups(suppressed=True), total, COST) == "Every group is withheld"


def test_the_table_of_totals_marks_flagged_groups_and_empties_withheld_ones() -> None:
    first, _, last = amounts.build_total_table(groups(), COST).to_numpy().tolist()
    assert first == ["Apples ◆", "100", "$1.20M", "$1.10M to $1.30M", "$900k", "90"]
    assert last == ["Plums", "withheld: under 11", "–", "–", "–", "–"]


def test_money_is_told_with_its_year_and_days_without() -> None:
    assert amounts.name_axis(COST) == "Mean per patient, dollars, nominal, 2001"
    assert amounts.name_axis(DAYS) == "Mean per patient, days"
    assert amounts.name_axis(COST.model_copy(update={"year": None})) == "Mean per patient, dollars"
    total = pd.Series({"n": 10, "projected_total": 200.0, "lower": 150.0, "upper": 250.0})
    [whole, mean] = amounts.tell_total(DAYS, total)
    assert whole[1:] == ("200 days", "95%: 150 to 250 days; assumes this selection behaves like the whole cohort")
    assert mean == ("Mean per patient", "20.0 days", "95%: 15.0 to 25.0 days")


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        ([10.0, 20.0], "Projections follow what was observed in all 2 tenths of patients"),
        ([10.0, 30.0], "Projections follow what was observed in 1 of 2 tenths; tenth 2 is projected 50% too high"),
        ([5.0, 21.0], "Projections follow what was observed in 1 of 2 tenths; tenth 1 is projected 50% too low"),
    ],
)
def test_the_title_of_the_tenths_names_the_one_that_is_furthest_off(predicted: list[float], expected: str) -> None:
    curve = pd.DataFrame(
        {"tenth": [1, 2], "predicted": predicted, "observed": [10.0, 20.0], "lower": [8.0, 17.0], "upper": [12.0, 23.0]}
    )
    assert amounts.tell_tenths(curve) == expected


def test_intervals_are_written_with_their_level() -> None:
    total = pd.Series({"n": 10, "projected_total": 2.0e6, "lower": 1.5e6, "upper": 2.5e6})
    for _, number, certainty in amounts.tell_total(COST, total):
        assert re.fullmatch(r"\$[\d.,]+[kM]?", number)
        assert certainty.startswith("95%: $")
