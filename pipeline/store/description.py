"""The tables that say what a study is: its features, levels, attributes, baselines, thresholds and statements."""

from collections.abc import Sequence

import pandas as pd

from pipeline.study.model import MISSING, Study


def describe_study(study: Study, subjects: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables by name; `subjects` tells what share of each feature is missing."""
    return {
        "feature": _features(study, subjects),
        "feature_level": _frame(
            ("feature_id", "code", "level", "label"),
            [(f.id, i, level, label) for f in study.features for i, (level, label) in enumerate(f.levels.items())],
        ),
        "attribute_level": _attribute_levels(study, subjects),
        "baseline": _frame(
            ("model_id", "target_id", "label", "kind", "note"),
            [(b.id, b.target, b.label, "risk" if b.risk else "score", b.note) for b in study.baselines],
        ),
        "excluded_column": _frame(("column_name", "why"), [(e.column, e.why) for e in study.excluded]),
        "threshold": _frame(("target_id", "threshold"), [(t, x) for t, xs in study.thresholds.items() for x in xs]),
        "statement": _frame(("field", "value"), list(study.card.model_dump().items())),
    }


def _features(study: Study, subjects: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for i, f in enumerate(study.features):
        ranges = (*(f.normal or (None, None)), *(f.plausible or (None, None)))
        named = (i, f.id, f.column, f.label, f.term, f.concept, f.unit, f.kind, f.modifiable)
        rows.append(
            (*named, *ranges, f.decimals, f.note, float((subjects[f.id].isna() | (subjects[f.id] == MISSING)).mean()))
        )
    names = "position feature_id column_name label term concept unit kind modifiable normal_low normal_high"
    return _frame((*names.split(), "plausible_low", "plausible_high", "decimals", "note", "missing_share"), rows)


def _attribute_levels(study: Study, subjects: pd.DataFrame) -> pd.DataFrame:
    rows: list[tuple[object, ...]] = []
    for a in study.subgroups:
        # "Not recorded" is a level only where somebody has it.
        levels = a.levels | ({MISSING: a.missing} if (subjects[a.id] == MISSING).any() else {})
        for level, label in levels.items():
            rows.append((len(rows), a.id, a.label, a.note, level, label, level == a.reference))
    names = "position attribute attribute_label attribute_note level level_label reference"
    return _frame(tuple(names.split()), rows)


def _frame(columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(columns))
