"""The study file as a validated model: unknown keys are refused, and so is everything that contradicts itself."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
StudyId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Probability = Annotated[float, Field(gt=0, lt=1)]

Finite = Annotated[float, Field(allow_inf_nan=False)]

# The level of an attribute whose value is missing; never a reference.
MISSING = "missing"
# Between the names of two attributes that patients are grouped by together, and between their levels.
BETWEEN = " × "
# Names that a release uses itself.
_RESERVED = {
    "columns": {"subject_id", "target_id", "base_value"},
    "subgroups": {"all"},
    "baselines": {"xgboost", "subject_id", "age_sex_diagnosis", "glass_box", "all"},
}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Kind(StrEnum):
    """What a target measures: an event, money, or another amount (days)."""

    OUTCOME = "outcome"
    COST = "cost"
    RESOURCE = "resource"


class Source(Strict):
    kind: Literal["csv"]
    path: Path
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


class Realign(Strict):
    """Columns that stand in another row than the subject they belong to, moved home by a mapping file.

    The mapping has a row for each subject concerned: `row` names that subject, `taken_from` the row that holds its
    values, or -1 where no row holds them.
    """

    id: Id
    realign: Annotated[list[str], Field(min_length=1)]
    by: Path
    row: str
    taken_from: str
    why: Text
    # Sentences for the patient's page, and the words in place of a value that no row holds.
    moved: Text
    absent: Text
    kept: Text | None = None
    absent_value: Text


class Subject(Strict):
    id: str
    index_time: Text
    noun: Text = "patient"


class PopulationStep(Strict):
    keep: Text
    why: Text


class Target(Strict):
    id: Id
    kind: Kind
    label: Text
    horizon: Text | None = None
    event: Text | None = None
    value: Text | None = None
    unit: Text | None = None
    year: Text | None = None
    # In sentences: "of 100 such patients, about 41 {happened}"; for amounts, what is projected.
    happened: Text | None = None
    caution: Text | None = None
    suspect_above: Probability | None = None

    @property
    def sql(self) -> str:
        """The expression over source columns that gives the target."""
        return self.event or self.value or ""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "Target":
        if self.kind is Kind.OUTCOME and not (self.event and self.happened and not self.value):
            raise ValueError("an outcome needs `event` and `happened`, and no `value`")
        if self.kind is not Kind.OUTCOME and self.suspect_above:
            raise ValueError("`suspect_above` is an AUROC, which only an outcome has")
        if self.kind is not Kind.OUTCOME and not (self.value and self.unit and not self.event):
            raise ValueError("a cost or resource needs `value` and `unit`, and no `event`")
        return self


class Feature(Strict):
    id: Id
    column: str = ""
    label: Text
    concept: Text
    unit: Text | None = None
    kind: Literal["number", "integer", "category", "binary"]
    levels: dict[str, Text] = Field(default_factory=dict)
    normal: tuple[Finite, Finite] | None = None
    plausible: tuple[Finite, Finite] | None = None
    invalid: list[Finite] = Field(default_factory=list)
    modifiable: bool = False
    # How sentences name it: "low blood pressure", "fast breathing"; the label in lower case unless given.
    term: Text
    low: Text | None = None
    high: Text | None = None
    missing: Text | None = None
    decimals: Annotated[int, Field(ge=0, le=4)] = 0
    note: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, values: object) -> object:
        if isinstance(values, dict):
            label = str(values.get("label", ""))
            return {"column": values.get("id", ""), "term": label[:1].lower() + label[1:], **values}
        return values

    @field_validator("normal", "plausible")
    @classmethod
    def _ordered(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value and not value[0] <= value[1]:
            raise ValueError("a range needs its lower end first")
        return value

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "Feature":
        if self.is_categorical != bool(self.levels):
            raise ValueError("a category or binary feature needs `levels`, and a number has none")
        if MISSING in self.levels:
            raise ValueError(f"the level {MISSING!r} stands for no value and cannot be declared")
        if self.kind == "binary" and len(self.levels) != 2:
            raise ValueError("a binary feature needs two `levels`")
        if self.is_categorical and (self.normal or self.plausible or self.invalid or self.modifiable):
            raise ValueError("`normal`, `plausible`, `invalid` and `modifiable` are for numbers")
        normal, plausible = self.normal, self.plausible
        if normal and plausible and not plausible[0] <= normal[0] <= normal[1] <= plausible[1]:
            raise ValueError("the normal range must lie inside the plausible range")
        if self.modifiable and not self.plausible:
            raise ValueError("a modifiable feature needs a plausible range")
        return self

    @property
    def is_categorical(self) -> bool:
        return self.kind in ("category", "binary")


class Attribute(Strict):
    """Something that subgroups are formed by: a column, or an expression over columns, with declared levels."""

    id: Id
    label: Text
    column: str | None = None
    value: Text | None = None
    levels: Annotated[dict[str, Text], Field(min_length=2)]
    missing: Text = "Not recorded"
    reference: str
    note: Text | None = None

    @property
    def sql(self) -> str:
        return self.value or quote(self.column or "")

    @model_validator(mode="after")
    def _consistent(self) -> "Attribute":
        if bool(self.column) == bool(self.value):
            raise ValueError("an attribute needs `column` or `value`, and not both")
        if self.reference not in self.levels:
            raise ValueError(f"the reference must be one of the levels {list(self.levels)}")
        if MISSING in self.levels:
            raise ValueError(f"the level {MISSING!r} is added by itself and cannot be declared")
        if joined := [level for level in self.levels if BETWEEN in level]:
            raise ValueError(f"{BETWEEN!r} stands between the levels of two attributes and cannot be in one: {joined}")
        return self


class Baseline(Strict):
    """What people use today, on the same patients: a risk (compared in full) or a score (ranks only)."""

    id: Id
    target: str
    label: Text
    risk: Text | None = None
    score: Text | None = None
    note: Text | None = None

    @property
    def sql(self) -> str:
        return self.risk or self.score or ""

    @model_validator(mode="after")
    def _one_of_two(self) -> "Baseline":
        if bool(self.risk) == bool(self.score):
            raise ValueError("a baseline needs `risk` or `score`, and not both")
        return self


class Excluded(Strict):
    column: str
    why: Text


class Relation(Strict):
    """A column that others explain. Where they stop explaining it, rows have been displaced or mixed up."""

    explained: str
    by: Annotated[list[str], Field(min_length=1)]


class Scope(Strict):
    """Whom the models may score: with how many features missing at most, and how unlike the patients of training."""

    most_missing: Annotated[int, Field(ge=0)]
    # The share of training patients that are nearer to the others than a patient who is refused.
    distance_quantile: Annotated[float, Field(ge=0.9, lt=1)] = 0.999


class Validation(Strict):
    """Trained on some levels of an attribute, measured on the others; without `train` each in turn is left out."""

    attribute: str
    train: list[str] = Field(default_factory=list)

    @property
    def leaves_one_out(self) -> bool:
        return not self.train


class Splits(Strict):
    scheme: Literal["kfold"] = "kfold"
    folds: Annotated[int, Field(ge=2, le=20)] = 5
    seed: Annotated[int, Field(ge=0, lt=2**31)]


class Card(Strict):
    """What no run can measure."""

    intended_use: Text
    intended_users: Text
    cautioned: Text
    funding: Text


class Study(Strict):
    id: StudyId
    title: Text
    short_title: Text
    source: Source
    repairs: list[Realign] = Field(default_factory=list)
    subject: Subject
    population: list[PopulationStep] = Field(default_factory=list)
    targets: Annotated[list[Target], Field(min_length=1)]
    features: Annotated[list[Feature], Field(min_length=2)]
    subgroups: list[Attribute] = Field(default_factory=list)
    # The attribute that the list is filtered by and the outlook opens with.
    diagnosis: str | None = None
    # The features that describe a patient in a title: "75-year-old man, heart failure".
    headline: list[str] = Field(default_factory=list)
    baselines: list[Baseline] = Field(default_factory=list)
    excluded: list[Excluded] = Field(default_factory=list)
    splits: Splits
    thresholds: dict[str, list[Probability]] = Field(default_factory=dict)
    # From which to which threshold net benefit is worth looking at: a value judgement.
    net_benefit: dict[str, tuple[Probability, Probability]] = Field(default_factory=dict)
    known_relations: list[Relation] = Field(default_factory=list)
    scope: Scope | None = None
    validation: list[Validation] = Field(default_factory=list)
    era: Text
    card: Card
    folder: Path = Field(exclude=True)

    @model_validator(mode="after")
    def _consistent(self) -> "Study":
        self._check_ids_are_unique()
        self._check_no_feature_is_a_target()
        self._check_names_are_free()
        if repeated_thresholds := [i for i, values in self.thresholds.items() if len(set(values)) < len(values)]:
            raise ValueError(f"a threshold is given once, got one twice for {repeated_thresholds}")
        outcomes = {t.id for t in self.targets if t.kind is Kind.OUTCOME}
        for what, named, known in (
            ("thresholds", set(self.thresholds), outcomes),
            ("net_benefit", set(self.net_benefit), outcomes),
            ("baselines", {b.target for b in self.baselines}, outcomes),
            ("headline", set(self.headline), {f.id for f in self.features}),
            ("diagnosis", {self.diagnosis} - {None}, {a.id for a in self.subgroups}),
            ("validation", {v.attribute for v in self.validation}, {a.id for a in self.subgroups}),
        ):
            if unknown := named - known:
                raise ValueError(f"`{what}` names {sorted(map(str, unknown))}, which is none of {sorted(known)}")
        self._check_evaluation()
        return self

    def _check_evaluation(self) -> None:
        for target_id, (low, high) in self.net_benefit.items():
            if not low < high:
                raise ValueError(f"a range needs its lower end first, got {low:g} to {high:g} for {target_id!r}")
        for validation in self.validation:
            levels = set(self.attribute(validation.attribute).levels)
            if unknown := set(validation.train) - levels:
                raise ValueError(f"`validation` trains on {sorted(unknown)}, none of {sorted(levels)}")
            if set(validation.train) >= levels:
                raise ValueError(f"`validation` by {validation.attribute!r} leaves no level to measure on")
        if self.scope and self.scope.most_missing > len(self.features):
            raise ValueError(f"`most_missing` is at most the number of features, {len(self.features)}")

    def _check_ids_are_unique(self) -> None:
        # A column may be both a categorical feature and, under the same id, an attribute: sex is.
        columns = {f.id: f.column for f in self.features if f.is_categorical}
        attributes = [a.id for a in self.subgroups if a.column is None or columns.get(a.id) != a.column]
        targets, baselines = [t.id for t in self.targets], [b.id for b in self.baselines]
        ids = Counter([*attributes, *(f.id for f in self.features), *targets, *baselines])
        if repeated := [name for name, count in ids.items() if count > 1]:
            raise ValueError(
                f"ids must be unique over features, subgroups, targets and baselines, got twice: {repeated}"
            )

    def _check_names_are_free(self) -> None:
        named = {
            "columns": {f.id for f in self.features} | {a.id for a in self.subgroups} | {t.id for t in self.targets},
            "subgroups": {a.id for a in self.subgroups},
            "baselines": {b.id for b in self.baselines},
        }
        for what, names in named.items():
            if taken := names & _RESERVED[what]:
                raise ValueError(f"{sorted(taken)} is a name that releases use themselves; choose another id")

    def _check_no_feature_is_a_target(self) -> None:
        columns = {f.column for f in self.features}
        for target in self.targets:
            if both := columns & columns_in(target.sql, columns):
                raise ValueError(
                    f"a feature cannot be part of a target: {sorted(both)} is in `features` and in target {target.id!r}"
                )
        if both := columns & {e.column for e in self.excluded}:
            raise ValueError(f"a column cannot be a feature and excluded: {sorted(both)}")

    @property
    def sha256(self) -> str:
        """The hash of everything the study says, independent of the layout of its file."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @property
    def source_path(self) -> Path:
        return (self.folder / self.source.path).resolve()

    def target(self, target_id: str) -> Target:
        return next(t for t in self.targets if t.id == target_id)

    def feature(self, feature_id: str) -> Feature:
        return next(f for f in self.features if f.id == feature_id)

    def attribute(self, attribute_id: str) -> Attribute:
        return next(a for a in self.subgroups if a.id == attribute_id)

    @property
    def concepts(self) -> list[str]:
        """The clinical concepts, in the order in which features name them."""
        return list(dict.fromkeys(f.concept for f in self.features))


def quote(name: str) -> str:
    """`name` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


_TOKENS = re.compile(r"'(?:[^']|'')*'|\"(?P<quoted>(?:[^\"]|\"\")+)\"|(?P<bare>[A-Za-z_]\w*)")


def columns_in(sql: str, columns: Iterable[str]) -> set[str]:
    """Those of `columns` that the expression `sql` names; text in quotes does not count."""
    known = {c.lower(): c for c in columns}
    named = ((m["quoted"] or m["bare"] or "").replace('""', '"').lower() for m in _TOKENS.finditer(sql))
    return {known[name] for name in named if name in known}
