"""The choices above a page: what is looked at, and by which groups. All live in the URL."""

import streamlit as st

from dashboard.presentation.measures import Measure
from pipeline.numerals import format_of_100
from pipeline.study.model import Kind, Study, Target


def choose_target(study: Study, *, label: str = "What is predicted", key: str = "target") -> Target:
    """The chosen target, the study's first until then."""
    return _choose(study, study.targets, label=label, key=key)


def choose_amount(study: Study, *, label: str = "What is projected", key: str = "target") -> Target | None:
    """The chosen cost or other amount; None where the study projects none."""
    amounts = [t for t in study.targets if t.kind is not Kind.OUTCOME]
    return _choose(study, amounts, label=label, key=key) if amounts else None


def choose_attribute(study: Study, *, label: str = "Compare groups by", key: str = "group") -> str | None:
    """The id of the chosen subgroup attribute, the study's diagnosis until then; None where it has no attribute."""
    ids = [a.id for a in study.subgroups]
    if not ids:
        return None
    chosen = st.selectbox(
        label,
        ids,
        index=ids.index(study.diagnosis) if study.diagnosis in ids else 0,
        format_func=lambda i: study.attribute(i).label,
        key=key,
        bind="query-params",
        width=230,
    )
    return chosen or ids[0]


def choose_model(names: dict[str, str], *, label: str = "Calibration of", key: str = "model") -> str:
    """The id of the chosen model; the first where there is no choice."""
    if len(names) < 2:
        return next(iter(names))
    chosen = st.selectbox(label, list(names), format_func=lambda i: names[i], key=key, bind="query-params", width=300)
    return chosen or next(iter(names))


def choose_measure(measures: list[Measure], target: Target, *, label: str = "Measure") -> Measure:
    """The chosen measure, the first until then. Outcomes and amounts keep their choices apart."""
    by_id = {m.metric: m for m in measures}
    chosen = st.selectbox(
        label,
        list(by_id),
        format_func=lambda i: by_id[i].name,
        key="measure" if target.kind is Kind.OUTCOME else "amount_measure",
        bind="query-params",
        width=270,
    )
    return by_id[chosen or measures[0].metric]


def choose_threshold(thresholds: list[float], target: Target, *, label: str = "Flagged from a risk of") -> float:
    """The chosen threshold of the target, 0 to 1; each target has its own."""
    chosen = st.selectbox(
        label,
        thresholds,
        format_func=lambda t: f"{format_of_100(t)} of 100",
        key=f"threshold_{target.id}",
        bind="query-params",
        width=200,
    )
    return chosen or thresholds[0]


def _choose(study: Study, targets: list[Target], *, label: str, key: str) -> Target:
    ids = [t.id for t in targets]
    chosen = st.selectbox(
        label, ids, format_func=lambda i: study.target(i).label, key=key, bind="query-params", width=270
    )
    return study.target(chosen or ids[0])
