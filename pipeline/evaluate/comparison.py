"""The table `comparison`: our model and others on the same patients and the same bootstrap draws.

A difference between two models is far better known than either model's measure, since both meet the same patients.
"""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.evaluate.disclosure import leave_out_enough
from pipeline.evaluate.draws import count_classes, measure_together
from pipeline.evaluate.resampling import iterate_weights, summarise_draws
from pipeline.evaluate.scores import Scores
from pipeline.models.rivals import OURS, ModelKind, Rivals
from pipeline.study.model import Study

Members = npt.NDArray[np.bool_]

ALL, ALL_BASELINES = "all", "all_baselines"
_DRAWS = 1000
# Fewer patients, events or non-events show no difference, and would tell of single patients.
_FEWEST = 20
_RANKS = ("auroc", "auprc")
_OF_RISKS = (*_RANKS, "brier")
_OF_AMOUNTS = ("r2", "r2_log", "mae")
_LOWER_IS_BETTER = ("brier", "mae")
TOO_FEW = "too few to judge"

_KEYS = ["target_id", "population", "model_id", "other_id", "metric"]
_COLUMNS = [*_KEYS, "difference", "lower", "upper", "n", "n_events", "verdict"]


@dataclass(frozen=True)
class _Match:
    """Pairs of models of one target to compare on the same patients."""

    target_id: str
    population: str
    pairs: list[tuple[str, str]]
    scores: dict[str, Scores]


def build_comparison(
    study: Study,
    scores: Mapping[str, Mapping[str, Scores]],
    rivals: Mapping[str, Rivals],
    *,
    scored: Members,
    draws: int = _DRAWS,
) -> pd.DataFrame:
    """target_id, population, model_id, other_id, metric, difference, lower, upper (95%), n, n_events, verdict.

    Ours against every other model, and each combination against each of its parts. Rivals that speak of everybody are
    compared on `all`, the rest on `all_baselines`. `difference` is that of model_id less that of other_id.

    scores: by target and model id, in row order, `observed` as it is known (also of refused patients);
    scored: (n,) whom our model does not refuse. They alone are in `all`; leaving the refused out of `all_baselines` too
    would flatter us.
    """
    matches = [m for target_id in scores for m in _matches(study, target_id, scores[target_id], rivals, scored)]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        rows = [r for found in pool.map(lambda m: list(_compare(m, draws, study.splits.seed)), matches) for r in found]
    table = pd.DataFrame(rows, columns=_COLUMNS)
    return table.astype({"n": "Int64", "n_events": "Int64"})


def _matches(
    study: Study, target_id: str, scores: Mapping[str, Scores], rivals: Mapping[str, Rivals], scored: Members
) -> Iterator[_Match]:
    models = rivals[target_id].models
    simpler = [m.model_id for m in models if m.kind is ModelKind.RIVAL]
    usable = np.all([scores[i].usable for i in (OURS, *simpler)], axis=0)
    yield _match(target_id, ALL, [(OURS, other) for other in simpler], scores, usable & scored)
    baselines = [b.id for b in study.baselines if b.target == target_id]
    if not baselines:
        return
    together = [m for m in models if m.kind is ModelKind.COMBINATION]
    usable = np.all([s.usable for s in scores.values()], axis=0)
    common = leave_out_enough(usable, scores[OURS].observed, seed=study.splits.seed)
    pairs = [(OURS, other) for other in (*baselines, *(m.model_id for m in together))]
    pairs += [(m.model_id, part) for m in together for part in m.parts]
    yield _match(target_id, ALL_BASELINES, pairs, scores, common)


def _match(
    target_id: str, population: str, pairs: list[tuple[str, str]], scores: Mapping[str, Scores], members: Members
) -> _Match:
    named = {name for pair in pairs for name in pair}
    return _Match(target_id, population, pairs, {name: scores[name][members] for name in scores if name in named})


def _compare(match: _Match, draws: int, seed: int) -> Iterator[tuple[object, ...]]:
    if min(count_classes(match.scores[OURS])) < _FEWEST:
        for one, other, metric in _comparable(match):
            yield (match.target_id, match.population, one, other, metric, None, None, None, None, None, TOO_FEW)
        return
    observed = match.scores[OURS].observed
    n = len(observed)
    events = None if match.scores[OURS].amount else int(observed.sum())
    metrics = {name: _metrics(scores) for name, scores in match.scores.items()}
    measured = measure_together(match.scores, metrics, iterate_weights(n, draws=draws, seed=seed))
    for one, other, metric in _comparable(match):
        difference, lower, upper = summarise_draws(measured[one][metric] - measured[other][metric])
        verdict = _judge(metric, lower, upper)
        yield (match.target_id, match.population, one, other, metric, difference, lower, upper, n, events, verdict)


def _comparable(match: _Match) -> Iterator[tuple[str, str, str]]:
    """Each pair with each metric that both can be measured by."""
    for one, other in match.pairs:
        for metric in _metrics(match.scores[one]):
            if metric in _metrics(match.scores[other]):
                yield one, other, metric


def _metrics(scores: Scores) -> tuple[str, ...]:
    if scores.amount:
        return _OF_AMOUNTS
    return _RANKS if scores.only_ranks else _OF_RISKS


def _judge(metric: str, lower: float, upper: float) -> str:
    """In the sense of good for model_id."""
    if not (np.isfinite(lower) and np.isfinite(upper)):
        return "not estimable"
    if lower <= 0 <= upper:
        return "no difference shown"
    return "better" if (lower > 0) != (metric in _LOWER_IS_BETTER) else "worse"
