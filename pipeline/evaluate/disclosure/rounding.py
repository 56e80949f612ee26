"""Counts told in tens, and numbers no finer than a patient makes them.

Two releases may differ by one patient, and then every exact number gives that patient away: a count whether there was
an event, a total what the stay cost. So counts are rounded to tens, and what would give exact counts back is coarsened
until ten patients more or fewer could not be told: event rates, mean risks, means and totals. Shares at a threshold
and coverages move in steps of one patient: coarser ones would hide from a board whether a group is served worse.

Counts are rounded up or down by a secret of the store, and not to the nearest, because parts and their total, each
rounded to the nearest, together often leave one count only (254 + 254 = 508 is told as 250, 250 and 510). For each ten
the secret holds a digit from 1 to 10 from which on counts are rounded up: 267 becomes 270 for six or seven stores of
ten. So a count is known by 9 either way, counts keep their order, and the same count is the same in every table and
every release of a store, which leaves nothing to average.

What it does not do. Measures that are no share, mean or total (AUROC, slope, ratios) vary continuously and without a
bound that a patient could hide in; they keep two decimals for groups, three for everybody, and so do their intervals,
whose width tells the size of a group roughly. A share at a threshold, in steps of one patient, tells who knows the
patients of both releases whether one of them was flagged. And who knows that two releases differ by exactly one
patient learns whom a count that jumps by ten was about, if that one patient tipped it: only noise on every number
would prevent this.
"""

import hmac

import numpy as np
import numpy.typing as npt
import pandas as pd

TEN = 10
_FINEST_SHARE = 0.001


def round_counts(counts: pd.Series, *, salt: bytes) -> pd.Series:
    """Counts as whole tens (Int64; null stays null), up or down by the secret `salt`."""
    exact = counts.astype("Float64").round().astype("Int64")
    tens = {count: _round_count(int(count), salt) for count in exact.dropna().unique()}
    return exact.map(tens, na_action="ignore").astype("Int64")


def _round_count(count: int, salt: bytes) -> int:
    whole, rest = divmod(count, TEN)
    digest = hmac.digest(salt, f"tens {whole}".encode(), "sha256")
    up_from = 1 + int.from_bytes(digest[:8], "big") % TEN
    return TEN * (whole + (rest >= up_from))


def coarsen_share(shares: pd.DataFrame, of: pd.Series, *, patients: int = 1) -> pd.DataFrame:
    """Columns of shares in steps of at least `patients` of `of`; `lower` columns down, `upper` columns up."""
    return _coarsen(shares, np.maximum(_nice(patients / _at_least_ten(of)), _FINEST_SHARE))


def coarsen_amount(amounts: pd.DataFrame, of: pd.Series) -> pd.DataFrame:
    """Columns of means or totals in steps of at least what ten of the `of` patients make of the first column.

    Two significant digits at 1,000 patients, one at 100.
    """
    size = amounts.iloc[:, 0].astype("Float64").astype(float).abs().to_numpy()
    return _coarsen(amounts, _nice(size * TEN / _at_least_ten(of)))


def round_decimals(numbers: pd.DataFrame, decimals: int) -> pd.DataFrame:
    """Columns rounded to `decimals`."""
    return numbers.astype("Float64").round(decimals)


def round_up_chance(chances: pd.DataFrame) -> pd.DataFrame:
    """Columns of p or q values in hundredths, never 0."""
    hundredths = (100 * chances.astype("Float64").astype(float)).map(np.ceil)
    return _clean(hundredths.clip(lower=1) / 100)


def _coarsen(numbers: pd.DataFrame, step: npt.NDArray[np.float64]) -> pd.DataFrame:
    exact = numbers.astype("Float64").astype(float)
    rounded = {}
    for name in exact:
        steps: npt.NDArray[np.float64] = exact[name].to_numpy() / step
        # What is a whole number of steps but for its last digit is one.
        near = np.isclose(steps, steps.round(), rtol=0, atol=1e-9)
        turn = np.floor if "lower" in str(name) else np.ceil if "upper" in str(name) else np.round
        # 3 steps of 0.1 are 0.30000000000000004: twelve digits are as many as anything here has.
        rounded[name] = [float(f"{value:.12g}") for value in np.where(near, steps.round(), turn(steps)) * step]
    return _clean(pd.DataFrame(rounded, index=numbers.index))


def _clean(numbers: pd.DataFrame) -> pd.DataFrame:
    return numbers.astype("Float64").mask(numbers.isna())


def _at_least_ten(of: pd.Series) -> npt.NDArray[np.float64]:
    counts = np.asarray(of.astype("Float64").astype(float).fillna(TEN), dtype=np.float64)
    return np.maximum(counts, TEN)


def _nice(step: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The smallest of 1, 2 or 5 times a power of ten that is no smaller."""
    positive = np.where(np.isfinite(step) & (step > 0), step, 1.0)
    power = 10.0 ** np.floor(np.log10(positive) + 1e-12)
    lead = positive / power
    return np.asarray(power * np.select([lead <= 1 + 1e-9, lead <= 2 + 1e-9, lead <= 5 + 1e-9], [1, 2, 5], 10))
