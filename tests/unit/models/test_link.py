"""The links between margin and estimate."""

import numpy as np
import pytest

from pipeline.models.link import Link, link_of
from pipeline.study import Kind


@pytest.mark.parametrize(("link", "margin", "estimate"), [(Link.LOGIT, np.log(3), 0.75), (Link.LOG, np.log(3), 3.0)])
def test_the_inverse_of_a_link_gives_the_estimate(link: Link, margin: float, estimate: float) -> None:
    assert link.inverse(np.array([margin]))[0] == pytest.approx(estimate)
    assert link.forward(np.array([estimate]))[0] == pytest.approx(margin)


@pytest.mark.parametrize("link", list(Link))
def test_forward_and_inverse_undo_each_other(link: Link) -> None:
    margin = np.linspace(-8, 8, 41)
    np.testing.assert_allclose(link.forward(link.inverse(margin)), margin, atol=1e-9)


def test_events_have_a_logit_and_amounts_a_logarithm() -> None:
    assert {kind: link_of(kind) for kind in Kind} == {
        Kind.OUTCOME: Link.LOGIT,
        Kind.COST: Link.LOG,
        Kind.RESOURCE: Link.LOG,
    }
