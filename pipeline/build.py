"""A release from a study, step by step. Orchestration only: it reads like the way of the data."""

import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from pipeline.cohort import Cohort, build_cohort
from pipeline.errors import DataError
from pipeline.evaluate.assessment import STEPS, Tables, assess
from pipeline.evaluate.disclosure import suppress
from pipeline.evaluate.performance import ALL
from pipeline.evaluate.summary import build_quarantine_count, build_target
from pipeline.explain.patients import build_contribution, build_patient_list, build_prediction, build_subject_repair
from pipeline.fitted import Fitted, fit_study
from pipeline.govern.findings import build_findings
from pipeline.ingest.source import Source, read_source
from pipeline.models.artefacts import save_models
from pipeline.models.boosting import Boosting
from pipeline.models.rivals import OURS
from pipeline.paths import CHECKOUT, STORE
from pipeline.scope import build_scope_rule
from pipeline.settings import Role
from pipeline.splits import assign_folds
from pipeline.store.description import describe_study
from pipeline.store.release import Draft, draft_release, publish, store_salt, writing
from pipeline.store.writer import write_role_file
from pipeline.study.model import Study


def count_steps(study: Study) -> int:
    """How many steps a build of `study` reports."""
    return 4 + STEPS + 2 * len(study.targets)


def check_study(study: Study, *, source_dir: Path | None = None, salt: bytes = b"check") -> Cohort:
    """The cohort of a study, everything validated and nothing trained.

    Raises:
        StudyError, DataError: what a build would stop at before training.
    """
    source = read_source(study, source_dir)
    with closing(source.con):
        cohort = build_cohort(study, source, salt=salt)
    assign_folds(study, cohort.targets)
    return cohort


def build_release(
    study: Study,
    *,
    source_dir: Path | None = None,
    store: Path = STORE,
    boosting: Boosting | None = None,
    step: Callable[[str], None] = lambda name: None,
) -> Path:
    """Builds, verifies and publishes a release of `study`; returns its folder. Nothing is published on any error.

    Raises:
        StudyError, DataError: the study or its data cannot be used; the message says what to mend.
        StoreError: the store cannot be written.
    """
    boosting = boosting or Boosting()
    with draft_release(study.id, store=store) as draft:
        step("Reading and validating")
        source = read_source(study, source_dir)
        with closing(source.con):
            cohort = build_cohort(study, source, salt=store_salt(store))
        fitted = fit_study(study, cohort, boosting, step)
        tables = _describe(study, cohort, fitted, source, draft, boosting)
        tables |= assess(study, cohort, fitted, boosting, step)
        _refuse_suspects(study, tables["performance"])
        step("Writing what patients' pages show")
        tables |= _patient_tables(study, cohort, fitted)
        step("Writing, checking and publishing")
        with writing(store):
            tables |= save_models(fitted.fits.values(), draft.models)
            for role in Role:
                seen = _as_seen_by(role, tables, store_salt(store))
                write_role_file(draft.file_of(role), seen | {"finding": build_findings(seen)}, study, role)
            origin = {"study_id": study.id, "sources": source.files, "code_version": code_version()}
            return publish(draft, study, origin | {"boosting": asdict(boosting)})


def code_version() -> str:
    """The version of the code, with its commit where the checkout has one; "+changed" where files differ from it."""
    number = version("wardlight")
    commit = _git("rev-parse", "--short=12", "HEAD")
    if not commit:
        return number
    return f"{number} {commit}" + ("+changed" if _git("status", "--porcelain", "--untracked-files=no") else "")


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False)  # noqa: S603, S607
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _describe(study: Study, cohort: Cohort, fitted: Fitted, source: Source, draft: Draft, boosting: Boosting) -> Tables:
    release = {
        "release_id": draft.release_id,
        "study_id": study.id,
        "study_title": study.title,
        "short_title": study.short_title,
        "era": study.era,
        "created_at": datetime.now(UTC).replace(tzinfo=None),
        "data_sha256": source.sha256,
        "study_sha256": study.sha256,
        "code_version": code_version(),
        "seed": study.splits.seed,
        "n_subjects": len(cohort.subjects),
        "refits": boosting.refits,
        "quick": boosting.refits == 0,
    }
    return {
        "release": pd.DataFrame([release]),
        "attrition": cohort.attrition.rename_axis("position").reset_index(),
        "repair": cohort.repairs,
        "quarantine": cohort.quarantine,
        "quarantine_count": build_quarantine_count(cohort.quarantine).assign(suppressed=False),
        "scope_rule": build_scope_rule(study, fitted.judged).assign(suppressed=False),
        "target": build_target(study, fitted.fits, fitted.mask_refused(cohort)),
        **describe_study(study, cohort.subjects),
    }


def _patient_tables(study: Study, cohort: Cohort, fitted: Fitted) -> Tables:
    baselines = pd.concat([cohort.subjects["subject_id"], cohort.baselines], axis=1)
    long = baselines.melt("subject_id", var_name="model_id").dropna(subset=["value"])
    return {
        "subject": pd.concat([cohort.subjects, cohort.targets], axis=1),
        "subject_repair": build_subject_repair(study, cohort),
        "baseline_prediction": long.assign(target_id=long["model_id"].map({b.id: b.target for b in study.baselines})),
        "prediction": build_prediction(fitted.fits, cohort, fitted.folds, fitted.refusals),
        "contribution": build_contribution(study, fitted.explained, cohort, fitted.refusals),
        "patient_list": build_patient_list(study, cohort, fitted.fits, fitted.explained, fitted.refusals),
    }


def _as_seen_by(role: Role, tables: Tables, salt: bytes) -> Tables:
    return tables if role is Role.CLINICIAN else suppress(tables, salt=salt)


def _refuse_suspects(study: Study, performance: pd.DataFrame) -> None:
    """Passes unless a target is predicted better than the study holds possible without a leak."""
    chosen = (performance["model_id"] == OURS) & (performance["population"] == ALL) & (performance["metric"] == "auroc")
    reached = dict(zip(performance.loc[chosen, "target_id"], performance.loc[chosen, "estimate"], strict=True))
    for target in study.targets:
        if target.suspect_above and reached[target.id] > target.suspect_above:
            raise DataError(
                f"expected an AUROC of at most {target.suspect_above:g} for {target.label!r}, where a leak is likelier",
                got=f"{reached[target.id]:.3f}",
                mend="look for a feature that knows the future; raise `suspect_above` only with a reason",
            )
