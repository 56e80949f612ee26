"""The tables of groups' totals: `group_effect`, `group_total` and `total_coverage`.

What a selection adds up to varies for two reasons: patients are not all alike (drawn in `totals`), and groups differ
from the cohort beyond that (`group_effects`). Whether both together make good intervals is measured.
"""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binomtest

from pipeline.cohort import Cohort
from pipeline.evaluate.group_effects import Levels, compute_between_sd, selection_sd
from pipeline.evaluate.totals import EventTotals, Totals, build_totals, compute_interval
from pipeline.models.crossfit import CrossFit
from pipeline.study.model import MISSING, Study

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
# Members, and the SD between the levels of each attribute.
_Group = tuple[Mask, Mapping[str, float]]
ALL, RANDOM, ATTRIBUTE = "all", "random", "attribute"
# Levels with fewer events or patients say too little of how levels differ.
_FEWEST = 20
_RANDOM_SIZES = (20, 100, 500)
_RANDOM_GROUPS = 400
# A group of more than half of everybody would leave too few to learn errors from.
_LARGEST_SHARE = 0.5
_COVERAGES = [0.8, 0.9, 0.95]
_EFFECT = ["target_id", "attribute", "sd"]
_TOTAL = ["target_id", "attribute", "level", "n", "n_observed", "projected_total", "lower", "upper", "observed_total"]
_COVERAGE = ["target_id", "group_kind", "size", "level", "coverage", "lower", "upper", "n_groups"]


@dataclass(frozen=True)
class _Case:
    """One target's totals, and the levels of every patient."""

    totals: Totals
    levels: Levels
    seed: int

    @property
    def scored(self) -> Mask:
        return ~np.isnan(self.totals.projected)

    def intervals(
        self, members: Mask, *, effects: Mapping[str, float], pool: Mask, levels: list[float], draw: int = 0
    ) -> list[tuple[float, float]]:
        own, whole = (self.levels.compute_shares(self.totals.projected, chosen) for chosen in (members, pool))
        sd = selection_sd(effects, own, whole)
        rng = np.random.default_rng([self.seed, draw])
        return compute_interval(self.totals, members, between_sd=sd, pool=pool, levels=levels, rng=rng)


def build_group_totals(
    study: Study, fits: Mapping[str, CrossFit], cohort: Cohort, *, scored: Mask | None = None
) -> dict[str, pd.DataFrame]:
    """The tables group_effect, group_total and total_coverage.

    scored: (n,), whom models may score; the others are in no group. Nor is anybody without an estimate.
    """
    attributes = [a.id for a in study.subgroups]
    effects, totals, coverages = [], [], []
    levels = Levels(cohort.subjects[attributes])
    for target_id, of in build_totals(fits, cohort.targets, scored=scored).items():
        case = _Case(of, levels, study.splits.seed)
        sds = compute_effects(case.totals, case.levels)
        effects += [(target_id, attribute, sd) for attribute, sd in sds.items()]
        totals += [(target_id, *row) for row in _totals(study, case, sds)]
        coverages += [(target_id, *row) for row in _coverages(case, sds)]
    return {
        "group_effect": pd.DataFrame(effects, columns=_EFFECT),
        "group_total": pd.DataFrame(totals, columns=_TOTAL).assign(suppressed=False),
        "total_coverage": pd.DataFrame(coverages, columns=_COVERAGE).astype({"size": "Int64"}),
    }


def compute_effects(totals: Totals, levels: Levels, *, left_out: tuple[str, str] | None = None) -> dict[str, float]:
    """For each attribute the SD between its levels; NaN where fewer than two have enough patients and events.

    left_out: an attribute and its level that must not be looked at.
    """
    events = isinstance(totals, EventTotals)
    sds = {}
    for attribute, names in levels.names.items():
        measured = []
        for level in names:
            own = levels.members(attribute, level) & totals.usable
            size = totals.observed[own].sum() if events else own.sum()
            if size >= _FEWEST and (attribute, level) != left_out:
                measured.append(totals.measure(own))
        log_ratios, variances = np.array(measured).reshape(-1, 2).T
        sds[attribute] = compute_between_sd(log_ratios, variances)
    return sds


def _totals(study: Study, case: _Case, effects: Mapping[str, float]) -> Iterator[tuple[object, ...]]:
    declared = [(a.id, level) for a in study.subgroups for level in [*a.levels, MISSING]]
    groups = [(ALL, ALL, case.scored), *((a, v, case.levels.members(a, v) & case.scored) for a, v in declared)]
    pool = case.totals.usable
    for attribute, level, members in groups:
        if not members.any():
            continue
        [(lower, upper)] = case.intervals(members, effects=effects, pool=pool, levels=[0.95])
        own = members & pool
        counts = (int(members.sum()), int(own.sum()), float(case.totals.projected[members].sum()))
        yield (attribute, level, *counts, lower, upper, float(case.totals.observed[own].sum()))


def _coverages(case: _Case, effects: Mapping[str, float]) -> Iterator[tuple[object, ...]]:
    """How often groups whose patients nothing was learnt from lie inside their intervals."""
    kinds: list[tuple[str, int | None, list[_Group]]] = [
        (RANDOM, size, [(members, effects) for members in _random_groups(case, size)]) for size in _RANDOM_SIZES
    ]
    for kind, size, groups in [*kinds, (ATTRIBUTE, None, list(_level_groups(case)))]:
        n = len(groups)
        for level, held in zip(_COVERAGES, _count_inside(case, groups), strict=False):
            interval = binomtest(held, n).proportion_ci(method="wilson")
            yield kind, size, level, held / n, float(interval.low), float(interval.high), n


def _count_inside(case: _Case, groups: list[_Group]) -> list[int]:
    """How many groups lie inside their interval, for each of _COVERAGES; nothing without groups."""

    def is_inside(numbered: tuple[int, _Group]) -> list[bool]:
        i, (members, effects) = numbered
        pool = case.totals.usable & ~members
        observed = case.totals.observed[members].sum()
        intervals = case.intervals(members, effects=effects, pool=pool, levels=_COVERAGES, draw=i)
        return [bool(lower <= observed <= upper) for lower, upper in intervals]

    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        inside = list(threads.map(is_inside, enumerate(groups)))
    return [sum(held) for held in zip(*inside, strict=True)]


def _random_groups(case: _Case, size: int) -> list[Mask]:
    usable = np.flatnonzero(case.totals.usable)
    if size > _LARGEST_SHARE * len(usable):
        return []
    rng = np.random.default_rng([case.seed, size])
    groups = np.zeros((_RANDOM_GROUPS, len(case.scored)), dtype=bool)
    for group in groups:
        group[rng.choice(usable, size, replace=False)] = True
    return list(groups)


def _level_groups(case: _Case) -> Iterator[_Group]:
    """Every level with enough patients, with the effects as they are known without it.

    Of two levels one is left, which says nothing of how they differ: what the other attributes show stands in.
    """
    for attribute, level in [(a, v) for a, names in case.levels.names.items() for v in names]:
        own = case.levels.members(attribute, level) & case.totals.usable
        if _FEWEST <= own.sum() < case.totals.usable.sum():
            without = compute_effects(case.totals, case.levels, left_out=(attribute, level))
            others = np.array([sd for name, sd in without.items() if name != attribute and np.isfinite(sd)])
            stand_in = float(np.sqrt(np.mean(others**2))) if len(others) else 0.0
            yield own, {name: sd if np.isfinite(sd) else stand_in for name, sd in without.items()}
