"""The links between a margin, where contributions add, and the estimate that people read."""

from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from pipeline.study.model import Kind

Array = npt.NDArray[np.float64]


class Link(StrEnum):
    """`logit` for the risk of an event, `log` for money and other positive amounts."""

    LOGIT = "logit"
    LOG = "log"

    def inverse(self, margin: Array) -> Array:
        """The estimate that belongs to a margin."""
        return np.asarray(expit(margin) if self is Link.LOGIT else np.exp(margin), dtype=np.float64)

    def forward(self, estimate: Array) -> Array:
        """The margin that belongs to an estimate."""
        return np.asarray(logit(estimate) if self is Link.LOGIT else np.log(estimate), dtype=np.float64)


def link_of(kind: Kind) -> Link:
    """The link of a kind of target."""
    return Link.LOGIT if kind is Kind.OUTCOME else Link.LOG
