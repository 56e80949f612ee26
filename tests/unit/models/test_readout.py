"""From a raw margin to a prediction."""

import numpy as np
import pytest

from pipeline.models.link import Link
from pipeline.models.readout import fit_readout, silent


def test_the_readout_of_an_event_undoes_a_known_distortion() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(-0.5, 1.2, 200_000)
    events = (rng.random(len(truth)) < 1 / (1 + np.exp(-truth))).astype(float)
    # Too extreme by 2 and too high by 1.
    readout = fit_readout(1 + 2 * truth, events, link=Link.LOGIT)
    said = readout.predict(np.array([1.0, 3.0]))
    np.testing.assert_allclose(said.margin, [0.0, 1.0], atol=0.03)
    np.testing.assert_allclose(said.estimate, 1 / (1 + np.exp(-said.margin)))
    assert np.isnan(said.log_prediction).all()
    assert np.isnan(said.bounds).all()
    assert said.bounds.shape == (2, 4)


def test_the_readout_of_an_amount_is_right_in_total_and_for_the_logarithm() -> None:
    rng = np.random.default_rng(2)
    raw = rng.normal(8, 0.6, 50_000)
    amounts = np.exp(1 + 0.9 * raw + rng.normal(0, 0.7, len(raw)))
    readout = fit_readout(raw, amounts, link=Link.LOG)
    said = readout.predict(raw)
    assert said.estimate.sum() == pytest.approx(amounts.sum(), rel=1e-6)
    np.testing.assert_allclose(said.log_prediction, 1 + 0.9 * raw, atol=0.03)
    inside = (amounts >= said.bounds[:, 2]) & (amounts <= said.bounds[:, 3])
    assert inside.mean() == pytest.approx(0.9, abs=0.01)


def test_what_is_put_in_place_stays_silent_elsewhere() -> None:
    whole = silent(3)
    whole.put(
        np.array([False, True, False]),
        fit_readout(np.arange(60.0), np.arange(1, 61.0), link=Link.LOG).predict(np.ones(1)),
    )
    np.testing.assert_array_equal(np.isfinite(whole.estimate), [False, True, False])
    np.testing.assert_array_equal(np.isfinite(whole.bounds).all(axis=1), [False, True, False])
