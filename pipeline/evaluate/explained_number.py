"""Whether contributions add up to the number that is displayed: to the margin, by concept, and in people's units."""

import numpy as np
import numpy.typing as npt

from pipeline.explain.contributions import Contributions
from pipeline.explain.importance import sum_by_concept
from pipeline.explain.share import share_difference
from pipeline.models.crossfit import CrossFit
from pipeline.splits import Folds
from pipeline.study.model import Study

Array = npt.NDArray[np.float64]


def miss_of_margin(fit: CrossFit, explained: Contributions) -> Array:
    """|base + contributions − margin| of each patient, (n,)."""
    return np.asarray(np.abs(explained.base + explained.by_feature.sum(axis=1) - fit.margin), dtype=np.float64)


def miss_of_estimate(fit: CrossFit, explained: Contributions) -> Array:
    """|link⁻¹(base + contributions) − displayed estimate| as a share of the estimate, (n,)."""
    reached = fit.link.inverse(explained.base + explained.by_feature.sum(axis=1))
    return np.asarray(np.abs(reached - fit.estimate) / fit.estimate, dtype=np.float64)


def miss_of_base(explained: Contributions, folds: Folds) -> Array:
    """|base − median base of the fold|, (n,): one model has one base, and what differs was rounded away."""
    middle = np.array([np.median(explained.base[folds == fold]) for fold in range(int(folds.max()) + 1)])
    return np.asarray(np.abs(explained.base - middle[folds]), dtype=np.float64)


def miss_of_concepts(study: Study, explained: Contributions) -> Array:
    """How far the concepts' contributions together are from the features' together, (n,): none is lost or doubled."""
    together = np.sum(list(sum_by_concept(study, explained.by_feature).values()), axis=0)
    return np.asarray(np.abs(together - explained.by_feature.sum(axis=1)), dtype=np.float64)


def miss_of_points(fit: CrossFit, explained: Contributions) -> Array:
    """|shares in the target's unit − (estimate − base's estimate)| as a share of the estimate, (n,)."""
    shares = share_difference(explained.by_feature, explained.base, link=fit.link).sum(axis=1)
    difference = fit.estimate - fit.link.inverse(explained.base)
    return np.asarray(np.abs(shares - difference) / fit.estimate, dtype=np.float64)
