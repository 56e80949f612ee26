"""Tables of groups made of patients: every level and every pair of levels, as the evaluation writes them."""

from itertools import combinations

import numpy as np
import pandas as pd

OUTCOMES, AMOUNTS = ("death", "readmission"), ("cost",)
TARGETS = (*OUTCOMES, *AMOUNTS)
_TOTALS = "target_id attribute level n n_observed projected_total lower upper observed_total suppressed"
Patients = tuple[pd.DataFrame, pd.DataFrame]


def draw_patients(n: int, *, seed: int, levels: tuple[int, ...] = (2, 4, 5)) -> Patients:
    """Attributes `a`, `b`, … with levels of uneven size, and targets; some costs were not observed."""
    rng = np.random.default_rng(seed)
    attributes = {}
    for i, k in enumerate(levels):
        share = rng.dirichlet(np.full(k, 1.0))
        attributes[chr(ord("a") + i)] = rng.choice([f"level {j}" for j in range(k)], n, p=share)
    death = (rng.random(n) < rng.uniform(0.1, 0.6)).astype(float)
    readmission = (rng.random(n) < 0.4).astype(float)
    cost = np.where(rng.random(n) < 0.1, np.nan, rng.lognormal(9, 1, n).round(2))
    targets = pd.DataFrame({"death": death, "readmission": readmission, "cost": cost})
    return pd.DataFrame(attributes), targets


def groups_of(subjects: pd.DataFrame) -> dict[tuple[str, str], pd.Series]:
    """Who is in every cell, (n,) true or false: (attribute, level) and (pair, levels)."""
    singles = {
        (str(a), str(level)): (subjects[a] == level).rename("member")
        for a in subjects
        for level in subjects[a].unique()
    }
    pairs = {
        (f"{a} × {b}", f"{i} × {j}"): first & second
        for ((a, i), first), ((b, j), second) in combinations(singles.items(), 2)
        if a != b and (first & second).any()
    }
    return singles | pairs


def tables_of(patients: Patients) -> dict[str, pd.DataFrame]:
    """The tables that `suppress` cannot do without."""
    subjects, targets = patients
    groups = groups_of(subjects)
    outcomes = list(OUTCOMES)
    rows: list[tuple[object, ...]] = []
    totals: list[tuple[object, ...]] = []
    for (attribute, level), members in {("all", "all"): pd.Series(True, index=targets.index), **groups}.items():
        family = "pair" if "×" in attribute else "attribute"
        for t in TARGETS:
            own = targets[t][members].dropna()
            n, events = len(own), int(own.sum()) if t in outcomes else None
            metric, value = ("event_rate", own.mean()) if t in outcomes else ("observed_mean", own.mean())
            if n:
                interval = (value, 0.9 * value, 1.1 * value)
                rows.append((t, family, attribute, level, metric, None, *interval, n, events, False, False))
            if t not in outcomes and family == "attribute":
                total = (own.mean() * members.sum(), own.sum() * 0.9, own.sum() * 1.3, own.sum())
                totals.append((t, attribute, level, int(members.sum()), n, *total, False))
    columns = "target_id family attribute level metric threshold estimate lower upper n n_events flag suppressed"
    table = pd.DataFrame(rows, columns=columns.split()).astype({"n_events": "Int64", "threshold": float})
    everybody = (table["attribute"] == "all").to_numpy()
    kinds = ["outcome" if t in outcomes else "cost" for t in TARGETS]
    observed = [targets[t].dropna() for t in TARGETS]
    return {
        "subgroup_performance": table[~everybody].reset_index(drop=True),
        "performance": table[everybody]
        .drop(columns=["family", "attribute", "level", "flag", "suppressed"])
        .assign(model_id="xgboost", population="all"),
        "group_total": pd.DataFrame(
            totals,
            columns=_TOTALS.split(),
        ),
        "release": pd.DataFrame({"n_subjects": [len(subjects)]}),
        "target": pd.DataFrame(
            {
                "target_id": list(TARGETS),
                "kind": kinds,
                "n": [len(o) for o in observed],
                "n_events": pd.array(
                    [int(o.sum()) if k == "outcome" else None for o, k in zip(observed, kinds, strict=True)],
                    dtype="Int64",
                ),
                "mean": [o.mean() for o in observed],
            }
        ),
    }
