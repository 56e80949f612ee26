"""The page of one patient: the estimate in words, how sure it is, why, and the values it rests on."""

from html import escape

import pandas as pd
import streamlit as st

from dashboard.access import View, forget_patient
from dashboard.charts.estimates import estimates_plot
from dashboard.charts.risk_strip import risk_strip
from dashboard.charts.waterfall import waterfall
from dashboard.components.cards import KeyFigure, render_card_head, render_chart_card, render_key_figures
from dashboard.components.header import render_footer, render_title
from dashboard.components.pictures import icon_array
from dashboard.components.values_table import plain_values_table, values_table
from dashboard.loaders import read
from dashboard.presentation.patient import (
    Estimate,
    build_plain_value_table,
    build_value_table,
    build_waterfall,
    count_values,
    openable_concepts,
    read_estimate,
    read_refusal,
    read_values,
    share_points,
    tell_answer,
    tell_band,
    tell_comparison,
    tell_coverage,
    tell_errors,
    tell_instability,
    tell_interval,
    tell_largest,
    tell_position,
    tell_reasons,
)
from pipeline.explain.words import Value, build_reasons, describe_subject
from pipeline.store import reads

_SHOWN_VALUES = 14

HOW_TO_READ_WHY = (
    "The difference between the model's starting point and this patient's estimate, shared out between what was "
    "recorded, in proportion to what each adds in the model. ▲ raises, ▼ lowers. It says what the model has seen go "
    "together: it is **not** what would happen if a value were changed, and a normal value may be a treated value. "
    "Open a concept to see its measurements."
)
HOW_TO_READ_VALUES = (
    "Each measurement with its normal range (the band) and where this patient lies (the dot), ordered by how much it "
    "moves the estimate. *Points* are its share of the difference. A normal value may be a treated value. Hover over a "
    "name for what to know about it."
)
HOW_TO_READ_PLAIN_VALUES = (
    "Each measurement with its normal range (the band) and where this patient lies (the dot). A normal value may be a "
    "treated value. Hover over a name for what to know about it."
)
HOW_TO_READ_RISK = (
    "One hundred people like this one: the dark ones are those of whom the model says that it happens. The interval "
    "tells how far the estimate moves when the model is rebuilt on resampled patients. It is not a range for what "
    "happens to this one person, for whom it happens or does not."
)
HOW_TO_READ_BAND = (
    "The calibration band tells what became of earlier patients with such an estimate, a fifth of them at a time: how "
    "well they pin down their event rate. It need not hold the estimate shown, which is made in another way. It "
    "promises nothing about this person, and it does not see whether a group of patients does better or worse than "
    "others with the same estimate."
)
HOW_TO_READ_AMOUNT = (
    "The projection is a mean: a few such patients have far more. The interval is made to hold for 90 of 100 patients "
    "taken together; how often it held, for all and for one diagnosis, is measured on patients the model never saw."
)


def render_patient(view: View, subject_id: str) -> None:
    """The page of the patient with this id, or a sentence where there is none."""
    subject = read(view.release, reads.get_subject, subject_id)
    if subject.empty:
        _render_unknown(subject_id)
        return
    st.button("All patients", icon=":material/arrow_back:", type="tertiary", on_click=forget_patient)
    repairs = read(view.release, reads.get_subject_repairs, subject_id)
    quarantine = read(view.release, reads.get_subject_quarantine, subject_id)
    values = read_values(view.study, subject.iloc[0], repairs, quarantine)
    who = describe_subject(view.study, values)
    render_title(view, f"Patient {subject_id}" + (f" · {who}" if who else ""), key="patient")
    told = dict(zip(repairs["repair_id"], repairs["note"], strict=True))
    for repair in view.study.repairs:
        if note := told.get(repair.id, repair.kept):
            st.caption(f":material/build: {note}")
    predictions = read(view.release, reads.get_predictions, subject_id)
    if refusal := read_refusal(predictions):
        _render_refused(view, refusal, values)
        return
    estimates = _read_estimates(view, subject_id, predictions)
    _render_overview(estimates)
    chosen = st.segmented_control(
        "Estimate",
        list(estimates),
        default=next(iter(estimates)),
        required=True,
        format_func=lambda i: estimates[i].target.label,
        key="estimate",
        bind="query-params",
    )
    estimate = estimates[chosen]
    explanation = read(view.release, reads.get_explanation, subject_id, estimate.target.id)
    points = share_points(estimate, explanation)
    _render_answer(view, estimate, subject.iloc[0])
    unstable = read(view.release, reads.get_unstable_explanations, subject_id)
    _render_why(view, estimate, values, points, unstable)
    render_footer(
        view,
        f"scored by the model of fold {estimate.fold + 1}, which never saw this patient",
        "association, not effect",
    )


def _render_refused(view: View, refusal: str, values: dict[str, Value]) -> None:
    """Why there is no estimate, and the values that there are."""
    study = view.study
    with st.container(key="hero-answer"):
        st.html(
            f'<div class="wl-answer"><div class="refused">Not scored</div>'
            f'<div class="words">{escape(refusal.removeprefix("Not scored: "))}</div></div>'
        )
        st.caption(
            f"No risk, cost or length of stay is estimated for this {study.subject.noun}: outside what the models have "
            "learnt from, an estimate would be a guess. It says nothing of how ill they are."
        )
    with st.container(border=True, gap="xsmall"):
        table = build_plain_value_table(study, values)
        render_card_head(count_values(study, values), how_to_read=HOW_TO_READ_PLAIN_VALUES, table=table, key="values")
        half = -(-len(study.features) // 2)
        rows = [(f, values[f.id]) for f in study.features]
        columns = st.grid(2, min_column_width=540)
        for part in (rows[:half], rows[half:]):
            columns.container(gap="xsmall").html(plain_values_table(part, palette=view.palette))
    render_footer(view, "not scored: outside the scope of the models")


def _read_estimates(view: View, subject_id: str, rows: pd.DataFrame) -> dict[str, Estimate]:
    bases = read(view.release, reads.get_base_values, subject_id)
    return {
        str(row["target_id"]): read_estimate(view.study, row, bases[str(row["target_id"])])
        for _, row in rows.iterrows()
    }


def _render_overview(estimates: dict[str, Estimate]) -> None:
    figures = [
        KeyFigure(e.target.label, f"{e.format(e.value)}{' of 100' if e.is_risk else ''}", e.certainty)
        for e in estimates.values()
    ]
    render_key_figures(figures, key="overview")


def _render_answer(view: View, estimate: Estimate, subject: pd.Series) -> None:
    era = str(view.facts["era"])
    scale = 100.0 if estimate.is_risk else 1.0
    average = scale * float(read(view.release, reads.get_mean_estimate, estimate.target.id)["mean"])
    metric = "mean_risk" if estimate.is_risk else "predicted_mean"
    label, group_average = _diagnosis_figure(view, estimate, subject, metric)
    group_average *= scale
    with st.container(key="hero-answer"):
        left, middle, right = st.columns([3.6, 2.4, 6] if estimate.is_risk else [4.6, 0.4, 6])
        with left:
            number = "" if estimate.is_risk else " amount"
            st.html(
                f'<div class="wl-answer"><div class="number{number}">{escape(estimate.format(estimate.value))}</div>'
                f'<div class="words">{escape(tell_answer(view.study, estimate, era))}</div></div>'
            )
            if estimate.is_risk:
                strip = risk_strip(
                    estimate.value,
                    estimate.lower_90,
                    estimate.upper_90,
                    palette=view.palette,
                    interval_label="90% of rebuilds",
                )
                st.plotly_chart(strip, theme=None, alt=tell_interval(estimate), config={"displayModeBar": False})
            st.write(tell_interval(estimate).replace("$", "\\$"))
            if not estimate.is_risk and estimate.has_interval:
                own = bool(label) and read(
                    view.release,
                    reads.has_own_errors,
                    estimate.target.id,
                    estimate.fold,
                    str(subject[str(view.study.diagnosis)]),
                )
                st.write(tell_errors(view.study, label if own else ""))
                coverage = read(view.release, reads.get_performance, estimate.target.id, "all")
                held = coverage.loc[coverage["metric"] == "interval_coverage_90", "estimate"].to_numpy(float)[0]
                _, with_diagnosis = _diagnosis_figure(view, estimate, subject, "interval_coverage_90")
                st.write(tell_coverage(held, label, with_diagnosis))
            if estimate.target.caution:
                st.markdown(f"**{estimate.target.caution}**")
        if estimate.is_risk:
            with middle:
                picture = icon_array(estimate.value, estimate.lower_90, estimate.upper_90, palette=view.palette)
                words = f"{estimate.format(estimate.value)} of 100 people filled"
                st.html(f'<img alt="{words}" src="{picture}" style="width:100%;max-width:215px">')
                shown = f"; lighter and dashed: the interval, {estimate.interval}" if estimate.has_interval else ""
                st.caption(
                    f"Each figure is one of 100 such patients. Filled: {estimate.format(estimate.value)}{shown}."
                )
        with right:
            _render_comparison(view, estimate, average, label, group_average)


def _render_comparison(view: View, estimate: Estimate, average: float, label: str, group_average: float) -> None:
    nothing = float("nan")
    rows = [
        ("This patient", estimate.value, estimate.lower_90, estimate.upper_90, "model"),
        ("Average patient", average, nothing, nothing, "average"),
    ]
    if label:
        rows.append((f"Average, {label[:1].lower()}{label[1:]}", group_average, nothing, nothing, "average"))
    frame = pd.DataFrame(rows, columns=["label", "value", "lower", "upper", "style"])
    table = frame.drop(columns="style").rename(columns={"lower": "lower (90%)", "upper": "upper (90%)"}).round(1)
    how = f"{HOW_TO_READ_RISK}\n\n{HOW_TO_READ_BAND}" if estimate.is_risk else HOW_TO_READ_AMOUNT
    render_card_head(tell_position(estimate, average), how_to_read=how, table=table, key="comparison")
    if estimate.is_risk:
        figure = estimates_plot(frame, palette=view.palette)
        st.plotly_chart(figure, theme=None, alt=tell_position(estimate, average), config={"displayModeBar": False})
    st.write(tell_comparison(view.study, estimate, average, label, group_average).replace("$", "\\$"))
    if band := tell_band(view.study, estimate):
        # Away from the interval, whose level is not the band's.
        st.html(f'<div class="wl-band">{escape(band)}</div>')


def _render_why(
    view: View, estimate: Estimate, values: dict[str, Value], points: list[float], unstable: pd.DataFrame
) -> None:
    study = view.study
    reasons = build_reasons(study, values, points)
    with st.container(border=True, gap="xsmall"):
        st.subheader("Why this estimate, in words", anchor=False)
        unstable = unstable[unstable["target_id"] == estimate.target.id]
        if len(unstable):
            changing = tell_instability(unstable["same_first_share"].iloc[0], unstable["top5_overlap"].iloc[0])
            st.badge("Unstable reasons", icon=":material/shuffle:", color="yellow")
            st.markdown(f"**{changing}**")
        st.markdown(tell_reasons(study, estimate, values, points))
        unit = "deaths or other events per 100 such patients" if estimate.is_risk else "the estimate's own unit"
        st.caption(f"Points are shares of the difference, in {unit}. They describe what the model has seen together.")
    grid = st.grid(2, min_column_width=540)
    with grid.container(border=True, height="stretch", gap="xsmall"):
        concepts = openable_concepts(study, estimate, values, points)
        opened = st.session_state.get("concept")
        frame = build_waterfall(study, estimate, values, points, opened if opened in concepts else None)
        is_money = estimate.target.unit == "USD"
        figure = waterfall(
            frame,
            start_label="Starting point",
            start=estimate.base,
            end_label="This patient",
            end=estimate.value,
            unit_label=_axis_title(estimate),
            palette=view.palette,
            tick_format="$~s" if is_money else "",
            **({} if estimate.is_risk else {"format_value": estimate.format, "format_total": estimate.format}),
        )
        render_chart_card(
            tell_largest(reasons, estimate),
            figure,
            how_to_read=HOW_TO_READ_WHY,
            table=frame.drop(columns="level").rename(columns={"label": "What", "value": "Points"}).round(2),
            caption=f"The steps add up to {estimate.format(estimate.value)}. Association, not effect.",
            key="why",
        )
        st.pills("Open a concept", concepts, key="concept", bind="query-params")
    with grid.container(border=True, height="stretch", gap="xsmall"):
        _render_values(view, estimate, values, points)


def _render_values(view: View, estimate: Estimate, values: dict[str, Value], points: list[float]) -> None:
    study = view.study
    table = build_value_table(study, values, points)
    render_card_head(count_values(study, values), how_to_read=HOW_TO_READ_VALUES, table=table, key="values")
    rows = sorted(zip(study.features, points, strict=True), key=lambda pair: -abs(pair[1]))
    unit = None if estimate.is_risk else estimate.target.unit
    filled = [(f, values[f.id], p) for f, p in rows]
    st.html(values_table(filled[:_SHOWN_VALUES], unit=unit, palette=view.palette))
    if filled[_SHOWN_VALUES:]:
        with st.expander("Show the other values"):
            st.html(values_table(filled[_SHOWN_VALUES:], unit=unit, palette=view.palette))


def _diagnosis_figure(view: View, estimate: Estimate, subject: pd.Series, metric: str) -> tuple[str, float]:
    """The diagnosis and what a metric is for it; no words and no number where the study has none."""
    attribute = view.study.diagnosis
    if not attribute:
        return "", float("nan")
    table = read(view.release, reads.get_subgroups, estimate.target.id, metric)
    row = table[(table["attribute"] == attribute) & (table["level"] == subject[attribute])]
    return (str(row["level_label"].iloc[0]), float(row["estimate"].iloc[0])) if len(row) else ("", float("nan"))


def _axis_title(estimate: Estimate) -> str:
    if estimate.is_risk:
        return "Of 100 such patients"
    return f"{estimate.target.label}, {'dollars' if estimate.target.unit == 'USD' else estimate.target.unit}"


def _render_unknown(subject_id: str) -> None:
    st.header("No such patient in this release")
    st.write("Ids are pseudonyms of this store, such as 7K3QD-M2XRA. This one is not among them:")
    st.code(subject_id[:60], language=None)
    st.caption("A link from another store, study or release names other patients.")
    st.button("All patients", icon=":material/arrow_back:", on_click=forget_patient)
