"""The tables of single patients: their estimates, contributions, and what the list shows."""

from collections.abc import Iterator, Mapping

import pandas as pd

from pipeline.cohort import Cohort, mask_missing
from pipeline.explain.contributions import Contributions
from pipeline.explain.words import Value, describe_subject, explain_gap, list_reasons
from pipeline.ingest.repair import ABSENT, MOVED
from pipeline.models.crossfit import CrossFit
from pipeline.splits import Folds
from pipeline.study.model import Study

_BOUNDS = ["lower_80", "upper_80", "lower_90", "upper_90"]


def build_prediction(fits: Mapping[str, CrossFit], cohort: Cohort, folds: Folds) -> pd.DataFrame:
    """A row a patient and target; everybody is scored, by the fold that did not see them."""
    tables = [
        pd.DataFrame(
            {
                "subject_id": cohort.subjects["subject_id"],
                "target_id": target_id,
                "status": "scored",
                "reason": None,
                "margin": fit.margin,
                "estimate": fit.estimate,
                "interval_kind": str(fit.interval_kind),
                "fold": folds,
                **{name: fit.bounds[:, i] for i, name in enumerate(_BOUNDS)},
            }
        )
        for target_id, fit in fits.items()
    ]
    return pd.concat(tables, ignore_index=True)


def build_contribution(study: Study, explained: Mapping[str, Contributions], cohort: Cohort) -> pd.DataFrame:
    """A row a patient and target: subject_id, target_id, base_value, and a contribution a feature."""
    tables = []
    for target_id, contributions in explained.items():
        table = pd.DataFrame(contributions.by_feature, columns=[f.id for f in study.features])
        table.insert(0, "subject_id", cohort.subjects["subject_id"])
        table.insert(1, "target_id", target_id)
        table.insert(2, "base_value", contributions.base)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def build_patient_list(
    study: Study, cohort: Cohort, fits: Mapping[str, CrossFit], explained: Mapping[str, Contributions]
) -> pd.DataFrame:
    """A row a patient: headline, age, sex, diagnosis, gaps, and for every target estimate, 90% interval and reasons."""
    subjects = cohort.subjects
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
    }
    for target_id, fit in fits.items():
        table[f"{target_id}_estimate"] = fit.estimate
        table[f"{target_id}_lower_90"] = fit.bounds[:, 2]
        table[f"{target_id}_upper_90"] = fit.bounds[:, 3]
        rows = zip(values, explained[target_id].by_feature, strict=True)
        table[f"{target_id}_reasons"] = [list_reasons(study, v, c) for v, c in rows]
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
