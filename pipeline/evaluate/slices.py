"""The slice finder: groups of up to three conditions where a model is furthest off, found in one half of the patients
and confirmed in the other.

The worst of so many groups are worst partly by chance, so that only the other half says how far off they are. Chung and
others (2019, doi:10.1109/ICDE.2019.00139) search conjunctions likewise for where a model is poor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import false_discovery_control, norm

from pipeline.cohort import Cohort
from pipeline.evaluate.conditions import Condition, build_conditions
from pipeline.evaluate.resampling import draw_weights, summarise_draws
from pipeline.evaluate.totals import EventTotals, Mask, Totals, build_totals
from pipeline.models.crossfit import CrossFit
from pipeline.study.model import Study

Array = npt.NDArray[np.float64]
Group = tuple[int, ...]
_SLICE = ["conditions", "n_conditions", "metric", "found_estimate", "estimate", "lower", "upper", "n", "n_events"]
_SLICE += ["p_value", "q_value"]
_POSITIONS = ["first", "second", "third"]
_NO_GROUPS = pd.DataFrame(columns=[*_POSITIONS, "score", "ratio"]).astype(float)
_SEARCH = ["conditions_searched", "groups_searched", "tried", "confirmed", "fewest"]
FEWEST_PATIENTS, FEWEST_EVENTS = 100, 20
# A ratio within these bounds is not worth a finding.
_BOUNDS = (0.8, 1.25)
_TRIED = 20
# Of so many of the most deviant groups those tried are chosen; most of them say the same in other words.
_LOOKED_AT = 2000
_MOST_ALIKE = 0.7
# A group with fewer conditions is preferred to one that deviates hardly more.
_AS_DEVIANT = 0.9
_FALSE_DISCOVERIES = 0.10
_DRAWS = 400
# Beyond so many SDs a single bill says no more than that it is high.
_WINSORISED_AT = 3.0


def build_slices(
    study: Study, fits: Mapping[str, CrossFit], cohort: Cohort, *, scored: Mask | None = None
) -> dict[str, pd.DataFrame]:
    """The tables slice (confirmed ones alone) and slice_search; `scored`: (n,), whom models may score."""
    conditions = build_conditions(study, cohort.subjects, fewest=FEWEST_PATIENTS)
    half = np.random.default_rng(study.splits.seed).permutation(len(cohort.subjects)) % 2 == 0
    slices, searches = [], []
    for target_id, totals in build_totals(fits, cohort.targets, scored=scored).items():
        confirmed, search = find_slices(totals, conditions, half=half, seed=study.splits.seed)
        confirmed.insert(0, "rank", np.arange(1, len(confirmed) + 1))
        slices.append(confirmed.assign(target_id=target_id))
        searches.append({"target_id": target_id, **search})
    return {
        "slice": _in_order(slices, ["target_id", "rank", *_SLICE]).astype({"n_events": "Int64"}),
        "slice_search": pd.DataFrame(searches, columns=["target_id", *_SEARCH]),
    }


def find_slices(
    totals: Totals, conditions: Sequence[Condition], *, half: Mask, seed: int
) -> tuple[pd.DataFrame, dict[str, int]]:
    """The confirmed slices, most deviant first, and what was searched.

    half: (n,), the patients that are searched; the others confirm. Columns as in the tables, without target_id, rank.
    """
    groups = search_groups(totals, conditions, among=half & totals.usable)
    chosen = _choose(groups, totals, conditions, among=half & totals.usable)
    rest = ~half & totals.usable
    tried = [g for g in chosen if is_large(totals, members_of(g, conditions) & rest)]
    rows = [_confirm(g, totals, conditions, among=half & totals.usable, rest=rest, seed=seed) for g in tried]
    table = pd.DataFrame(rows, columns=_SLICE[:-1])
    table["q_value"] = false_discovery_control(table["p_value"].to_numpy(np.float64)) if rows else table["p_value"]
    confirmed = table[_is_confirmed(table)] if rows else table
    search = {
        "conditions_searched": len(conditions),
        "groups_searched": len(groups),
        "tried": len(tried),
        "confirmed": len(confirmed),
        "fewest": FEWEST_PATIENTS,
    }
    return confirmed.reset_index(drop=True), search


def search_groups(totals: Totals, conditions: Sequence[Condition], *, among: Mask) -> pd.DataFrame:
    """first, second, third (positions of conditions; equal where a group has fewer), score, ratio: every large group.

    among: (n,). score: observed less projected over its SD (amounts: of winsorised residuals); ratio: observed over
    projected.
    """
    if not conditions or not among.any():
        return _NO_GROUPS
    members = np.column_stack([c.members[among] for c in conditions]).astype(np.float32)
    apart = ~np.array([[a.excludes(b) for b in conditions] for a in conditions])
    weights = _weights(totals, among)
    found = [
        _search_with(i, members, weights, apart, events=isinstance(totals, EventTotals)) for i in range(len(apart))
    ]
    return pd.concat([f for f in found if len(f)] or [_NO_GROUPS], ignore_index=True)


def members_of(group: Group, conditions: Sequence[Condition]) -> Mask:
    """(n,): for whom all conditions of the group hold."""
    members: Mask = np.logical_and.reduce([conditions[i].members for i in group])
    return members


def is_large(totals: Totals, members: Mask) -> bool:
    """Whether a group has enough patients and, of an outcome, enough with and without the event."""
    n = int(members.sum())
    if not isinstance(totals, EventTotals):
        return n >= FEWEST_PATIENTS
    events = totals.observed[members].sum()
    return bool(n >= FEWEST_PATIENTS and min(events, n - events) >= FEWEST_EVENTS)


@dataclass(frozen=True)
class _Weights:
    """What is summed over a group, each (patients,): observed, projected, deviation, and the deviation's variance."""

    observed: Array
    projected: Array
    deviation: Array
    variance: Array


def _weights(totals: Totals, among: Mask) -> _Weights:
    observed, projected, variance = totals.observed[among], totals.projected[among], totals.variance[among]
    deviation = observed - projected
    if not isinstance(totals, EventTotals):
        sd = np.sqrt(np.maximum(variance, np.finfo(float).tiny))
        deviation = np.clip(deviation / sd, -_WINSORISED_AT, _WINSORISED_AT)
        deviation = deviation - deviation.mean()
        variance = np.full(len(deviation), max(float(deviation.var()), np.finfo(float).tiny))
    return _Weights(observed, projected, deviation, variance)


def _search_with(
    first: int, members: npt.NDArray[np.float32], weights: _Weights, apart: Mask, *, events: bool
) -> pd.DataFrame:
    """Every large group whose first condition is `first`, alone or with one or two later ones."""
    own = members[:, first] > 0
    later = members[own][:, first:]

    def total(of: Array) -> Array:
        sums: Array = (later.T @ (later * of[own, None].astype(np.float32))).astype(np.float64)
        return sums

    n = np.rint(total(np.ones(len(own))))
    observed = total(weights.observed)
    large = n >= FEWEST_PATIENTS
    if events:
        large &= (observed > FEWEST_EVENTS - 0.5) & (n - observed > FEWEST_EVENTS - 0.5)
    second, third = np.nonzero(large & _are_groups(apart[first:, first:]))
    with np.errstate(invalid="ignore", divide="ignore"):
        score = total(weights.deviation) / np.sqrt(total(weights.variance))
        ratio = observed / total(weights.projected)
    at = (second, third)
    positions = {"first": first, "second": first + second, "third": first + third}
    return pd.DataFrame({**positions, "score": score[at], "ratio": ratio[at]}).dropna()


def _are_groups(apart: Mask) -> Mask:
    """Which (second, third) make a new group with the first of these conditions.

    (0, 0) is the first alone, (0, j) a pair, (i, j) with i < j three; those of the same thing are none.
    """
    allowed: Mask = np.triu(apart, k=1) & apart[0][:, None] & apart[0][None, :]
    allowed[0] = apart[0]
    allowed[0, 0] = True
    return allowed


def _choose(groups: pd.DataFrame, totals: Totals, conditions: Sequence[Condition], *, among: Mask) -> list[Group]:
    """The most deviant groups beyond the bounds that are not much the same patients."""
    high, low = groups["ratio"] > _BOUNDS[1], groups["ratio"] < _BOUNDS[0]
    # Winsorised residuals may point the other way than a ratio that rests on a few high bills.
    beyond = groups[(high & (groups["score"] > 0)) | (low & (groups["score"] < 0))]
    scores = _Scorer(beyond)
    order = np.argsort(-beyond["score"].abs().to_numpy(), kind="stable")[:_LOOKED_AT]
    chosen: list[Group] = []
    taken: list[Mask] = []
    for positions in beyond[_POSITIONS].to_numpy()[order].tolist():
        group = scores.simplify(tuple(sorted(set(positions))))
        members = members_of(group, conditions) & among
        if all((members & other).sum() < _MOST_ALIKE * (members | other).sum() for other in taken):
            chosen.append(group)
            taken.append(members)
        if len(chosen) == _TRIED:
            break
    return chosen


class _Scorer:
    """The scores of groups by their conditions; 0 for any other."""

    def __init__(self, groups: pd.DataFrame) -> None:
        positions = map(tuple, groups[_POSITIONS].to_numpy().tolist())
        self._scores: dict[Group, float] = dict(zip(positions, groups["score"], strict=True))

    def simplify(self, group: Group) -> Group:
        """The part of the group with the fewest conditions that deviates about as much, or the group."""
        own = self._score(group)
        for size in range(1, len(group)):
            parts = [p for p in combinations(group, size) if self._score(p) * np.sign(own) >= _AS_DEVIANT * abs(own)]
            if parts:
                return max(parts, key=lambda part: abs(self._score(part)))
        return group

    def _score(self, group: Group) -> float:
        padded = (group[0],) * (3 - len(group)) + group
        return self._scores.get(padded, 0.0)


def _confirm(
    group: Group, totals: Totals, conditions: Sequence[Condition], *, among: Mask, rest: Mask, seed: int
) -> tuple[object, ...]:
    """The row of a group: its ratio where it was found, and with interval and p-value in the other half."""
    events = isinstance(totals, EventTotals)
    members = members_of(group, conditions)
    found, own = members & among, members & rest
    w = draw_weights(int(own.sum()), draws=_DRAWS, seed=seed)
    ratios = (w @ totals.observed[own]) / (w @ totals.projected[own])
    at_first = totals.observed[found].sum() / totals.projected[found].sum()
    if not events:
        ratios, at_first = 1 / ratios, 1 / at_first
    estimate, lower, upper = summarise_draws(ratios)
    p_value = 2 * norm.sf(abs(np.log(estimate)) / max(float(np.std(np.log(ratios[1:]))), np.finfo(float).tiny))
    words = " · ".join(conditions[i].words for i in group)
    metric = "observed_expected" if events else "predictive_ratio"
    counts = (int(own.sum()), int(totals.observed[own].sum()) if events else None)
    return words, len(group), metric, float(at_first), estimate, lower, upper, *counts, float(p_value)


def _is_confirmed(table: pd.DataFrame) -> pd.Series:
    above = (table["found_estimate"] > 1) & (table["estimate"] > _BOUNDS[1]) & (table["lower"] > 1)
    below = (table["found_estimate"] < 1) & (table["estimate"] < _BOUNDS[0]) & (table["upper"] < 1)
    return (above | below) & (table["q_value"] <= _FALSE_DISCOVERIES)


def _in_order(tables: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    full = [table for table in tables if len(table)]
    return pd.concat(full, ignore_index=True)[columns] if full else pd.DataFrame(columns=columns)
