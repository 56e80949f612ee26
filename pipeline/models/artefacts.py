"""Models on disk: boosters as UBJSON files, and what turns their margin into an estimate as tables. No pickle."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import xgboost as xgb

from pipeline.models.crossfit import FINAL, CrossFit, FittedModel
from pipeline.models.intervals import LEVELS


def save_models(fits: Iterable[CrossFit], folder: Path) -> dict[str, pd.DataFrame]:
    """Writes a file a model into `folder`; returns the tables `model` and `conformal_score`."""
    models, scores = [], []
    for fit in fits:
        for model in [*fit.models, fit.final]:
            name = model_file(fit.target.id, model.fold)
            # Written by us, so that a full disk is an OSError.
            (folder / name).write_bytes(model.booster.save_raw("ubj"))
            models.append(_row(fit.target.id, model, name))
            scores += _conformal_rows(fit.target.id, model)
    columns = "target_id fold file rounds n_train recalibration_intercept recalibration_slope log_intercept log_slope"
    return {
        "model": pd.DataFrame(models, columns=columns.split()),
        "conformal_score": pd.DataFrame(scores, columns=["target_id", "fold", "level", "lower", "upper"]),
    }


def load_booster(folder: Path, target_id: str, fold: int) -> xgb.Booster:
    """The booster of a release's `models` folder that was trained without `fold` (FINAL: with everybody)."""
    return xgb.Booster(model_file=folder / model_file(target_id, fold))


def model_file(target_id: str, fold: int) -> str:
    """The name of a model's file."""
    return f"{target_id}_{'final' if fold == FINAL else f'fold{fold}'}.ubj"


def _row(target_id: str, model: FittedModel, name: str) -> tuple[object, ...]:
    log = model.log_recalibration
    return (
        *(target_id, model.fold, f"models/{name}", model.rounds, model.n_train),
        *(model.recalibration.intercept, model.recalibration.slope),
        *((log.intercept, log.slope) if log else (None, None)),
    )


def _conformal_rows(target_id: str, model: FittedModel) -> list[tuple[object, ...]]:
    if not model.conformal:
        return []
    bounds = zip(LEVELS, model.conformal.lower, model.conformal.upper, strict=True)
    return [(target_id, model.fold, *bound) for bound in bounds]
