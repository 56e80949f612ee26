"""Models on disk: boosters as UBJSON files, and as tables what turns their margins into estimates. No pickle.

With them a new patient's estimate, interval and calibration band are read as those of the cohort were, except for the
interval of a risk: its rebuilds are not kept."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import xgboost as xgb

from pipeline.models.crossfit import FINAL, CrossFit, FittedModel
from pipeline.models.intervals import LEVELS


def save_models(fits: Iterable[CrossFit], folder: Path) -> dict[str, pd.DataFrame]:
    """Writes the models' files into `folder`; returns the tables `model`, `conformal_score` and `calibration_step`."""
    models, scores, steps = [], [], []
    for fit in fits:
        for model in [*fit.models, fit.final]:
            models.append(_row(fit.target.id, model))
            scores += _conformal_rows(fit.target.id, model)
            steps += _calibration_rows(fit.target.id, model)
            # Written by us, so that a full disk is an OSError.
            (folder / model_file(fit.target.id, model.fold)).write_bytes(model.booster.save_raw("ubj"))
            if model.quantiles:
                name = quantile_file(fit.target.id, model.fold)
                (folder / name).write_bytes(model.quantiles.save_raw("ubj"))
    columns = (
        "target_id fold file quantile_file rounds n_train recalibration_intercept recalibration_slope "
        "log_intercept log_slope"
    )
    return {
        "model": pd.DataFrame(models, columns=columns.split()),
        "conformal_score": pd.DataFrame(scores, columns=["target_id", "fold", "diagnosis", "level", "lower", "upper"]),
        "calibration_step": pd.DataFrame(steps, columns=["target_id", "fold", "inner_fold", "end", "margin", "risk"]),
    }


def load_booster(folder: Path, target_id: str, fold: int) -> xgb.Booster:
    """The booster of a release's `models` folder that was trained without `fold` (FINAL: with everybody)."""
    return xgb.Booster(model_file=folder / model_file(target_id, fold))


def load_quantiles(folder: Path, target_id: str, fold: int) -> xgb.Booster:
    """The booster of an amount's quantiles that goes with `load_booster`."""
    return xgb.Booster(model_file=folder / quantile_file(target_id, fold))


def model_file(target_id: str, fold: int) -> str:
    """The name of a model's file."""
    return f"{target_id}_{_fold_name(fold)}.ubj"


def quantile_file(target_id: str, fold: int) -> str:
    """The name of the file of an amount's quantiles."""
    return f"{target_id}_{_fold_name(fold)}_quantiles.ubj"


def _fold_name(fold: int) -> str:
    return "final" if fold == FINAL else f"fold{fold}"


def _row(target_id: str, model: FittedModel) -> tuple[object, ...]:
    log = model.log_recalibration
    return (
        *(target_id, model.fold, f"models/{model_file(target_id, model.fold)}"),
        f"models/{quantile_file(target_id, model.fold)}" if model.quantiles else None,
        *(model.rounds, model.n_train, model.recalibration.intercept, model.recalibration.slope),
        *((log.intercept, log.slope) if log else (None, None)),
    )


def _conformal_rows(target_id: str, model: FittedModel) -> list[tuple[object, ...]]:
    return [
        (target_id, model.fold, diagnosis, *bound)
        for diagnosis, scores in (model.conformal or {}).items()
        for bound in zip(LEVELS, scores.lower, scores.upper, strict=True)
    ]


def _calibration_rows(target_id: str, model: FittedModel) -> list[tuple[object, ...]]:
    return [
        (target_id, model.fold, inner_fold, end, float(margin), float(risk))
        for inner_fold, steps in enumerate(model.calibration.folds if model.calibration else ())
        for end, margins, risks in (("lower", steps.lower_from, steps.lower), ("upper", steps.upper_to, steps.upper))
        for margin, risk in zip(margins, risks, strict=True)
    ]
