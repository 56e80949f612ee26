"""The coverage of rebuilds: as leaving each one out gives it, and of what is promised where rebuilds are normal."""

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.models.crossfit import CrossFit
from pipeline.models.intervals import IntervalKind, instability_bounds
from pipeline.models.link import Link, link_of
from pipeline.models.rebuild_coverage import rebuild_coverage
from pipeline.study import Study

Array = npt.NDArray[np.float64]


def _fit(study: Study, margin: Array, rebuilt: Array, *, target_id: str = "death") -> CrossFit:
    target, n = study.target(target_id), len(margin)
    return CrossFit(
        target=target,
        link=link_of(target.kind),
        interval_kind=IntervalKind.MODEL_INSTABILITY,
        models=[],
        final=cast(Any, None),
        margin=margin,
        estimate=margin,
        bounds=np.full((n, 4), np.nan),
        band=np.full((n, 2), np.nan),
        log_prediction=np.full(n, np.nan),
        rebuilt=rebuilt,
        top_features=np.empty((len(rebuilt), n, 4), dtype=np.uint8),
    )


def _simulate(rebuilds: int, n: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(5)
    margin = rng.normal(size=n)
    return margin, margin + rng.normal(0, 0.4, (rebuilds, n))


def test_it_is_what_leaving_out_each_rebuild_in_turn_gives(tiny_study: Study) -> None:
    margin, rebuilt = _simulate(7, 30)
    inside = np.zeros((30, 2))
    for left_out in range(7):
        bounds = instability_bounds(margin, np.delete(rebuilt, left_out, axis=0))
        risk = Link.LOGIT.inverse(rebuilt[left_out])[:, None]
        inside += (bounds[:, [0, 2]] <= risk) & (risk <= bounds[:, [1, 3]])
    np.testing.assert_allclose(rebuild_coverage(_fit(tiny_study, margin, rebuilt)), inside / 7)


@pytest.mark.parametrize("rebuilds", [3, 20])
def test_it_is_the_level_where_rebuilds_are_normal_around_the_margin(tiny_study: Study, rebuilds: int) -> None:
    margin, rebuilt = _simulate(rebuilds, 20_000)
    np.testing.assert_allclose(rebuild_coverage(_fit(tiny_study, margin, rebuilt)).mean(axis=0), [0.8, 0.9], atol=0.006)


def test_it_is_short_of_the_level_where_a_fifth_of_them_are_far_away(tiny_study: Study) -> None:
    margin, rebuilt = _simulate(20, 5000)
    rebuilt[:4] += 5
    assert rebuild_coverage(_fit(tiny_study, margin, rebuilt)).mean(axis=0) == pytest.approx([0.8, 0.8], abs=0.01)


def test_amounts_and_quick_builds_have_none(tiny_study: Study) -> None:
    margin, rebuilt = _simulate(3, 5)
    for fit in (
        _fit(tiny_study, margin, rebuilt, target_id="cost"),
        _fit(tiny_study, margin, rebuilt[:0]),
        _fit(tiny_study, margin, rebuilt[:1]),
    ):
        assert np.isnan(rebuild_coverage(fit)).all()
        assert rebuild_coverage(fit).shape == (5, 2)
