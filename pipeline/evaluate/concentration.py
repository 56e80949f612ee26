"""The table `concentration`: how much of everything spent those hold whom a model puts first."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.evaluate.disclosure import SMALLEST_CELL
from pipeline.evaluate.performance import ALL, AllScores, populations_of
from pipeline.evaluate.resampling import draw_weights, summarise_draws
from pipeline.evaluate.scores import Scores
from pipeline.study.model import Study

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

SHARES = (0.01, 0.05, 0.1)
_DRAWS = 400
_DRAWS_AT_ONCE = 50
_COLUMNS = (
    "target_id model_id population share held lower upper held_by_costliest costliest_lower costliest_upper n n_chosen"
)


def build_concentration(study: Study, scores: AllScores, *, scored: Mask | None = None) -> pd.DataFrame:
    """The amounts that the first of each model hold, on `all`; columns as in the contract.

    scores, scored: as for `build_performance`. A share of fewer than SMALLEST_CELL patients, or of an amount of
    nothing, has no row.
    """
    rows: list[tuple[object, ...]] = []
    for target_id, models in scores.items():
        members = populations_of(study, target_id, models, scored=scored)[ALL]
        for model_id, said in models.items():
            if said.amount is not None:
                held = compute_concentration(said[members & said.usable], seed=study.splits.seed)
                rows += [(target_id, model_id, ALL, *row) for row in held]
    return pd.DataFrame(rows, columns=_COLUMNS.split())


def compute_concentration(scores: Scores, *, seed: int) -> list[tuple[float | int, ...]]:
    """share, held with its interval, held_by_costliest with its interval, n, n_chosen; the intervals are of 95%."""
    y, n = scores.observed, len(scores.observed)
    shares = [share for share in SHARES if round(share * n) >= SMALLEST_CELL]
    if not shares or y.sum() <= 0:
        return []
    orders = [np.argsort(-by, kind="stable") for by in (scores.said, y)]
    w = draw_weights(n, draws=_DRAWS, seed=seed)
    parts = np.array_split(w, len(w) // _DRAWS_AT_ONCE)
    held = [np.concatenate([_hold(part[:, order], y[order], shares) for part in parts]) for order in orders]
    return [
        (share, *summarise_draws(held[0][:, i]), *summarise_draws(held[1][:, i]), n, round(share * n))
        for i, share in enumerate(shares)
    ]


def _hold(w: Array, y: Array, shares: list[float]) -> Array:
    """The share of the amounts that the first patients hold, (B, shares); the last of them counts in part if drawn."""
    before = np.cumsum(w, axis=1) - w
    total = w @ y
    return np.column_stack([np.clip(round(s * w.shape[1]) - before, 0, w) @ y / total for s in shares])
