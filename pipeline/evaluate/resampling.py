"""Bootstrap intervals: patients are drawn with replacement, and every measure is computed on every draw."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

# Two draws in a hundred lie outside on each side: with fewer than this many estimable draws no interval is given.
_FEWEST_DRAWS = 100
_ENDS = np.array([0.025, 0.975])
# Drawing a patient and counting them takes about a tenth of the time of a binomial number.
_PATIENTS_PER_BINOMIAL = 10
_NUMBERS_AT_ONCE = 100_000


def draw_weights(n: int, *, draws: int, seed: int) -> Array:
    """Shape (1 + draws, n): a row of ones (the patients as they are), then how often each was drawn."""
    return draw_counts(np.ones(n, dtype=np.int64), draws=draws, seed=seed)


def draw_counts(counts: Counts, *, draws: int, seed: int) -> Array:
    """Shape (1 + draws, kinds): `counts` (kinds,), then how many of each kind are among as many patients drawn anew.

    Patients of one kind are alike, so this is the bootstrap of the patients themselves, at the cost of the kinds.
    """
    rng = np.random.default_rng(seed)
    n, kinds = int(counts.sum()), len(counts)
    if n < _PATIENTS_PER_BINOMIAL * kinds:
        drawn = _draw_patients(np.repeat(np.arange(kinds), counts), kinds, draws, rng)
    else:
        drawn = rng.multinomial(n, counts / n, size=draws)
    return np.vstack([counts, drawn]).astype(np.float64)


def iterate_weights(n: int, *, draws: int, seed: int) -> Iterator[Array]:
    """The rows of `draw_weights`, a few at a time: all at once, those of 100,000 patients take gigabytes."""
    yield np.ones((1, n))
    for part in _iterate_draws(np.arange(n), n, draws, np.random.default_rng(seed)):
        yield part.astype(np.float64)


def _draw_patients(kind: Counts, kinds: int, draws: int, rng: np.random.Generator) -> Counts:
    """How often each of the `kinds` is drawn (draws, kinds), drawing patients of `kind` (n,) as often as there are."""
    return np.concatenate([np.empty((0, kinds), dtype=np.int64), *_iterate_draws(kind, kinds, draws, rng)])


def _iterate_draws(kind: Counts, kinds: int, draws: int, rng: np.random.Generator) -> Iterator[Counts]:
    n, at_once = len(kind), max(1, _NUMBERS_AT_ONCE // max(len(kind), 1))
    for start in range(0, draws, at_once):
        size = min(at_once, draws - start)
        places = kind[rng.integers(n, size=(size, n), dtype=np.int32)] + kinds * np.arange(size)[:, None]
        yield np.bincount(places.ravel(), minlength=size * kinds).reshape(size, kinds)


def draw_medians(values: Array, *, draws: int, seed: int) -> Array:
    """Shape (1 + draws,): the median of `values` (n,), then those of as many drawn with replacement.

    Of an even number it is the lower of the two in the middle. Where that one falls among the sorted values is a beta
    variate, so nothing needs to be drawn and sorted: the draws are exact.
    """
    n = len(values)
    middle = (n + 1) // 2
    place = np.random.default_rng(seed).beta(middle, n - middle + 1, size=draws) * n
    return np.asarray(np.sort(values)[np.concatenate([[middle - 1], np.minimum(place.astype(np.int64), n - 1)])])


def summarise_draws(values: Array) -> tuple[float, float, float]:
    """Estimate and 95% interval from the values of `draw_weights` rows; NaN where they cannot be had."""
    estimate, draws = float(values[0]), values[1:]
    draws = draws[np.isfinite(draws)]
    if not (np.isfinite(estimate) and len(draws)) or len(draws) < min(_FEWEST_DRAWS, len(values) - 1):
        return estimate, float("nan"), float("nan")
    # What np.quantile gives, at a tenth of its time for so few numbers; there are a hundred thousand intervals.
    ordered = np.sort(draws)
    lower, upper = np.interp(_ENDS * (len(ordered) - 1), np.arange(len(ordered)), ordered)
    return estimate, float(lower), float(upper)
