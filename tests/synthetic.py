"""Tiny synthetic studies: 240 patients, four features, one outcome, one cost; trained in about a second."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

# File rows (from 1) with a value that breaks a rule, in `build_frame`.
ROW_LACTATE_ZERO, ROW_LACTATE_TEXT, ROW_AGE_130, ROW_WARD_GARDEN = 6, 8, 10, 13

SECTIONS: Mapping[str, object] = {
    "id": "tiny",
    "title": "A tiny synthetic study",
    "short_title": "TINY",
    "source": {"kind": "csv", "path": "tiny.csv"},
    "subject": {"id": "pid", "index_time": "admission"},
    "population": [{"keep": "age >= 18", "why": "adults only"}],
    "targets": [
        {
            "id": "death",
            "kind": "outcome",
            "label": "Death in hospital",
            "horizon": "this stay",
            "event": "died = 1",
            "happened": "died",
        },
        {"id": "cost", "kind": "cost", "label": "Cost", "unit": "USD", "value": "nullif(cost_usd, 0)"},
    ],
    "features": [
        {"id": "age", "label": "Age", "concept": "Person", "unit": "years", "kind": "number", "plausible": [18, 110]},
        {
            "id": "sex",
            "label": "Sex",
            "concept": "Person",
            "kind": "binary",
            "levels": {"male": "man", "female": "woman"},
        },
        {
            "id": "lactate",
            "label": "Lactate",
            "concept": "Blood",
            "unit": "mmol/L",
            "kind": "number",
            "normal": [0.5, 2],
            "plausible": [0.1, 20],
            "invalid": [0],
            "modifiable": True,
            "high": "high lactate",
            "decimals": 1,
        },
        {
            "id": "ward",
            "label": "Ward",
            "concept": "Place",
            "kind": "category",
            "levels": {"medical": "medical ward", "surgical": "surgical ward", "icu": "intensive care"},
        },
    ],
    "subgroups": [
        {
            "id": "sex",
            "label": "Sex",
            "column": "sex",
            "levels": {"male": "Men", "female": "Women"},
            "reference": "male",
        },
        {
            "id": "age_band",
            "label": "Age",
            "value": "case when age < 65 then 'under 65' else '65 and over' end",
            "levels": {"under 65": "Under 65", "65 and over": "65 and over"},
            "reference": "under 65",
        },
    ],
    "diagnosis": None,
    "headline": ["age", "sex"],
    "baselines": [{"id": "nurse", "target": "death", "label": "The nurse", "risk": "nurse_risk"}],
    "excluded": [
        {"column": "pid", "why": "It stands for the patient."},
        {"column": "died", "why": "It is a target."},
        {"column": "cost_usd", "why": "It is a target."},
        {"column": "nurse_risk", "why": "It is compared with the model."},
    ],
    "splits": {"folds": 3, "seed": 11},
    "thresholds": {"death": [0.3]},
    "era": "2001",
    "card": {
        "intended_use": "Tests.",
        "intended_users": "Testers.",
        "cautioned": "Not for patients.",
        "funding": "None.",
    },
}

# A repair of the column `lactate`, for a mapping file with the columns pid and donor.
REPAIR: Mapping[str, object] = {
    "id": "blood",
    "realign": ["lactate"],
    "by": "mapping.csv",
    "row": "pid",
    "taken_from": "donor",
    "why": "The lab's file slipped.",
    "moved": "Moved home.",
    "absent": "Not in the file.",
    "kept": "In its own row.",
    "absent_value": "not in the file",
}


def build_frame(n: int = 240, *, seed: int = 3) -> pd.DataFrame:
    """The source of the tiny study, as text would hold it: risk and cost rise with age and lactate."""
    rng = np.random.default_rng(seed)
    age = np.round(rng.uniform(20, 90, n), 1)
    lactate = np.round(rng.lognormal(0.7, 0.6, n).clip(0.2, 19), 1)
    risk = 1 / (1 + np.exp(-(-4 + 0.04 * age + 0.5 * lactate)))
    cost = np.round(np.exp(7 + 0.01 * age + 0.2 * lactate + rng.normal(0, 0.4, n)), 2)
    cost[rng.random(n) < 0.05] = 0
    frame = pd.DataFrame(
        {
            "pid": [f"p{i:04d}" for i in range(1, n + 1)],
            "age": age,
            "sex": rng.choice(["male", "female"], n),
            "lactate": lactate,
            "ward": rng.choice(["medical", "surgical", "icu"], n, p=[0.6, 0.3, 0.1]),
            "died": (rng.random(n) < risk).astype(int),
            "cost_usd": cost,
            "nurse_risk": np.round(np.clip(risk + rng.normal(0, 0.1, n), 0.01, 0.99), 2),
        }
    ).astype({"age": object, "lactate": object})
    frame.loc[ROW_LACTATE_ZERO - 1, "lactate"] = 0
    frame.loc[ROW_LACTATE_TEXT - 1, "lactate"] = "high"
    frame.loc[ROW_AGE_130 - 1, "age"] = 130
    frame.loc[ROW_WARD_GARDEN - 1, "ward"] = "garden"
    return frame


def write_tiny_study(folder: Path, *, frame: pd.DataFrame | None = None, **sections: object) -> Path:
    """The path of a study file in `folder`, beside its CSV; `sections` replace those of SECTIONS."""
    folder.mkdir(parents=True, exist_ok=True)
    (build_frame() if frame is None else frame).to_csv(folder / "tiny.csv", index=False)
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump({**SECTIONS, **sections}, sort_keys=False), encoding="utf-8")
    return path


def with_item(section: str, position: int, **changes: object) -> dict[str, Any]:
    """A section of SECTIONS that is a list, with `changes` made to one of its items: `write_tiny_study(f, **this)`."""
    items = SECTIONS[section]
    assert isinstance(items, list)
    changed = [{**item, **changes} if i == position else item for i, item in enumerate(items)]
    return {section: changed}


def only_item(section: str, position: int) -> dict[str, Any]:
    """A section of SECTIONS that is a list, with one of its items alone."""
    items = SECTIONS[section]
    assert isinstance(items, list)
    return {section: [items[position]]}
