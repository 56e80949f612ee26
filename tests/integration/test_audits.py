"""The audits on the whole of SUPPORT2: they find by themselves what people found, and nothing in what is mended."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.build import check_study
from pipeline.cohort import Cohort
from pipeline.evaluate.coherence import build_coherence_audit
from pipeline.evaluate.leaks import build_leak_audit
from pipeline.features import build_matrix
from pipeline.models.boosting import Boosting
from pipeline.models.crossfit import cross_fit
from pipeline.splits import assign_folds
from pipeline.study import Study, load_study

pytestmark = pytest.mark.acceptance

DISABILITY = ["<2 mo. follow-up", "no(M2 and SIP pres)", "adl>=4 (>=5 if sur)", "SIP>=30", "Coma or Intub"]


def _changed(study: Study, **changes: Any) -> Study:
    return Study.model_validate({**study.model_dump(), "folder": study.folder, **changes})


def _with_feature(study: Study, column: str) -> Study:
    """`study` with an excluded column as a feature; a target that is made from it has to go."""
    feature: dict[str, Any] = {"id": column, "label": column, "concept": "More", "kind": "number"}
    if column == "sfdm2":
        feature |= {"kind": "category", "levels": {level: level for level in DISABILITY}}
    sections = study.model_dump()
    return _changed(
        study,
        features=[*sections["features"], feature],
        excluded=[e for e in sections["excluded"] if e["column"] != column],
        targets=[t for t in sections["targets"] if t["id"] != "bed_days" or column != "slos"],
    )


def _leaks(study: Study) -> pd.DataFrame:
    cohort = check_study(study)
    matrix, folds = build_matrix(study, cohort.subjects), assign_folds(study, cohort.targets)
    quick = Boosting(max_rounds=150, learning_rate=0.1, inner_folds=3, refits=1)
    fits = {
        t.id: cross_fit(study, t, matrix, cohort.targets[t.id].to_numpy(np.float64), folds, boosting=quick)
        for t in study.targets
    }
    return build_leak_audit(study, cohort, fits, matrix, folds)


# A model of displaced values is so much the poorer that what physicians knew adds more than a finding would.
@pytest.mark.parametrize(("name", "tell_more"), [("support2", set()), ("support2-as-filed", {"prg2m", "prg6m"})])
def test_no_feature_of_the_shipped_studies_knows_the_future(name: str, tell_more: set[str]) -> None:
    audit = _leaks(load_study(name))
    assert audit.loc[audit["finding"], "why"].tolist() == []
    left_out = set(audit.loc[audit["why"].notna(), "column_name"])
    assert {"adlp", "dnr", "dnrday", "sfdm2", "slos", "d.time", "charges"} <= left_out
    honest = {"sps", "aps", "surv2m", "surv6m", "prg2m", "prg6m", "race", "income", "edu", "adls"}
    assert left_out & honest <= tell_more


@pytest.mark.parametrize(
    ("column", "sign"),
    [
        ("adlp", "being missing predicts the outcome"),
        ("dnrday", "it equals slos"),
        ("sfdm2", "the value “<2 mo. follow-up” occurs almost only where a patient died"),
        ("avtisst", "it tells more than a finding of index time plausibly can"),
        ("slos", "it equals d.time"),
    ],
)
def test_a_column_that_knows_the_future_is_found(column: str, sign: str) -> None:
    audit = _leaks(_with_feature(load_study("support2"), column))
    found = audit[audit["finding"]]
    assert set(found["column_name"]) == {column}
    assert found["why"].str.contains(sign, regex=False).any()


def test_the_repaired_study_is_coherent() -> None:
    study = load_study("support2")
    audit = build_coherence_audit(study, check_study(study))
    assert {"aps ~ 12 columns", "sps ~ 12 columns"} <= set(audit["relation"])
    assert {"rows", "site", "phase"} == set(audit["block_kind"])
    assert audit.loc[audit["finding"], "why"].tolist() == []


def test_phase_one_is_coherent_as_it_was_filed() -> None:
    study = load_study("support2-as-filed")
    audit = build_coherence_audit(study, _only_phase(check_study(study), "I"))
    assert audit.loc[audit["finding"], "why"].tolist() == []


def _only_phase(cohort: Cohort, phase: str) -> Cohort:
    own = (cohort.subjects["phase"] == phase).to_numpy()
    frames = {
        name: getattr(cohort, name)[own].reset_index(drop=True)
        for name in ("subjects", "targets", "baselines", "not_given")
    }
    return Cohort(**{**vars(cohort), **frames})


@pytest.mark.parametrize("told", [True, False])
def test_the_displacement_is_found_whether_or_not_the_study_tells_what_to_look_at(told: bool) -> None:
    study = load_study("support2-as-filed")
    study = study if told else _changed(study, known_relations=[])
    audit = build_coherence_audit(study, check_study(study))
    found = audit[audit["finding"]]
    in_rows = found[found["block_kind"] == "rows"]
    # No block that lies within phase I, and within phase II those from where the lag begins.
    phase_one = [(1, 832), (1590, 2413), (3233, 4279), (5816, 6731), (7747, 8428)]
    for first, last in zip(in_rows["first_row"], in_rows["last_row"], strict=True):
        assert not any(start <= first and last <= end for start, end in phase_one)
    assert ("phase", "II") in set(zip(found["block_kind"], found["block"], strict=True))
    assert {47, 73} <= set(in_rows["best_lag"])
    if told:
        assert 14 in set(in_rows["best_lag"])
        assert in_rows["block"].nunique() >= 20
