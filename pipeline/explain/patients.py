"""The tables of single patients: their estimates, contributions, and what the list shows."""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.cohort import Cohort, mask_missing
from pipeline.explain.contributions import Contributions
from pipeline.explain.words import Value, describe_subject, explain_gap, list_reasons
from pipeline.ingest.repair import ABSENT, MOVED
from pipeline.models.crossfit import CrossFit
from pipeline.splits import Folds
from pipeline.store.tables.patients import REFUSED, SCORED
from pipeline.study.model import Study

_BOUNDS = ["lower_80", "upper_80", "lower_90", "upper_90"]
_BAND = ["band_lower", "band_upper"]


def build_prediction(fits: Mapping[str, CrossFit], cohort: Cohort, folds: Folds, refusals: pd.Series) -> pd.DataFrame:
    """A row a patient and target: scored by the fold that did not see them, or refused and without any number.

    refusals: why each patient is not scored, None where they are, as `pipeline.scope` gives them.
    """
    scored = refusals.isna().to_numpy()
    tables = [
        pd.DataFrame(
            {
                "subject_id": cohort.subjects["subject_id"],
                "target_id": target_id,
                "status": tell_status(refusals),
                "reason": refusals,
                "margin": _of_scored(fit.margin, scored),
                "estimate": _of_scored(fit.estimate, scored),
                "interval_kind": str(fit.interval_kind),
                "fold": folds,
                **{name: _of_scored(fit.bounds[:, i], scored) for i, name in enumerate(_BOUNDS)},
                **{name: _of_scored(fit.band[:, i], scored) for i, name in enumerate(_BAND)},
            }
        )
        for target_id, fit in fits.items()
    ]
    return pd.concat(tables, ignore_index=True)


def tell_status(refusals: pd.Series) -> pd.Series:
    """`scored` or `refused`, by row."""
    return refusals.isna().map({True: SCORED, False: REFUSED})


def _of_scored(numbers: npt.NDArray[np.float64], scored: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """The numbers (n,), NaN for who is refused."""
    return np.where(scored, numbers, np.nan)


def build_contribution(
    study: Study, explained: Mapping[str, Contributions], cohort: Cohort, refusals: pd.Series
) -> pd.DataFrame:
    """A row a scored patient and target: subject_id, target_id, base_value, and a contribution a feature.

    Who is refused has no row: without an estimate there is nothing to explain.
    """
    scored = refusals.isna().to_numpy()
    tables = []
    for target_id, contributions in explained.items():
        table = pd.DataFrame(contributions.by_feature, columns=[f.id for f in study.features])
        table.insert(0, "subject_id", cohort.subjects["subject_id"])
        table.insert(1, "target_id", target_id)
        table.insert(2, "base_value", contributions.base)
        tables.append(table[scored])
    return pd.concat(tables, ignore_index=True)


def build_patient_list(
    study: Study,
    cohort: Cohort,
    fits: Mapping[str, CrossFit],
    explained: Mapping[str, Contributions],
    refusals: pd.Series,
) -> pd.DataFrame:
    """A row a patient: headline, age, sex, diagnosis, gaps, status, and for every target estimate, interval, reasons.

    Intervals are at 90%. Who is refused has neither estimate nor interval, and no reasons for one.
    """
    subjects = cohort.subjects
    scored = refusals.isna().to_numpy()
    values = list(iterate_values(study, cohort))
    named = {f.id for f in study.features}
    numbers = {f.id for f in study.features if not f.is_categorical}
    table = {
        "subject_id": subjects["subject_id"],
        "headline": [describe_subject(study, v) for v in values],
        "age": subjects["age"] if "age" in numbers else None,
        "sex": subjects["sex"] if "sex" in named - numbers else None,
        "diagnosis": subjects[study.diagnosis] if study.diagnosis else None,
        "gaps": mask_missing(study, subjects).isna().sum(axis=1),
        "status": tell_status(refusals),
    }
    for target_id, fit in fits.items():
        table[f"{target_id}_estimate"] = _of_scored(fit.estimate, scored)
        table[f"{target_id}_lower_90"] = _of_scored(fit.bounds[:, 2], scored)
        table[f"{target_id}_upper_90"] = _of_scored(fit.bounds[:, 3], scored)
        rows = zip(values, explained[target_id].by_feature, scored, strict=True)
        table[f"{target_id}_reasons"] = [list_reasons(study, v, c) if told else [] for v, c, told in rows]
    return pd.DataFrame(table)


def iterate_values(study: Study, cohort: Cohort) -> Iterator[dict[str, Value]]:
    """Each patient's features by id; a value that a repair found nowhere says so itself."""
    absent = {(row.subject_id, row.repair_id) for row in cohort.subject_repairs.itertuples() if row.result == ABSENT}
    ids = [f.id for f in study.features]
    for row in cohort.subjects[["subject_id", *ids]].to_dict("records"):
        words = {
            column: repair.absent_value
            for repair in study.repairs
            if (row["subject_id"], repair.id) in absent
            for column in repair.realign
        }
        yield {f.id: explain_gap(row[f.id], words.get(f.column)) for f in study.features}


def build_subject_repair(study: Study, cohort: Cohort) -> pd.DataFrame:
    """A row a repair and patient whose values were moved or are nowhere, with the sentence their page shows."""
    notes = {(r.id, result): note for r in study.repairs for result, note in ((MOVED, r.moved), (ABSENT, r.absent))}
    table = cohort.subject_repairs
    keys = [(str(r), str(result)) for r, result in zip(table["repair_id"], table["result"], strict=True)]
    return table.assign(note=[notes.get(key, "") for key in keys]).query("note != ''")
