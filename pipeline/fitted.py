"""Everything learnt from a cohort: folds, who is scored, models, their explanations, and the rivals beside them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.cohort import Cohort
from pipeline.errors import DataError
from pipeline.explain.contributions import Contributions, explain_cross_fit
from pipeline.features import Matrix, build_matrix
from pipeline.models.boosting import Boosting
from pipeline.models.crossfit import CrossFit, cross_fit
from pipeline.models.rivals import Rivals, fit_rivals
from pipeline.scope import join_reasons, judge_rules
from pipeline.splits import Folds, assign_folds
from pipeline.study.model import Kind, Study


@dataclass(frozen=True)
class Fitted:
    """What was learnt; rows are those of the cohort.

    judged: what each rule of the scope says against each patient; refusals: the whole of it in one text; None where
    nothing. fits, explained, rivals: by target.
    """

    matrix: Matrix
    folds: Folds
    judged: pd.DataFrame
    refusals: pd.Series
    fits: dict[str, CrossFit]
    explained: dict[str, Contributions]
    rivals: dict[str, Rivals]

    @property
    def scored(self) -> npt.NDArray[np.bool_]:
        """Who is shown an estimate, (n,)."""
        return np.asarray(self.refusals.isna())

    def mask_refused(self, cohort: Cohort) -> Cohort:
        """The cohort with refused patients' targets as if not observed: what is measured leaves them out."""
        return replace(cohort, targets=cohort.targets[self.scored].reindex(cohort.targets.index))


# Of fewer patients, events or non-events nothing could be told to anybody but those who treat them.
_FEWEST_SCORED = 11


def fit_study(study: Study, cohort: Cohort, boosting: Boosting, step: Callable[[str], None]) -> Fitted:
    """Trains and explains every target of the study, and what its models are compared with.

    Raises:
        DataError: the scope of use leaves too few patients to measure anything on.
    """
    matrix = build_matrix(study, cohort.subjects)
    folds = assign_folds(study, cohort.targets)
    judged = judge_rules(study, cohort, matrix, folds)
    _check_scored(study, judged, cohort.targets)
    classes = cohort.subjects[study.diagnosis].to_numpy(np.str_) if study.diagnosis else None
    fits, explained = {}, {}
    for target in study.targets:
        step(f"Training: {target.label}")
        observed = cohort.targets[target.id].to_numpy(np.float64)
        fits[target.id] = cross_fit(study, target, matrix, observed, folds, boosting=boosting, classes=classes)
        step(f"Explaining: {target.label}")
        explained[target.id] = explain_cross_fit(study, fits[target.id], matrix, folds)
    step("Training what the models are compared with")
    rivals = {t: fit_rivals(study, fit, cohort, matrix, folds, boosting=boosting) for t, fit in fits.items()}
    return Fitted(matrix, folds, judged, join_reasons(judged), fits, explained, rivals)


def _check_scored(study: Study, judged: pd.DataFrame, targets: pd.DataFrame) -> None:
    scored = targets[judged.isna().all(axis=1)]
    for target in study.targets:
        observed = scored[target.id].dropna()
        counts = (
            [int((observed == event).sum()) for event in (0, 1)] if target.kind is Kind.OUTCOME else [len(observed)]
        )
        if min(counts) < _FEWEST_SCORED:
            refusals = ", ".join(f"{rule} {n}" for rule, n in judged.notna().sum().items() if n)
            raise DataError(
                f"expected the scope of use to leave {_FEWEST_SCORED} or more patients to measure {target.label!r} on, "
                "of an outcome as many with and without the event",
                got=f"{min(counts)}; refused are: {refusals}",
                mend="raise `most_missing` or `distance_quantile` in `scope:`, or widen `plausible` ranges",
            )
