"""Patients: the ranked list, or the page of the one that the URL names."""

import math
from collections.abc import Callable
from typing import Any, Literal

import pandas as pd
import streamlit as st

from dashboard.access import PATIENT_KEY, View, require
from dashboard.components.cards import KeyFigure, render_key_figures
from dashboard.components.header import render_footer, render_title
from dashboard.components.pictures import list_bar, no_picture
from dashboard.loaders import read
from dashboard.presentation.patient import shorten_refusal
from dashboard.presentation.selection import bound_events
from dashboard.views.clinician.patient import render_patient
from pipeline.explain.words import LOWERS, RAISES
from pipeline.numerals import NOTHING, format_count, format_dollars, format_of_100
from pipeline.settings import Role
from pipeline.store import reads
from pipeline.store.reads import PAGE_ROWS, ListFilter
from pipeline.store.reads_selection import get_selection_groups
from pipeline.store.tables.patients import REFUSED, SCORED
from pipeline.study.model import Kind, Target

SORTS = {
    "estimate": "Estimate",
    "age": "Age",
    "cost": "Projected cost",
    "gaps": "Values missing",
    "subject_id": "Patient id",
}
STATUSES = {"": "Everybody", SCORED: "Scored", REFUSED: "Not scored"}
NOT_SCORED = "not scored"
_CHIPS: dict[str, Literal["orange", "blue", "gray"]] = {RAISES: "orange", LOWERS: "blue"}


def render_list(view: View) -> None:
    """The list with its filters, totals and pages."""
    render_title(view, f"{view.study.subject.noun.capitalize()}s", key="patients")
    target, chosen, sort, descending = _render_filters(view)
    threshold = next(iter(view.study.thresholds.get(target.id, [])), None)
    totals = read(view.release, reads.get_list_totals, chosen, target_id=target.id, threshold=threshold)
    _render_totals(view, target, chosen, totals, threshold)
    if not totals["n"]:
        st.info("Nobody matches these filters. Widen one of them to see patients again.", icon=":material/search_off:")
        return
    if totals["n"] == 1 and chosen.search and st.button("Open this patient", icon=":material/person:"):
        _open(str(_page(view, target, chosen, sort, descending, 1)["subject_id"][0]))
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="pager"):
        pages = math.ceil(totals["n"] / PAGE_ROWS)
        st.caption(f"{format_count(totals['n'])} patients, {PAGE_ROWS} a page. Select a row to open the patient.")
        page = st.pagination(pages, key="page", bind="query-params")
    _render_table(view, _page(view, target, chosen, sort, descending, min(page, pages)), target, threshold)
    if target.caution:
        st.caption(target.caution)
    render_footer(view, "each patient is scored by a model that never saw them", *_money_year(view))


def _render_filters(view: View) -> tuple[Target, ListFilter, str, bool]:
    study = view.study
    targets = {t.id: t.label for t in study.targets}
    levels = read(view.release, reads.get_levels)
    diagnoses = levels[levels["attribute"] == study.diagnosis]
    names = dict(zip(diagnoses["level"], diagnoses["level_label"], strict=True))
    sexes = study.feature("sex").levels if any(f.id == "sex" for f in study.features) else {}
    ages = read(view.release, reads.get_ranges)
    risks = None
    with st.container(horizontal=True, vertical_alignment="top", key="filters"):
        search = st.text_input("Patient", placeholder="Search id", key="id", bind="query-params", width=150)
        target = study.target(_choose_one("Estimate", targets, key="target", width=230))
        diagnosis = _choose_some("Diagnosis", names, key="diagnosis", width=300)
        sex = _choose_some("Sex", sexes, key="sex", width=170)
        age = _choose_range("Age, years", ages["age_low"], ages["age_high"], key="age")
        if target.kind is Kind.OUTCOME:
            risks = _choose_range("Risk, of 100", 0, 100, key="risk")
        status = _choose_one("Show", STATUSES, key="show", width=150)
        sort = _choose_one("Sort by", SORTS, key="sort", width=170)
        order = st.segmented_control(
            "Order",
            ["highest", "lowest"],
            default="highest",
            required=True,
            format_func=lambda o: f"{o.capitalize()} first",
            key="order",
            bind="query-params",
        )
    shares = (risks[0] / 100, risks[1] / 100) if risks else None
    chosen = ListFilter(search=search, diagnoses=diagnosis, sexes=sex, ages=age, risks=shares, status=status)
    return target, chosen, sort, order == "highest"


def _choose_one(label: str, names: dict[str, str], *, key: str, width: int) -> str:
    return st.selectbox(
        label, list(names), format_func=lambda name: names[name], key=key, bind="query-params", width=width
    )


def _choose_some(label: str, names: dict[str, str], *, key: str, width: int) -> tuple[str, ...]:
    """The chosen ones; none means all, and there is nothing to choose where the study has none."""
    if not names:
        return ()
    chosen = st.multiselect(
        label,
        list(names),
        format_func=lambda name: names[name],
        placeholder="All",
        key=key,
        bind="query-params",
        width=width,
    )
    return tuple(chosen)


def _choose_range(label: str, low: float, high: float, *, key: str) -> tuple[int, int] | None:
    """The chosen ends; None for the whole range, and where there is none."""
    if not low < high:
        return None
    ends = int(low), int(high)
    chosen: tuple[int, int] = st.slider(label, *ends, ends, key=key, bind="query-params", width=170)
    return None if chosen == ends else chosen


def _render_totals(view: View, target: Target, chosen: ListFilter, totals: pd.Series, threshold: float | None) -> None:
    n_scored = totals["n"] - totals["n_refused"]
    refused = f" · {format_count(totals['n_refused'])} not scored" if totals["n_refused"] else ""
    figures = [
        KeyFigure("Patients in this view", format_count(totals["n"]), f"of {format_count(totals['n_all'])}{refused}")
    ]
    if target.kind is Kind.OUTCOME and threshold is not None:
        above = KeyFigure(
            "At or above the threshold", format_count(totals["n_above"]), f"threshold {threshold:.0%}, set by the study"
        )
        figures.append(above)
    if n_scored and target.kind is Kind.OUTCOME:
        low, high = bound_events(totals, read(view.release, get_selection_groups, chosen, target_id=target.id))
        words = (
            f"90%: {format_count(low)} to {format_count(high)}; assumes this selection behaves like the whole "
            "cohort, but for what its groups differ by"
        )
        figures.append(KeyFigure(f"Expected, {target.label.lower()}", format_count(totals["expected"]), words))
    render_key_figures(figures, key="list")


def _page(view: View, target: Target, chosen: ListFilter, sort: str, descending: bool, page: int) -> pd.DataFrame:
    return read(
        view.release,
        reads.get_list_page,
        chosen,
        target_id=target.id,
        cost_id=next((t.id for t in view.study.targets if t.kind is Kind.COST), None),
        sort=sort,
        descending=descending,
        page=page,
    )


def _render_table(view: View, rows: pd.DataFrame, target: Target, threshold: float | None) -> None:
    table = _build_table(view, rows, target, threshold)
    picked = st.dataframe(
        table,
        hide_index=True,
        column_config=_describe_columns(table, target),
        row_height=40,
        key="table",
        on_select="rerun",
        selection_mode="single-row",
        height=40 * len(table) + 36,
        alt="The patients of this page of the list, with estimate, interval and reasons.",
    )
    if picked.selection.rows:
        _open(str(table["Patient"].iloc[picked.selection.rows[0]]))


def _build_table(view: View, rows: pd.DataFrame, target: Target, threshold: float | None) -> pd.DataFrame:
    """What the list shows of each patient, in words and pictures; columns that the study cannot fill are left out."""
    levels = read(view.release, reads.get_levels)
    diagnosis = levels[levels["attribute"] == view.study.diagnosis].set_index("level")["level_label"].to_dict()
    number = format_of_100 if target.kind is Kind.OUTCOME else (lambda v: _amount(target, v))
    bounds = list(zip(rows["estimate"], rows["lower_90"], rows["upper_90"], strict=True))
    columns: dict[str, Any] = {
        "Patient": rows["subject_id"],
        "Who": rows["headline"].str.split(", ").str[0],
        "Diagnosis": rows["diagnosis"].map(diagnosis),
        "estimate": [NOT_SCORED if pd.isna(v) else number(v) for v in rows["estimate"]],
        "interval": [_tell_bounds(*ends, number=number) for ends in bounds],
        "bar": _draw_bars(view, bounds, threshold) if target.kind is Kind.OUTCOME else None,
        "Why": [
            list(reasons) if pd.isna(refusal) else [shorten_refusal(refusal)]
            for reasons, refusal in zip(rows["reasons"], rows["refusal"], strict=True)
        ],
        "Cost": [NOT_SCORED if pd.isna(v) else format_dollars(v) for v in rows["cost"].astype(float)],
        "Missing": rows["gaps"],
    }
    absent = {
        "Who": not view.study.headline,
        "Cost": not any(t.kind is Kind.COST for t in view.study.targets),
    }
    return pd.DataFrame(
        {name: values for name, values in columns.items() if values is not None and not absent.get(name)}
    )


def _draw_bars(view: View, bounds: list[tuple[float, float, float]], threshold: float | None) -> list[str]:
    # An empty bar would be read as no risk.
    return [
        no_picture() if pd.isna(estimate) else list_bar(estimate, lower, upper, threshold, palette=view.palette)
        for estimate, lower, upper in bounds
    ]


def _describe_columns(table: pd.DataFrame, target: Target) -> dict[str, Any]:
    """The headings, widths and kinds of the columns of `_build_table`."""
    is_risk = target.kind is Kind.OUTCOME
    phrases = sorted({phrase for reasons in table["Why"] for phrase in reasons})
    return {
        "Patient": st.column_config.TextColumn(width=120),
        "Who": st.column_config.TextColumn(width=130),
        "Diagnosis": st.column_config.TextColumn(width=165),
        "estimate": st.column_config.TextColumn("Risk, of 100" if is_risk else target.label, width=85),
        "interval": st.column_config.TextColumn(
            "90% of rebuilds" if is_risk else "90% interval",
            width=120,
            help="For a risk: how far it moves if the model is rebuilt. For an amount: its prediction interval.",
        ),
        "bar": st.column_config.ImageColumn("0 to 100", width=160),
        "Why": st.column_config.MultiselectColumn(
            "Why: ▲ raises, ▼ lowers",
            options=phrases,
            width=410,
            color=[_CHIPS.get(phrase[:1], "gray") for phrase in phrases],
        ),
        "Cost": st.column_config.TextColumn(width=80),
        "Missing": st.column_config.NumberColumn(width=75, help="Features without a value"),
    }


def _tell_bounds(estimate: float, lower: float, upper: float, *, number: Callable[[float], str]) -> str:
    if pd.isna(estimate):
        return NOTHING
    return "not measured" if pd.isna(lower) or pd.isna(upper) else f"{number(lower)} to {number(upper)}"


def _open(subject_id: str) -> None:
    st.query_params[PATIENT_KEY] = subject_id
    st.rerun()


def _amount(target: Target, value: float) -> str:
    return format_dollars(value) if target.unit == "USD" else f"{value:.1f}"


def _money_year(view: View) -> list[str]:
    return [f"dollars are {t.year}" for t in view.study.targets if t.unit == "USD" and t.year]


view = require(Role.CLINICIAN)
if patient := st.query_params.get(PATIENT_KEY):
    render_patient(view, patient)
else:
    render_list(view)
