"""What our model is compared with beside the baselines of a study: simpler models, and itself with a baseline."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from pipeline.cohort import Cohort
from pipeline.features import Matrix
from pipeline.models.boosting import Boosting
from pipeline.models.combination import Opinion, combine
from pipeline.models.crossfit import CrossFit, cross_fit
from pipeline.models.demographics import demographics_of, predict_from_demographics
from pipeline.models.glass_box import explain_glass_box, one_feature_a_tree
from pipeline.models.readout import Prediction
from pipeline.splits import Folds
from pipeline.study.model import Study, Target

Array = npt.NDArray[np.float64]

OURS = "xgboost"
AGE_SEX_DIAGNOSIS = "age_sex_diagnosis"
GLASS_BOX = "glass_box"
TOGETHER = "xgboost_plus_"


class ModelKind(StrEnum):
    """What a compared model is: ours, used today, simpler, or ours together with what is used today."""

    OURS = "ours"
    BASELINE = "baseline"
    RIVAL = "rival"
    COMBINATION = "combination"


@dataclass(frozen=True)
class Rival:
    """A compared model that was fitted here; `parts` are the ids of the models that a combination is made of."""

    model_id: str
    kind: ModelKind
    label: str
    note: str
    prediction: Prediction
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rivals:
    """The rivals of one target, and the (n, features) contributions of the one that explains itself."""

    models: list[Rival]
    glass_box_contributions: Array


def fit_rivals(
    study: Study, fit: CrossFit, cohort: Cohort, matrix: Matrix, folds: Folds, *, boosting: Boosting
) -> Rivals:
    """The rivals of `fit`, cross-fitted on the same folds and recalibrated on inner folds as it was."""
    target = fit.target
    observed = cohort.targets[target.id].to_numpy(np.float64)
    additive = cross_fit(study, target, matrix, observed, folds, boosting=one_feature_a_tree(boosting))
    models = [
        *_demographics(study, target, cohort, matrix, observed, folds, boosting.inner_folds),
        Rival(
            model_id=GLASS_BOX,
            kind=ModelKind.RIVAL,
            label="Additive model: each feature by itself",
            note="A sum of one step function a feature: what one feature adds never depends on another.",
            prediction=Prediction(additive.margin, additive.estimate, additive.log_prediction, additive.bounds),
        ),
        *_combinations(study, fit, cohort, observed, folds),
    ]
    return Rivals(models=models, glass_box_contributions=explain_glass_box(study, additive, matrix, folds))


def _demographics(
    study: Study, target: Target, cohort: Cohort, matrix: Matrix, observed: Array, folds: Folds, n_inner: int
) -> Iterator[Rival]:
    if known := demographics_of(study):
        listed = " and ".join([", ".join(known[:-1]), known[-1]]) if len(known) > 1 else known[0]
        yield Rival(
            model_id=AGE_SEX_DIAGNOSIS,
            kind=ModelKind.RIVAL,
            label=f"{listed[:1].upper()}{listed[1:]} alone",
            note=f"A regression on {listed}: what is known without a single measurement.",
            prediction=predict_from_demographics(
                study, target, cohort.subjects, matrix, observed, folds, n_inner=n_inner
            ),
        )


def _combinations(study: Study, fit: CrossFit, cohort: Cohort, observed: Array, folds: Folds) -> Iterator[Rival]:
    """Our model with each baseline of its target, and with all of them; without those of whom too few patients have."""
    opinions = [
        Opinion(b, cohort.baselines[b.id].to_numpy(np.float64)) for b in study.baselines if b.target == fit.target.id
    ]
    sets = {o.baseline.id: [o] for o in opinions} | ({"all": opinions} if len(opinions) > 1 else {})
    for name, chosen in sets.items():
        prediction = combine(fit, chosen, observed, folds)
        if np.isfinite(prediction.margin).any():
            yield Rival(
                model_id=f"{TOGETHER}{name}",
                kind=ModelKind.COMBINATION,
                label=f"This model and {_in_a_sentence(chosen)} together",
                note="A logistic regression on what each says, learnt without the patients it is measured on.",
                prediction=prediction,
                parts=(OURS, *(o.baseline.id for o in chosen)),
            )


def _in_a_sentence(opinions: list[Opinion]) -> str:
    if len(opinions) > 1:
        return "all that is used today"
    label = opinions[0].baseline.label
    article, _, rest = label.partition(" ")
    return f"{article.lower()} {rest}" if article in ("A", "An", "The", "Mean") else label
