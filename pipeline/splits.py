"""Who is in which fold. One assignment serves every target, so that no patient is scored by a model that saw them."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import KFold, StratifiedKFold

from pipeline.errors import DataError
from pipeline.study.model import Study

Folds = npt.NDArray[np.int64]


def assign_folds(study: Study, targets: pd.DataFrame) -> Folds:
    """The fold of each row of `targets`, 0 to folds − 1, stratified on the outcomes together.

    Raises:
        DataError: fewer patients than folds.
    """
    splits = study.splits
    if len(targets) < splits.folds * 2:
        raise DataError(
            f"expected at least {splits.folds * 2} patients for {splits.folds} folds",
            got=len(targets),
            mend="use fewer folds or more data",
        )
    outcomes = [t.id for t in study.targets if t.kind == "outcome"]
    strata = _strata(targets[outcomes], folds=splits.folds)
    splitter = StratifiedKFold(n_splits=splits.folds, shuffle=True, random_state=splits.seed)
    folds = np.empty(len(targets), dtype=np.int64)
    for fold, (_, held_out) in enumerate(splitter.split(strata, strata)):
        folds[held_out] = fold
    return folds


def inner_folds(n: int, *, folds: int, seed: int) -> Folds:
    """The inner fold of each of `n` training rows, at random and blind to every outcome."""
    assigned = np.empty(n, dtype=np.int64)
    for fold, (_, held_out) in enumerate(KFold(folds, shuffle=True, random_state=seed).split(np.zeros(n))):
        assigned[held_out] = fold
    return assigned


def _strata(outcomes: pd.DataFrame, *, folds: int) -> npt.NDArray[np.str_]:
    """The combination of outcomes of each row; combinations rarer than the folds are put together."""
    joined = outcomes.map(str).agg("/".join, axis=1) if len(outcomes.columns) else pd.Series("", outcomes.index)
    rare = joined.map(joined.value_counts()) < folds
    joined = joined.mask(rare, "rare")
    # Too few even together: they go with the most frequent combination.
    if 0 < (joined == "rare").sum() < folds:
        joined = joined.mask(joined == "rare", joined.mode().iloc[0])
    return joined.to_numpy(dtype=np.str_)
