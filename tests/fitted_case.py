"""Two hundred patients of the tiny study with made-up fits: a risk that is right and a cost that is about right."""

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from pipeline.models.crossfit import CrossFit
from pipeline.models.intervals import IntervalKind
from pipeline.models.link import link_of
from pipeline.study import Kind, Study

Array = npt.NDArray[np.float64]
N = 200


def _fit(study: Study, target_id: str, estimate: Array) -> CrossFit:
    target = study.target(target_id)
    link = link_of(target.kind)
    return CrossFit(
        target=target,
        link=link,
        interval_kind=IntervalKind.CONFORMAL_PREDICTION,
        models=[],
        final=cast(Any, None),
        margin=link.forward(estimate),
        estimate=estimate,
        bounds=np.column_stack([estimate * f for f in (0.5, 2.0, 0.25, 4.0)]),
        log_prediction=np.log(estimate) if target.kind is not Kind.OUTCOME else np.full(N, np.nan),
        band=np.full((N, 2), np.nan),
        rebuilt=np.empty((0, N)),
        top_features=np.empty((0, N, 4), dtype=np.uint8),
    )


def write_case(tiny_study: Study) -> dict[str, Any]:
    """fits, targets, baselines and subjects of N patients: some without a cost, some without a nurse's risk."""
    rng = np.random.default_rng(5)
    line = rng.normal(-0.5, 1, N)
    cost = rng.lognormal(8, 1, N)
    nurse = expit(line + rng.normal(0, 1, N))
    # Enough that those left out tell of no few.
    nurse[:60] = np.nan
    observed_cost = cost * rng.lognormal(0, 0.5, N)
    observed_cost[5:15] = np.nan
    sex = rng.choice(["male", "female"], N).astype(object)
    sex[:20] = "missing"
    return {
        "fits": {"death": _fit(tiny_study, "death", expit(line)), "cost": _fit(tiny_study, "cost", cost)},
        "targets": pd.DataFrame({"death": (rng.random(N) < expit(line)).astype(float), "cost": observed_cost}),
        "baselines": pd.DataFrame({"nurse": nurse}),
        "subjects": pd.DataFrame({"sex": sex, "age_band": np.where(rng.random(N) < 0.5, "under 65", "65 and over")}),
    }
