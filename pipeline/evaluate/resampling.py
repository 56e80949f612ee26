"""Bootstrap intervals: patients are drawn with replacement, and every measure is computed on every draw."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

# Two draws in a hundred lie outside on each side: with fewer than this many estimable draws no interval is given.
_FEWEST_DRAWS = 100


def draw_weights(n: int, *, draws: int, seed: int) -> Array:
    """Shape (1 + draws, n): a row of ones (the patients as they are), then how often each was drawn."""
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=draws)
    return np.vstack([np.ones((1, n)), drawn]).astype(np.float64)


def summarise_draws(values: Array) -> tuple[float, float, float]:
    """Estimate and 95% interval from the values of `draw_weights` rows; NaN where they cannot be had."""
    estimate, draws = float(values[0]), values[1:]
    draws = draws[np.isfinite(draws)]
    if not np.isfinite(estimate) or len(draws) < min(_FEWEST_DRAWS, len(values) - 1):
        return estimate, float("nan"), float("nan")
    lower, upper = np.quantile(draws, [0.025, 0.975])
    return estimate, float(lower), float(upper)
