"""Whom the models may score. Whoever is outside gets no number, but a reason that says what would mend it.

Every rule looks at features alone, never at an outcome, and holds for all targets of a patient together.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.neighbors import NearestNeighbors

from pipeline.cohort import Cohort
from pipeline.features import Matrix
from pipeline.ingest.validate import UNKNOWN_CATEGORY
from pipeline.numerals import format_number
from pipeline.splits import Folds
from pipeline.study.model import Feature, Study

Array = npt.NDArray[np.float64]

CATEGORY = "unknown category"
RANGE = "outside the plausible range"
GAPS = "too much missing"
UNLIKE = "unlike the patients of training"
IN_ALL = "in all"

# Enough that one twin does not make a patient familiar, few enough to tell of the patient's own corner.
_NEIGHBOURS = 10
# The interquartile range of a normal distribution with standard deviation 1.
_QUARTILES_APART = 1.349
# Features named in a reason: the first of many, and those that set a patient apart most.
_NAMED, _APART = 6, 2
# An entry of a file may be of any length; a sentence shows its beginning.
_LONGEST_ENTRY = 30


def judge_scope(study: Study, cohort: Cohort, matrix: Matrix, folds: Folds) -> pd.Series:
    """Why each patient is not scored, in sentences, None where they are; in row order.

    matrix: (n, features) of the same rows; folds: the fold of each, whose distance is to the other folds' patients.
    """
    return join_reasons(judge_rules(study, cohort, matrix, folds))


def judge_rules(study: Study, cohort: Cohort, matrix: Matrix, folds: Folds) -> pd.DataFrame:
    """A column a rule that the study has, with what it says against each patient, None where nothing; in row order."""
    judged: dict[str, list[str | None]] = {
        CATEGORY: _judge_categories(study, cohort),
        RANGE: _judge_ranges(study, cohort.subjects),
    }
    if study.scope:
        judged[GAPS] = _judge_gaps(study, matrix, study.scope.most_missing)
        judged[UNLIKE] = _judge_distance(study, matrix, folds, study.scope.distance_quantile)
    return pd.DataFrame(judged, dtype=object)


def join_reasons(judged: pd.DataFrame) -> pd.Series:
    """One text a patient from what the rules say, None where they say nothing."""
    said = [[words for words in row if words] for row in judged.itertuples(index=False)]
    texts = ["Not scored: " + " Also: ".join(words) if words else None for words in said]
    return pd.Series(texts, index=judged.index, dtype=object)


def build_scope_rule(study: Study, judged: pd.DataFrame) -> pd.DataFrame:
    """rule, limit, n (patients against whom it speaks; several may against one, so the row IN_ALL is no sum)."""
    limits = {
        CATEGORY: "every category is a level that the study declares",
        RANGE: "every value is within its plausible range, ends included",
    }
    if study.scope:
        limits[GAPS] = f"at most {study.scope.most_missing} of {len(study.features)} features are missing"
        limits[UNLIKE] = (
            f"the mean distance to the {_NEIGHBOURS} nearest patients of training is within what "
            f"{100 * study.scope.distance_quantile:g}% of those have among themselves"
        )
    rows = [(rule, limits[rule], int(judged[rule].notna().sum())) for rule in judged.columns]
    rows.append((IN_ALL, "no rule speaks against them", int(judged.notna().any(axis=1).sum())))
    return pd.DataFrame(rows, columns=["rule", "limit", "n"])


def _judge_categories(study: Study, cohort: Cohort) -> list[str | None]:
    labels = {f.column: f.label for f in study.features}
    found: dict[str, list[str]] = {}
    unknown = cohort.quarantine[cohort.quarantine["rule"] == UNKNOWN_CATEGORY].dropna(subset=["subject_id"])
    for row in unknown.itertuples():
        entry = str(row.value)[:_LONGEST_ENTRY]
        found.setdefault(str(row.subject_id), []).append(
            f"{_lower(labels[str(row.column_name)])} is recorded as “{entry}”, which no {study.subject.noun} of "
            "training had; correct the entry, or declare it as a level and rebuild."
        )
    return [" Also: ".join(found[i]) if i in found else None for i in cohort.subjects["subject_id"]]


def _judge_ranges(study: Study, subjects: pd.DataFrame) -> list[str | None]:
    outside: list[list[str]] = [[] for _ in range(len(subjects))]
    for feature in study.features:
        if feature.plausible:
            low, high = feature.plausible
            values = subjects[feature.id].to_numpy(dtype=np.float64, na_value=np.nan)
            for row in np.flatnonzero((values < low) | (values > high)):
                outside[row].append(_tell_outside(feature, float(values[row]), low, high))
    return [" Also: ".join(words) if words else None for words in outside]


def _tell_outside(feature: Feature, value: float, low: float, high: float) -> str:
    # All digits of the file: rounded, a value just outside would read as one inside.
    measured = f"{value:.15g}" + (f" {feature.unit}" if feature.unit else "")
    return (
        f"{_lower(feature.label)} {measured} is outside what can be "
        f"({format_number(low, decimals=_decimals(low))} to {format_number(high, decimals=_decimals(high))}); "
        "check the value."
    )


def _judge_gaps(study: Study, matrix: Matrix, most: int) -> list[str | None]:
    missing = np.isnan(matrix)
    return [_tell_gaps(study, row, most) if row.sum() > most else None for row in missing]


def _tell_gaps(study: Study, missing: npt.NDArray[np.bool_], most: int) -> str:
    terms = [f.term for f, gone in zip(study.features, missing, strict=True) if gone]
    return (
        f"{len(terms)} of {len(study.features)} features are missing (at most {most}). "
        f"With {len(terms) - most} more of them recorded it could be: {_list(terms)}."
    )


@dataclass(frozen=True)
class _Space:
    """Feature space as one set of patients spans it: numbers in robust standard deviations, categories by level.

    A missing number stands at the median, a missing category at no level; either is 1 apart from any that is there.
    Two different levels are 1 apart.
    """

    centre: Array
    scale: Array
    levels: list[int]

    def place(self, matrix: Matrix) -> Array:
        """The coordinates of rows, (n, coordinates)."""
        return np.column_stack([part for j in range(matrix.shape[1]) for part in self._coordinates(matrix, j)])

    def owners(self) -> npt.NDArray[np.int64]:
        """The position of the feature that each coordinate belongs to."""
        return np.repeat(np.arange(len(self.levels)), [n + 1 if n else 2 for n in self.levels])

    def _coordinates(self, matrix: Matrix, j: int) -> Iterator[Array]:
        values = matrix[:, j].astype(np.float64)
        gone = np.isnan(values)
        if count := self.levels[j]:
            for level in range(count):
                yield (values == level) * np.sqrt(0.5)
            yield gone * np.sqrt(0.5)
        else:
            yield np.where(gone, 0.0, (values - self.centre[j]) / self.scale[j])
            yield gone.astype(np.float64)


def _span(study: Study, matrix: Matrix) -> _Space:
    """The space of `matrix`'s rows. A number of which more than half are equal is scaled by its standard deviation."""
    centre, scale = np.zeros(matrix.shape[1]), np.ones(matrix.shape[1])
    for j, feature in enumerate(study.features):
        known = matrix[~np.isnan(matrix[:, j]), j].astype(np.float64)
        if len(known) and not feature.is_categorical:
            low, centre[j], high = np.quantile(known, [0.25, 0.5, 0.75])
            scale[j] = (high - low) / _QUARTILES_APART or known.std() or 1.0
    return _Space(centre, scale, [len(f.levels) for f in study.features])


def _judge_distance(study: Study, matrix: Matrix, folds: Folds, quantile: float) -> list[str | None]:
    """Compares each fold's patients with those of the other folds, whose own distances set the limit."""
    reasons: list[str | None] = [None] * len(matrix)
    for fold in np.unique(folds):
        rows = np.flatnonzero(folds == fold)
        train = matrix[folds != fold]
        space = _span(study, train)
        placed = space.place(train)
        nearest = NearestNeighbors(n_neighbors=min(_NEIGHBOURS, len(train) - 1), algorithm="brute").fit(placed)
        # Without rows to ask for, a training patient is not their own neighbour.
        among, _ = nearest.kneighbors()
        scored = space.place(matrix[rows])
        distance, neighbours = nearest.kneighbors(scored)
        limit = np.quantile(among.mean(axis=1), quantile)
        for i in np.flatnonzero(distance.mean(axis=1) > limit):
            apart = np.mean((placed[neighbours[i]] - scored[i]) ** 2, axis=0)
            reasons[rows[i]] = _tell_unlike(study, np.bincount(space.owners(), apart))
    return reasons


def _tell_unlike(study: Study, apart: npt.NDArray[np.number]) -> str:
    """apart: (features,) how much of the squared distance each makes up."""
    terms = [study.features[j].term for j in np.argsort(-apart, kind="stable")[:_APART]]
    return (
        f"this {study.subject.noun} is unlike those the model has learnt from, most of all in {' and '.join(terms)}. "
        "Check these values; if they are right, the model has nothing to go by."
    )


def _list(terms: list[str]) -> str:
    """ "a, b or c"; many are the first few "and 8 others"."""
    if len(terms) > _NAMED + 1:
        return f"{', '.join(terms[:_NAMED])} and {len(terms) - _NAMED} others"
    return f"{', '.join(terms[:-1])} or {terms[-1]}" if len(terms) > 1 else terms[0]


def _lower(label: str) -> str:
    """A label inside a sentence; "PaO₂" and "pH" stay as they are."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def _decimals(value: float) -> int:
    return len(f"{value:g}".partition(".")[2])
