"""Contributions as shares of a difference that people can read: deaths per 100, dollars, days.

Along the straight line from base b to margin f the Aumann-Shapley value of a sum under one link g is exactly
c_j (g(f) − g(b)) / (f − b): it adds up, keeps signs, and does not depend on any order (Aumann & Shapley 1974;
Sundararajan et al. 2017). It is a proportional allocation of the difference, not what removing a factor would change.
"""

import numpy as np
import numpy.typing as npt

from pipeline.models.link import Link

Array = npt.NDArray[np.float64]


def share_difference(contributions: Array, base: Array, *, link: Link) -> Array:
    """Contributions (n, k) on the margin as shares of inverse(margin) − inverse(base); base is (n,)."""
    margin = base + contributions.sum(axis=1)
    return contributions * _rate(base, margin, link)[:, None]


def _rate(base: Array, margin: Array, link: Link) -> Array:
    """The secant of the inverse link between base and margin; its tangent where they meet."""
    step = margin - base
    at_base = link.inverse(base)
    tangent = at_base * (1 - at_base) if link is Link.LOGIT else at_base
    apart = np.abs(step) > 1e-9
    secant = (link.inverse(margin) - at_base) / np.where(apart, step, 1.0)
    return np.asarray(np.where(apart, secant, tangent), dtype=np.float64)
