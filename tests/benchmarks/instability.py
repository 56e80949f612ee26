"""How often new rebuilds of a fold's model fall inside the interval that earlier ones gave. Prints, asserts nothing.

`.venv/bin/python tests/benchmarks/instability.py [STUDY]`; takes about a minute.
"""

import sys
from contextlib import closing

import numpy as np

from pipeline.cohort import build_cohort
from pipeline.features import build_matrix
from pipeline.ingest.source import read_source
from pipeline.models.boosting import Boosting, fit_booster, fit_inner, predict_margin
from pipeline.models.intervals import instability_bounds, measure_instability
from pipeline.models.link import Link
from pipeline.models.recalibration import fit_recalibration
from pipeline.splits import assign_folds
from pipeline.study import load_study

NEW_REBUILDS = 40


def main(name: str = "support2") -> None:
    """For each outcome, on the first fold: the share of new rebuilds and patients inside the 80% and 90% interval."""
    study, boosting = load_study(name), Boosting()
    source = read_source(study)
    with closing(source.con):
        cohort = build_cohort(study, source, salt=b"benchmark")
    matrix, folds = build_matrix(study, cohort.subjects), assign_folds(study, cohort.targets)
    train, scored = matrix[folds != 0], matrix[folds == 0]
    for target in (t for t in study.targets if t.event):
        event = cohort.targets[target.id].to_numpy(np.float64)[folds != 0]
        inner = fit_inner(study, train, event, link=Link.LOGIT, boosting=boosting, seed=1)
        whole = fit_booster(study, train, event, link=Link.LOGIT, boosting=boosting, rounds=inner.rounds, seed=1)
        recalibration = fit_recalibration(inner.margin, event, link=Link.LOGIT)
        margin = recalibration.apply(predict_margin(study, whole, scored))
        distance = measure_instability(
            study, train, event, scored, margin, boosting=boosting, rounds=inner.rounds, seed=1
        )
        bounds = instability_bounds(margin, distance, refits=boosting.refits)
        inside = [0.0, 0.0]
        for new in range(NEW_REBUILDS):
            # One rebuild's distance is how far it lies from the margin, whichever way.
            one = Boosting(refits=1)
            far = measure_instability(
                study, train, event, scored, margin, boosting=one, rounds=inner.rounds, seed=5000 + 7 * new
            )
            for i, upper in enumerate((bounds[:, 1], bounds[:, 3])):
                inside[i] += float(np.mean(far <= Link.LOGIT.forward(upper) - margin)) / NEW_REBUILDS
        print(f"{target.id}: 80% interval {inside[0]:.3f}, 90% interval {inside[1]:.3f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
