"""Conditions that slices are made of: levels of attributes, and findings as the study cuts them, in plain words."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.numerals import format_number
from pipeline.study.model import MISSING, Attribute, Feature, Study, columns_in

Mask = npt.NDArray[np.bool_]
_NOT_RECORDED = "not recorded"


@dataclass(frozen=True)
class Condition:
    """words: "creatinine above 1.3 mg/dL"; about: the columns it is made from; members: (n,), for whom it holds."""

    words: str
    about: frozenset[str]
    members: Mask

    def excludes(self, other: "Condition") -> bool:
        """Whether both are about the same, so that together they say nothing more."""
        return bool(self.about & other.about)


def build_conditions(study: Study, subjects: pd.DataFrame, *, fewest: int) -> list[Condition]:
    """Every condition that holds for at least `fewest` subjects and for all but as many; each set of subjects once.

    subjects: features and attributes, a row a subject. Numbers are cut at the ends of their normal range, or into
    thirds where the study declares none.
    """
    found: dict[bytes, Condition] = {}
    columns = {f.column for f in study.features}
    for attribute in study.subgroups:
        about = frozenset(columns_in(attribute.sql, columns) or {attribute.id})
        for words, members in _levels(attribute, subjects[attribute.id]):
            found.setdefault(members.tobytes(), Condition(words, about, members))
    for feature in study.features:
        for words, members in (_categories if feature.is_categorical else _ranges)(feature, subjects[feature.id]):
            found.setdefault(members.tobytes(), Condition(words, frozenset({feature.column}), members))
    return [c for c in found.values() if fewest <= c.members.sum() <= len(subjects) - fewest]


def _levels(attribute: Attribute, values: pd.Series) -> Iterator[tuple[str, Mask]]:
    for level, label in {**attribute.levels, MISSING: attribute.missing}.items():
        yield f"{attribute.label}: {label}", (values == level).to_numpy(bool)


def _categories(feature: Feature, values: pd.Series) -> Iterator[tuple[str, Mask]]:
    for level, label in feature.levels.items():
        yield f"{feature.label}: {label}", (values == level).to_numpy(bool, na_value=False)
    yield _missing(feature, values)


def _ranges(feature: Feature, values: pd.Series) -> Iterator[tuple[str, Mask]]:
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    if np.isfinite(numbers).any():
        low, high = feature.normal or np.round(np.nanquantile(numbers, [1 / 3, 2 / 3]), feature.decimals)
        unit = f" {feature.unit}" if feature.unit else ""
        first, last = (format_number(float(end), decimals=feature.decimals) for end in (low, high))
        within = first if low == high else f"{first} to {last}"
        yield f"{feature.term} below {first}{unit}", numbers < low
        yield f"{feature.term} {within}{unit}", (numbers >= low) & (numbers <= high)
        yield f"{feature.term} above {last}{unit}", numbers > high
    yield _missing(feature, values)


def _missing(feature: Feature, values: pd.Series) -> tuple[str, Mask]:
    return f"{feature.term}: {feature.missing or _NOT_RECORDED}", (values.isna() | (values == MISSING)).to_numpy(bool)
