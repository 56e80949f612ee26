"""The coherence audit: in every block of rows, period and site, columns that belong together must still do so.

Where a block of columns has slipped against the others, every column keeps its own distribution, so that a look at one
column at a time finds nothing; what is lost is how columns go together. It comes back a few rows further up or down.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost as xgb
from scipy.signal import correlate
from scipy.stats import norm, rankdata

from pipeline.cohort import Cohort
from pipeline.evaluate.columns import TARGET, Column, excluded_columns, feature_columns
from pipeline.numerals import format_count, format_number
from pipeline.study.model import MISSING, Study

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

BY_ROWS = "rows"
LAGS = np.arange(-200, 201)
# Enough for a correlation of 0.5 to stand out against none, few enough to tell where a fault begins.
_ROWS_A_BLOCK = 200
_FEWEST_ROWS = 100
# What is weaker in most blocks is not a relation that could be said to be lost.
_WEAKEST_RELATION = 0.2
# Sites and periods differ somewhat. Lost is what keeps less than a third of its strength (on Fisher's scale).
_KEPT_SHARE = 1 / 3
# The share of all tables of an intact file that have one finding or more.
_FALSE_ALARM = 0.01
# Half of the rows may be displaced: what is usual is read from the better blocks, and its spread above it.
_USUAL, _HIGH = 0.70, 0.95
# Where more of what explains is missing, nothing can be said of how it goes together.
_MOST_MISSING = 0.5
_FOLDS = 4
_BOOSTING = {
    "objective": "reg:squarederror",
    "tree_method": "hist",
    "learning_rate": 0.15,
    "max_depth": 3,
    "min_child_weight": 10.0,
    "max_bin": 64,
    "nthread": 1,
}
_ROUNDS = 50
_AT_ZERO = int(np.flatnonzero(LAGS == 0)[0])
_ABOVE_MEAN = float(norm.ppf(_USUAL))
_HIGH_TO_USUAL = float(norm.ppf(_HIGH)) - _ABOVE_MEAN
_FLAT = 1e-9
_AS_ELSEWHERE = 0.75
_SURE_OF_LAG = float(norm.isf(_FALSE_ALARM / 2 / len(LAGS)))
_PERFECT = 0.999
_COLUMNS = {
    **dict.fromkeys(("relation", "block_kind", "block"), "str"),
    **dict.fromkeys(("first_row", "last_row"), "int64"),
    "n": "Int64",
    **dict.fromkeys(("association", "expected", "expected_lower", "expected_upper"), "float64"),
    **{"best_lag": "Int64", "association_at_best_lag": "float64", "finding": "bool", "why": "string"},
}


@dataclass(frozen=True)
class _Relation:
    """Columns that others explain, and how a sentence names both sides."""

    name: str
    explained: str
    by: str
    targets: list[Column]
    sources: list[Column]


@dataclass(frozen=True)
class _Block:
    kind: str
    label: str
    rows: Rows


def build_coherence_audit(study: Study, cohort: Cohort) -> pd.DataFrame:
    """One row a relation and block; rows are numbered from 1, in the order of the source.

    Relations: what the study declares, each concept from the other features, and the targets from each concept. Each
    is predicted by trees grown on other blocks of rows. A block's correlation of ranks is compared with what is usual
    in blocks (less where its predictions spread less), and with its own at a lag of −200 to 200 rows. Relations that
    hardly exist are left out.
    """
    relations, blocks = list(_relations(study, cohort)), list(_blocks(study, cohort))
    folds = _folds(len(cohort.subjects))
    limit = float(norm.isf(_FALSE_ALARM / 2 / max(1, len(relations) * len(blocks))))
    limit_lag = float(norm.isf(_FALSE_ALARM / 2 / max(1, len(relations) * len(blocks) * len(LAGS))))

    def audit(relation: _Relation) -> list[tuple[object, ...]]:
        return list(_audit(relation, blocks, folds, limit=limit, limit_lag=limit_lag))

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        rows = [row for part in pool.map(audit, relations) for row in part]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


def _blocks(study: Study, cohort: Cohort) -> Iterator[_Block]:
    n = len(cohort.subjects)
    for rows in np.array_split(np.arange(n), max(1, n // _ROWS_A_BLOCK)):
        yield _Block(BY_ROWS, f"{rows[0] + 1} to {rows[-1] + 1}", rows)
    for attribute_id in dict.fromkeys(v.attribute for v in study.validation):
        levels = cohort.subjects[attribute_id].to_numpy()
        for level in [*study.attribute(attribute_id).levels, MISSING]:
            rows = np.flatnonzero(levels == level)
            if len(rows) >= _FEWEST_ROWS:
                yield _Block(attribute_id, level, rows)


def _folds(n: int) -> Rows:
    """Neighbouring rows share a fold, so that no displaced row is explained by one that its values belong to."""
    return np.minimum(np.arange(n) // _ROWS_A_BLOCK, max(0, n // _ROWS_A_BLOCK - 1)) % _FOLDS


def _relations(study: Study, cohort: Cohort) -> Iterator[_Relation]:
    features = feature_columns(study, cohort)
    known = {c.name: c for c in [*excluded_columns(study, cohort), *features]}
    for relation in study.known_relations:
        sources = [known[c] for c in relation.by if c in known]
        explained = known.get(relation.explained)
        if explained and explained.ordered and sources:
            number = f"{len(sources)} column{'s' * (len(sources) > 1)}"
            by = f"the {number} it is made from"
            yield _Relation(f"{relation.explained} ~ {number}", relation.explained, by, [explained], sources)
    concepts = {f.column: f.concept for f in study.features}
    targets = [Column(t.id, TARGET, True, cohort.targets[t.id].to_numpy(np.float64)) for t in study.targets]
    for concept in study.concepts:
        own = [c for c in features if concepts[c.name] == concept]
        others = [c for c in features if concepts[c.name] != concept]
        if others and (ordered := [c for c in own if c.ordered]):
            yield _Relation(f"{concept} ~ the other features", f"“{concept}”", "the other features", ordered, others)
        yield _Relation(f"targets ~ {concept}", "what happened to patients", f"“{concept}”", targets, own)


def _predict(sources: list[Column], actual: Array, folds: Rows) -> Array:
    """What trees grown on the other folds say of each row, (n,); NaN where too little is known to say anything."""
    matrix = np.column_stack([c.coded for c in sources])
    kinds = ["q" if c.ordered else "c" for c in sources]
    silent = np.isnan(matrix).mean(axis=1) > _MOST_MISSING
    predicted = np.full(len(actual), np.nan)
    for fold in np.unique(folds):
        train, own = ~np.isnan(actual) & ~silent & (folds != fold), ~silent & (folds == fold)
        if train.sum() < _FEWEST_ROWS or not own.any():
            continue
        data = xgb.DMatrix(matrix[train], label=actual[train], feature_types=kinds, enable_categorical=True)
        booster = xgb.train(_BOOSTING, data, num_boost_round=_ROUNDS)
        predicted[own] = booster.predict(xgb.DMatrix(matrix[own], feature_types=kinds, enable_categorical=True))
    return predicted


def _ranks(values: Array) -> Array:
    """Ranks from −½ to ½; NaN stays."""
    ranks = rankdata(values, nan_policy="omit") / max(1, int(np.sum(~np.isnan(values)))) - 0.5
    return np.asarray(ranks, dtype=np.float64)


@dataclass(frozen=True)
class _Pairs:
    """Of a block and a column: how many pairs, the correlation of actual and predicted, the latter's spread; by lag."""

    n: Array
    correlation: Array
    spread: Array


def _fisher(correlation: Array) -> Array:
    return np.arctanh(np.clip(correlation, -_PERFECT, _PERFECT))


def _pair_up(actual: Array, predicted: Array, rows: Rows) -> _Pairs:
    """The actual values of `rows` beside what is predicted `lags` rows further down; NaN where pairs are few."""
    first, last = rows[0], rows[-1] + 1
    chosen = np.zeros(last - first, dtype=bool)
    chosen[rows - first] = True
    known = chosen & ~np.isnan(actual[first:last])
    x = np.where(known, actual[first:last], 0.0)
    reach = int(LAGS[-1])
    window = np.pad(predicted, reach, constant_values=np.nan)[first : last + 2 * reach]
    there = ~np.isnan(window)
    y = np.where(there, window, 0.0)

    def total(moving: Array, fixed: Array) -> Array:
        return np.asarray(correlate(moving, fixed, mode="valid"), dtype=np.float64)

    present, one = there.astype(np.float64), known.astype(np.float64)
    n = np.round(total(present, one))
    few = n < _FEWEST_ROWS
    n_safe = np.where(few, np.nan, n)
    mean_x, mean_y = total(present, x) / n_safe, total(y, one) / n_safe
    covariance = total(y, x) / n_safe - mean_x * mean_y
    of_x = total(present, x**2) / n_safe - mean_x**2
    of_y = total(y**2, one) / n_safe - mean_y**2
    flat = (of_x < _FLAT) | (of_y < _FLAT)
    of_x, of_y = np.where(flat, np.nan, of_x), np.where(flat, np.nan, of_y)
    return _Pairs(n, covariance / np.sqrt(of_x * of_y), np.sqrt(of_y))


@dataclass(frozen=True)
class _Strengths:
    """How strongly a relation holds in each block, as Fisher's z, its columns taken together.

    by_lag: (blocks, lags); usual, spread, n: (blocks,), at lag 0; error: the sampling error alone.
    """

    by_lag: Array
    usual: Array
    error: Array
    spread: Array
    n: Array


def _measure(relation: _Relation, blocks: list[_Block], folds: Rows) -> _Strengths:
    actual = [_ranks(c.coded) for c in relation.targets]
    predicted = [_predict(relation.sources, values, folds) for values in actual]
    pairs = [[_pair_up(*both, b.rows) for both in zip(actual, predicted, strict=True)] for b in blocks]
    by_rows = np.array([b.kind == BY_ROWS for b in blocks])
    usual = np.column_stack([_usual_strength([row[c] for row in pairs], by_rows) for c in range(len(actual))])
    z = np.array([[_fisher(p.correlation) for p in row] for row in pairs])
    weight = np.where(np.isnan(usual) | np.isnan(z[..., _AT_ZERO]), 0.0, np.maximum(0.0, _column_means(usual[by_rows])))
    n = np.array([[p.n[_AT_ZERO] for p in row] for row in pairs])
    share = weight / np.where(weight.any(axis=1), weight.sum(axis=1), np.nan)[:, None]
    overlap = pd.DataFrame(actual).T.corr().to_numpy() * pd.DataFrame(predicted).T.corr().fillna(0).to_numpy()
    error = np.sqrt(np.einsum("bi,ij,bj->b", share, overlap, share) / np.maximum(1, n.max(axis=1) - 3))
    by_lag = np.einsum("bc,bcl->bl", share, np.where(weight[..., None] > 0, z, 0.0))
    together = np.einsum("bc,bc->b", share, np.where(weight > 0, usual, 0.0))
    return _Strengths(by_lag, together, error, _spread(by_lag[:, _AT_ZERO] - together, error, by_rows), n.max(axis=1))


def _usual_strength(pairs: list[_Pairs], by_rows: npt.NDArray[np.bool_]) -> Array:
    """Fisher's z to be expected of each block, (blocks,), from the better blocks of rows.

    It is what is usual, or less where predictions spread less than usual: patients who are more alike are told apart
    less well though nothing is wrong (Thorndike's restriction of range: r/√(1−r²) grows with that spread).
    """
    r = np.clip([p.correlation[_AT_ZERO] for p in pairs], -_PERFECT, _PERFECT)
    spread = np.array([p.spread[_AT_ZERO] for p in pairs])
    known = by_rows & np.isfinite(r) & np.isfinite(spread)
    if not known.any():
        return np.full(len(pairs), np.nan)
    by_spread = (r / np.sqrt(1 - r**2) / spread)[known]
    usual = np.quantile(by_spread, _USUAL, weights=spread[known] ** 2, method="inverted_cdf") * spread
    return np.minimum(_fisher(usual / np.sqrt(1 + usual**2)), np.quantile(_fisher(r[known]), _USUAL))


def _column_means(values: Array) -> Array:
    known = ~np.isnan(values)
    return np.asarray(np.where(known, values, 0.0).sum(axis=0) / np.maximum(1, known.sum(axis=0)), dtype=np.float64)


def _spread(difference: Array, error: Array, by_rows: npt.NDArray[np.bool_]) -> Array:
    """How far a block's z lies from the usual where nothing is wrong: sampling, and true differences between blocks."""
    known = by_rows & np.isfinite(difference)
    if not known.any():
        return error
    usual, high = np.quantile(difference[known], [_USUAL, _HIGH])
    seen = float(high - usual) / _HIGH_TO_USUAL
    between = max(0.0, seen**2 - float(np.mean(error[known] ** 2)))
    return np.asarray(np.sqrt(error**2 + between), dtype=np.float64)


def _audit(
    relation: _Relation, blocks: list[_Block], folds: Rows, *, limit: float, limit_lag: float
) -> Iterator[tuple[object, ...]]:
    found = _measure(relation, blocks, folds)
    of_rows = found.usual[[b.kind == BY_ROWS for b in blocks]]
    if not np.isfinite(of_rows).any() or np.tanh(np.nanquantile(of_rows, _USUAL)) < _WEAKEST_RELATION:
        return
    for i, block in enumerate(blocks):
        head = (relation.name, block.kind, block.label, int(block.rows[0]) + 1, int(block.rows[-1]) + 1)
        usual, spread, now = found.usual[i], found.spread[i], found.by_lag[i, _AT_ZERO]
        if np.isnan(now):
            yield (*head, None, None, None, None, None, None, None, False, None)
            continue
        best = int(np.nanargmax(found.by_lag[i]))
        there = found.by_lag[i, best]
        exists = np.tanh(usual) >= _WEAKEST_RELATION
        lost = exists and now < _KEPT_SHARE * usual and now < usual - (limit + _ABOVE_MEAN) * spread
        # Where it is lost, it only remains to say at which lag it stands; otherwise the lag itself must prove it.
        error = found.error[i]
        certain = there > _SURE_OF_LAG * error if lost else there - now > limit_lag * np.sqrt(2) * error
        elsewhere = exists and there > _KEPT_SHARE * usual and certain
        expected = np.tanh([usual, usual - 1.96 * spread, usual + 1.96 * spread])
        lag = int(LAGS[best])
        why = _say(relation, block, np.tanh([now, usual, there]), lag if elsewhere else 0)
        finding = bool(lost or (elsewhere and lag))
        yield (*head, int(found.n[i]), np.tanh(now), *expected, lag, np.tanh(there), finding, why if finding else None)


def _say(relation: _Relation, block: _Block, numbers: Array, lag: int) -> str:
    now, usual, there = numbers
    where = (
        f"In rows {format_count(block.rows[0] + 1)} to {format_count(block.rows[-1] + 1)}"
        if block.kind == BY_ROWS
        else f"Where {block.kind} is {block.label}"
    )
    said = f"{where}, {relation.explained} no longer goes with {relation.by} as it does elsewhere"
    said += f" (a correlation of {format_number(now, decimals=2)}, where {format_number(usual, decimals=2)} is usual)"
    if not lag:
        return f"{said}."
    direction, does = "down" if lag > 0 else "up", "does" if there >= _AS_ELSEWHERE * usual else "does better"
    rows = f"{abs(lag)} row{'s' * (abs(lag) > 1)}"
    return f"{said}; {rows} further {direction} it {does} ({format_number(there, decimals=2)})."
