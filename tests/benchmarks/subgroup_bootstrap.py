"""Time and memory of a bootstrap of 100 groups of 100,000 patients: `make bench`. Prints; asserts nothing.

Every measure of a risk, with intervals from 1,000 draws, and the ratio to a reference; beside fairlearn's bootstrap of
a part of it.
"""

import resource
import sys
import time
import warnings

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from sklearn.metrics import brier_score_loss, roc_auc_score

from pipeline.evaluate.performance import DRAWS
from pipeline.evaluate.scores import Scores
from pipeline.evaluate.subgroups import build_subgroup_performance
from pipeline.study.model import Attribute, Splits, Study

Array = npt.NDArray[np.float64]

PATIENTS = 100_000
# Three attributes of 7, 5 and 2 levels: 14 groups, and 59 pairs; with one more of 2 levels, 16 and 87: 103 in all.
LEVELS = {"site": 7, "age_band": 5, "sex": 2, "phase": 2}
THRESHOLDS = [0.2, 0.4]
# fairlearn is timed on so many draws and groups of one attribute, and its time is taken to grow with the draws.
FAIRLEARN_DRAWS = 10


def main() -> None:
    """Times ours on everything, and fairlearn's on a part beside ours on the same."""
    scores, subjects = simulate()
    before = _peak_mb()
    start = time.perf_counter()
    table = build_subgroup_performance(study(list(LEVELS)), {"death": {"xgboost": scores}}, subjects)
    groups = len(table[["attribute", "level"]].drop_duplicates())
    print(
        f"{groups} groups of {PATIENTS:,} patients, {DRAWS:,} draws, {table.groupby(['metric', 'threshold']).ngroups}"
        f" measures at thresholds and {table.loc[table['threshold'].isna(), 'metric'].nunique()} others: "
        f"{time.perf_counter() - start:.1f} s, peak memory {_peak_mb():.0f} MB ({before:.0f} before)"
    )
    start = time.perf_counter()
    build_subgroup_performance(study(["site"]), {"death": {"xgboost": scores}}, subjects)
    ours = time.perf_counter() - start
    theirs = time_fairlearn(scores, subjects) * DRAWS / FAIRLEARN_DRAWS
    print(
        f"fairlearn, {LEVELS['site']} groups, AUROC and Brier score alone: {theirs:.0f} s for {DRAWS:,} draws "
        f"(from {FAIRLEARN_DRAWS}); ours, all measures: {ours:.1f} s; ratio {theirs / ours:.0f}"
    )


def simulate() -> tuple[Scores, pd.DataFrame]:
    """Risks that are right, and groups at random."""
    rng = np.random.default_rng(1)
    risk = expit(rng.normal(-1, 1, PATIENTS))
    subjects = {name: [f"{name}{i}" for i in rng.integers(levels, size=PATIENTS)] for name, levels in LEVELS.items()}
    return Scores((rng.random(PATIENTS) < risk).astype(float), risk), pd.DataFrame(subjects)


def study(attributes: list[str]) -> Study:
    """A study of these attributes; all that is read of it."""
    made = [
        Attribute(
            id=name,
            label=name,
            column=name,
            reference=f"{name}0",
            levels={f"{name}{i}": "x" for i in range(LEVELS[name])},
        )
        for name in attributes
    ]
    return Study.model_construct(subgroups=made, thresholds={"death": THRESHOLDS}, splits=Splits(seed=1))


def time_fairlearn(scores: Scores, subjects: pd.DataFrame) -> float:
    """The seconds of fairlearn's bootstrap of two measures by site."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fairlearn.metrics import MetricFrame

        start = time.perf_counter()
        MetricFrame(
            metrics={"auroc": roc_auc_score, "brier": brier_score_loss},
            y_true=scores.observed,
            y_pred=scores.said,
            sensitive_features=subjects["site"],
            n_boot=FAIRLEARN_DRAWS,
            ci_quantiles=[0.025, 0.975],
            random_state=1,
        )
        return time.perf_counter() - start


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    main()
