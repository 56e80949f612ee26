"""Venn-Abers bands: as isotonic regression gives them one patient at a time, as a library does, and in simulations."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from pipeline.models.venn_abers import CrossVennAbers, VennAbers, fit_cross_venn_abers, fit_venn_abers
from pipeline.splits import inner_folds
from tests.oracles import venn_abers_band

Array = npt.NDArray[np.float64]


def test_the_band_of_four_patients_is_the_one_counted_by_hand() -> None:
    # At 2, between a non-event and an event below and an event above.
    bands = fit_venn_abers(np.array([0.0, 1.0, 3.0, 4.0]), np.array([0.0, 1.0, 0.0, 1.0]))
    # As a non-event 1, 0, 0 pool to 1/3; as an event 1, 1, 0 pool to 2/3.
    np.testing.assert_allclose(bands.band(np.array([2.0])), [[1 / 3, 2 / 3]])
    # Beyond everybody: as an event it is the highest, a block of its own; as a non-event it pools with those below.
    np.testing.assert_allclose(bands.band(np.array([9.0])), [[1 / 2, 1.0]])
    np.testing.assert_allclose(bands.band(np.array([-9.0])), [[0.0, 1 / 2]])


@given(st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1, max_size=30), st.integers(-1, 9))
def test_it_is_isotonic_regression_with_the_patient_once_as_an_event_and_once_not(
    patients: list[tuple[int, bool]], margin: int
) -> None:
    margins, events = (np.array(column, dtype=float) for column in zip(*patients, strict=True))
    bands = fit_venn_abers(margins, events)
    for place in (margin, margin + 0.5):
        found = bands.band(np.array([place], dtype=float))[0]
        np.testing.assert_allclose(found, venn_abers_band(margins, events, float(place)), atol=1e-12)
        assert 0 <= found[0] < found[1] <= 1


def _simulate(n: int, seed: int) -> tuple[Array, Array, Array]:
    """A margin, the true risk (steeper than the margin says, and with a step), and the event."""
    rng = np.random.default_rng(seed)
    margin = rng.normal(-0.5, 1.5, n)
    risk = expit(1.4 * margin + 0.8 * (margin > 1) - 0.3)
    return margin, risk, (rng.random(n) < risk).astype(float)


def test_it_agrees_with_the_library_venn_abers() -> None:
    margin, _, event = _simulate(3000, seed=2)
    new = _simulate(500, seed=3)[0]
    risks, new_risks = (np.column_stack([1 - expit(m), expit(m)]) for m in (margin, new))
    # It divides by zero by design, and importing it changes what numpy warns of.
    with np.errstate(divide="ignore", invalid="ignore"):
        from venn_abers import VennAbers

        library = VennAbers()
        library.fit(risks, event)
        _, expected = library.predict_proba(new_risks)
    np.testing.assert_allclose(fit_venn_abers(margin, event).band(new), expected, atol=1e-9)


def test_the_ends_of_a_band_are_the_means_of_what_the_folds_say_each_by_itself() -> None:
    # The first fold says 1/3 and 2/3 at 2, as above; the second, one event at 1, says 1/2 and 1.
    margin, event = np.array([0.0, 1.0, 1.0, 3.0, 4.0]), np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    bands = fit_cross_venn_abers(margin, event, np.array([0, 1, 0, 0, 0]))
    assert len(bands.folds) == 2
    np.testing.assert_allclose(bands.band(np.array([2.0])), [[(1 / 3 + 1 / 2) / 2, (2 / 3 + 1) / 2]])


def test_each_fold_is_asked_as_isotonic_regression_would_be() -> None:
    margin, _, event = _simulate(1000, seed=2)
    new = _simulate(200, seed=3)[0]
    folds = inner_folds(1000, folds=5, seed=1)
    bands = fit_cross_venn_abers(margin, event, folds).band(new)
    found = np.zeros((200, 2))
    for fold in range(5):
        found += [venn_abers_band(margin[folds == fold], event[folds == fold], float(m)) for m in new]
    np.testing.assert_allclose(bands, found / 5, atol=1e-9)


def test_folds_widen_a_band_about_as_much_as_a_fifth_of_the_patients_would() -> None:
    new = np.linspace(-3, 3, 200)
    margin, _, event = _simulate(5000, seed=7)
    widths = [
        np.diff(bands.band(new), axis=1).mean()
        for bands in (
            fit_venn_abers(margin, event),
            _fit_in_folds(margin, event),
            fit_venn_abers(margin[:1000], event[:1000]),
        )
    ]
    assert widths[1] > 2 * widths[0]
    assert widths[1] == pytest.approx(widths[2], rel=0.25)


def test_steps_are_kept_only_where_the_band_changes() -> None:
    margin, _, event = _simulate(5000, seed=4)
    bands = fit_venn_abers(margin, event)
    assert len(bands.lower) == len(bands.lower_from) < 1000
    assert len(bands.upper) == len(bands.upper_to) < 1000
    for rising in (bands.lower_from, bands.lower, bands.upper_to, bands.upper):
        assert (np.diff(rising) > 0).all()


def _fit_in_folds(margin: Array, event: Array) -> CrossVennAbers:
    return fit_cross_venn_abers(margin, event, inner_folds(len(event), folds=5, seed=1))


@pytest.mark.parametrize("fit", [fit_venn_abers, _fit_in_folds])
def test_patients_with_alike_margins_have_the_event_as_often_as_their_bands_say(
    fit: Callable[[Array, Array], VennAbers | CrossVennAbers],
) -> None:
    tenths = np.zeros((10, 3))
    repeats, n_new = 40, 4000
    for repeat in range(repeats):
        margin, _, event = _simulate(1000, seed=100 + repeat)
        new, _, happened = _simulate(n_new, seed=500 + repeat)
        band = fit(margin, event).band(new)
        place = np.searchsorted(np.quantile(new, np.linspace(0.1, 0.9, 9)), new)
        for tenth in range(10):
            own = place == tenth
            tenths[tenth] += np.array([happened[own].mean(), *band[own].mean(axis=0)]) / repeats
    rate, lower, upper = tenths.T
    # Twice the Monte Carlo error of new events; that of the bands' own training sets is smaller.
    error = 2.5 * np.sqrt(rate * (1 - rate) / (repeats * n_new / 10))
    assert (rate >= lower - error).all()
    assert (rate <= upper + error).all()
    # It is no statement that is true of anything.
    assert (upper - lower).max() < 0.15
    assert (upper[:-1] < rate[1:]).any()


def test_more_patients_make_a_narrower_band() -> None:
    new = np.linspace(-3, 3, 50)
    few, many = (np.diff(fit_venn_abers(*_simulate(n, seed=7)[::2]).band(new), axis=1).mean() for n in (200, 20_000))
    assert many < few / 3
