"""What each loss explains of a cost, on fold assignments that no release uses: prints, asserts nothing.

`.venv/bin/python tests/benchmarks/cost_loss.py [STUDY] [TARGET]`; takes some minutes.
"""

import sys
from contextlib import closing

import numpy as np
from sklearn.metrics import r2_score

from pipeline.cohort import build_cohort
from pipeline.features import build_matrix
from pipeline.ingest.source import read_source
from pipeline.models import loss
from pipeline.models.boosting import Boosting
from pipeline.models.crossfit import cross_fit
from pipeline.splits import assign_folds
from pipeline.study import Study, load_study

SEEDS = (101, 202, 303)
SHARES = {"squared log error": 0.0, "half and half": 0.5, "gamma deviance": 1.0}


def main(name: str = "support2", target_id: str = "total_cost") -> None:
    """For each share of the gamma deviance and each seed: R² of the logarithm, R² of the amount, ratio of totals."""
    study = load_study(name)
    for label, share in SHARES.items():
        loss._GAMMA_SHARE = share
        rows = np.array([explained(study, target_id, seed=seed) for seed in SEEDS])
        for seed, row in zip(SEEDS, rows, strict=True):
            print(
                f"{label}, folds of seed {seed}: log R² {row[0]:.4f}, R² {row[1]:.4f}, ratio {row[2]:.3f}", flush=True
            )
        print(f"{label}, mean: log R² {rows[:, 0].mean():.4f}, R² {rows[:, 1].mean():.4f}", flush=True)


def explained(study: Study, target_id: str, *, seed: int) -> tuple[float, float, float]:
    """log R², R² and predicted over observed total, out of fold."""
    study = study.model_copy(update={"splits": study.splits.model_copy(update={"seed": seed})})
    source = read_source(study)
    with closing(source.con):
        cohort = build_cohort(study, source, salt=b"benchmark")
    observed = cohort.targets[target_id].to_numpy(np.float64)
    matrix, folds = build_matrix(study, cohort.subjects), assign_folds(study, cohort.targets)
    fit = cross_fit(study, study.target(target_id), matrix, observed, folds, boosting=Boosting(refits=0))
    seen = ~np.isnan(observed)
    y, estimate = observed[seen], fit.estimate[seen]
    log_r2 = r2_score(np.log(y), fit.log_prediction[seen])
    return float(log_r2), float(r2_score(y, estimate)), float(estimate.sum() / y.sum())


if __name__ == "__main__":
    main(*sys.argv[1:])
