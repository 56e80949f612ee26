"""The table `net_benefit_curve`: what deciding by a risk is worth at every threshold of the study's range."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.evaluate.disclosure import SMALLEST_CELL
from pipeline.evaluate.performance import ALL, ALL_BASELINES, DRAWS, AllScores, populations_of, tells_of_enough
from pipeline.evaluate.resampling import draw_counts, summarise_draws
from pipeline.evaluate.risk_bins import bin_risks
from pipeline.evaluate.scores import Scores
from pipeline.models.rivals import OURS
from pipeline.study.model import Kind, Study

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_STEPS = 25
_NEAREST_TO_CERTAIN = 0.01
_COLUMNS = "target_id model_id population threshold net_benefit lower upper treat_all n n_events"


def build_net_benefit_curve(study: Study, scores: AllScores, *, scored: Mask | None = None) -> pd.DataFrame:
    """The curve of our model on `all`, and of every model with risks on `all_baselines`; columns as in the contract.

    scores, scored: as for `build_performance`.
    """
    rows: list[tuple[object, ...]] = []
    for target in study.targets:
        thresholds = threshold_range(study, target.id)
        if target.kind is not Kind.OUTCOME or thresholds is None:
            continue
        for population, model_id, said in risks_by_population(study, target.id, scores, scored=scored):
            curve = compute_net_benefit(said, thresholds, seed=study.splits.seed)
            rows += [(target.id, model_id, population, *row) for row in curve]
    return pd.DataFrame(rows, columns=_COLUMNS.split())


def threshold_range(study: Study, target_id: str) -> Array | None:
    """The thresholds of the curve: over the study's range, or around the thresholds it names; None without either."""
    if target_id in study.net_benefit:
        low, high = study.net_benefit[target_id]
    elif named := study.thresholds.get(target_id):
        low, high = min(named) / 2, max(named) * 1.5
    else:
        return None
    return np.linspace(max(low, _NEAREST_TO_CERTAIN), min(high, 1 - _NEAREST_TO_CERTAIN), _STEPS)


def risks_by_population(
    study: Study, target_id: str, scores: AllScores, *, scored: Mask | None = None
) -> list[tuple[str, str, Scores]]:
    """Population, model and what it says of those whose target is known, where a curve would not tell of a few."""
    models = scores[target_id]
    populations = populations_of(study, target_id, models, scored=scored)
    found = []
    for population in (ALL, ALL_BASELINES):
        for model_id, said in models.items():
            if population in populations and not said.only_ranks and (population != ALL or model_id == OURS):
                own = said[populations[population] & said.usable]
                if tells_of_enough(own):
                    found.append((population, model_id, own))
    return found


def compute_net_benefit(scores: Scores, thresholds: Array, *, seed: int) -> list[tuple[float | int, ...]]:
    """threshold, net benefit with its 95% interval, treat_all, n, n_events (Vickers & Elkin 2006).

    Net benefit is NaN where fewer than SMALLEST_CELL are flagged or left, with the event or without it.
    """
    y, p = scores.observed, scores.said
    bins = bin_risks(y, p, split_at=thresholds)
    drawn = bins.tally(draw_counts(bins.counts, draws=DRAWS, seed=seed))
    n, events = len(y), int(y.sum())
    rows: list[tuple[float | int, ...]] = []
    for threshold in thresholds:
        above, odds = bins.risks >= threshold, threshold / (1 - threshold)
        true, false = drawn.events[:, above].sum(axis=1), drawn.others[:, above].sum(axis=1)
        smallest = min(true[0], events - true[0], false[0], n - events - false[0])
        value = summarise_draws((true - odds * false) / n) if smallest >= SMALLEST_CELL else (np.nan,) * 3
        rows.append((float(threshold), *value, float((events - odds * (n - events)) / n), n, events))
    return rows
