"""Derive which row of support2.csv holds each phase II patient's day-3 physiology.

    python data/support2/derive_alignment.py [--out FILE]

In phase II of the public file the 14 physiology columns stand some rows below their patient. Read as one list, the
patient at position i has its physiology at position i + lag, and the lag never falls. The APACHE score `aps` was
computed from the same physiology and stands in the patient's own row, so it tells which lag is right: a regression
predicts aps from every physiology row, and a dynamic programme finds the non-decreasing path of lags with the smallest
disagreement. Nothing is read but `sno`, `aps` and the 14 columns: no outcome can steer the result.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import KFold
from xgboost import XGBRegressor

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FOLDER = Path(__file__).parent
PHYSIOLOGY = ["meanbp", "wblc", "hrt", "resp", "temp", "pafi", "alb", "bili", "crea", "sod", "ph"]
PHYSIOLOGY += ["glucose", "bun", "urine"]
COLUMNS = ["sno", "aps", *PHYSIOLOGY]
# Half-open ranges of 0-based rows, one a site. Glucose, bun and urine are missing in every row outside them.
PHASE_TWO_ROWS = ((832, 1589), (2413, 3232), (4279, 5815), (6731, 7746), (8428, 9105))
# Far above any lag in the file, so that the limit itself decides nothing.
MAX_LAG = 200
# Regression and path in turn: the first regression knows phase I only, the others the pairs that the last path found.
ROUNDS = 4
# A row this close to a lag step may belong to either side of it.
NEAR_ROWS = 5


@dataclass(frozen=True)
class StepRates:
    """How often the lag steps up between two patients, and how often a step grows by one row more."""

    start: float
    grow: float


# Only a start: both rates are estimated anew from every path.
FIRST_RATES = StepRates(start=0.01, grow=0.1)


def build_regression() -> XGBRegressor:
    """Return an unfitted regression; one thread, so that the number of cores cannot change a result."""
    return XGBRegressor(
        n_estimators=400, max_depth=4, learning_rate=0.05, subsample=0.7, colsample_bytree=0.7, min_child_weight=5,
        random_state=0, n_jobs=1,
    )  # fmt: skip


def predict(train_x: Floats, train_y: Floats, x: Floats) -> Floats:
    """Return the predictions for x of a regression fitted on the training rows with a known target."""
    known = ~np.isnan(train_y)
    return np.asarray(build_regression().fit(train_x[known], train_y[known]).predict(x), dtype=float)


def predict_cross_fitted(x: Floats, y: Floats, extra_x: Floats, extra_y: Floats) -> Floats:
    """Return a prediction for each row of x from a regression that was not fitted on that row (5 folds).

    Rows whose y is missing are predicted, never fitted on. The extra rows join the fit of every fold.
    """
    predicted = np.empty(len(x))
    for train, test in KFold(5, shuffle=True, random_state=0).split(x):
        predicted[test] = predict(np.vstack([extra_x, x[train]]), np.concatenate([extra_y, y[train]]), x[test])
    return predicted


def compute_misfit(aps: Floats, predicted: Floats) -> Floats:
    """Return |aps of patient i - aps predicted from row i + lag|, shape (patients, MAX_LAG + 1); NaN = no such row."""
    positions = np.arange(len(aps))[:, None] + np.arange(MAX_LAG + 1)
    inside = positions < len(predicted)
    return np.where(inside, np.abs(aps[:, None] - predicted[np.where(inside, positions, 0)]), np.nan)


def find_lags(cost: Floats, rates: StepRates) -> Ints:
    """Return the non-decreasing path of lags with the smallest cost (Viterbi), one lag a patient.

    A step of k rows costs -log(start) - (k - 1) log(grow), the negative log probability of such a step. `cost` is to be
    on the same scale: a misfit divided by its mean is the negative log likelihood of a Laplace distribution.
    """
    start, grow = -np.log(rates.start), -np.log(rates.grow)
    lags = np.arange(cost.shape[1])
    came_from = np.zeros(cost.shape, dtype=np.int64)
    best = cost[0] + np.where(lags > 0, start + grow * (lags - 1), 0.0)
    for patient in range(1, len(cost)):
        # Cheapest lag below each lag, by a running minimum: linear in the number of lags instead of quadratic.
        origin = best - grow * lags
        lowest = np.minimum.accumulate(origin)
        where = np.maximum.accumulate(np.where(origin <= lowest, lags, 0))
        stepped = np.concatenate([[np.inf], lowest[:-1]]) + start + grow * (lags - 1)
        came_from[patient] = np.where(stepped < best, np.concatenate([[0], where[:-1]]), lags)
        best = np.minimum(stepped, best) + cost[patient]
    path = np.empty(len(cost), dtype=np.int64)
    path[-1] = best.argmin()
    for patient in range(len(cost) - 1, 0, -1):
        path[patient - 1] = came_from[patient, path[patient]]
    return path


def estimate_rates(path: Ints) -> StepRates:
    """Return the step rates seen in a path; one step is added to each count, so that no rate is 0."""
    steps = np.diff(path, prepend=0)
    count, rows = int((steps > 0).sum()), int(steps.sum())
    return StepRates(start=(count + 1) / (len(path) + 2), grow=(rows - count + 1) / (rows + 2))


def match_rows(path: Ints) -> tuple[Ints, Ints]:
    """Return the positions of patients that have a physiology row, and the positions of those rows."""
    patients = np.flatnonzero(np.arange(len(path)) + path < len(path))
    return patients, patients + path[patients]


def align(aps: Floats, predicted: Floats, rates: StepRates) -> tuple[Ints, StepRates]:
    """Return the path of lags and the step rates, each found with the other until the path settles.

    A patient past the end of the list, or without aps, costs as much as the mean match: neither sought nor avoided.
    """
    misfit, path = compute_misfit(aps, predicted), np.full(len(aps), -1)
    # A first scale: the mean misfit at the one lag that fits the whole list best. The path replaces it.
    scale = float(np.nanmean(misfit, axis=0).min())
    for _ in range(20):
        before, path = path, find_lags(np.nan_to_num(misfit / scale, nan=1.0), rates)
        if np.array_equal(before, path):
            break
        scale, rates = float(np.nanmean(misfit[np.arange(len(path)), path])), estimate_rates(path)
    return path, rates


def mark_near_steps(path: Ints) -> npt.NDArray[np.bool_]:
    """Return which patients stand among the NEAR_ROWS rows before or after a step of the lag."""
    near = np.zeros(len(path), dtype=bool)
    for step in np.flatnonzero(np.diff(path)) + 1:
        near[max(0, step - NEAR_ROWS) : step + NEAR_ROWS] = True
    return near


class Derived(NamedTuple):
    """The alignment, one row a phase II patient, and the misfit of each patient at each lag, in aps points."""

    table: pd.DataFrame
    misfit: Floats


def fit_path(x: Floats, aps: Floats, x_one: Floats, aps_one: Floats) -> tuple[Ints, Floats]:
    """Return the lags of phase II and the aps predicted from each of its rows; x_one and aps_one are phase I."""
    predicted = predict(x_one, aps_one, x)
    path, rates = align(aps, predicted, FIRST_RATES)
    for _ in range(ROUNDS - 1):
        patients, matched = match_rows(path)
        owner_aps = np.full(len(aps), np.nan)
        owner_aps[matched] = aps[patients]
        predicted = predict_cross_fitted(x, owner_aps, x_one, aps_one)
        path, rates = align(aps, predicted, rates)
    return path, predicted


def derive_alignment(frame: pd.DataFrame) -> Derived:
    """Return which sno holds each phase II patient's physiology (physiology_sno, -1 = none), and the misfits behind it.

    `frame` is the file in its own order; no column but COLUMNS is read.
    """
    rows = np.concatenate([np.arange(*block) for block in PHASE_TWO_ROWS])
    x_all, aps_all = frame[PHYSIOLOGY].to_numpy(dtype=float), frame["aps"].to_numpy(dtype=float)
    sno, aps = frame["sno"].to_numpy()[rows], aps_all[rows]
    path, predicted = fit_path(x_all[rows], aps, np.delete(x_all, rows, axis=0), np.delete(aps_all, rows))
    patients, matched = match_rows(path)
    physiology_sno, residual = np.full(len(rows), -1), np.full(len(rows), np.nan)
    physiology_sno[patients], residual[patients] = sno[matched], (aps[patients] - predicted[matched]).round(1)
    site = np.repeat(np.arange(1, len(PHASE_TWO_ROWS) + 1), [end - start for start, end in PHASE_TWO_ROWS])
    table = pd.DataFrame({"sno": sno, "site": site, "phase": 2, "lag": path, "physiology_sno": physiology_sno})
    table = table.assign(aps_minus_predicted=residual, near_change=mark_near_steps(path))
    return Derived(table, compute_misfit(aps, predicted))


def describe_disagreements(derived: Derived, committed: pd.DataFrame) -> list[str]:
    """Return one sentence for each run of rows for which the derived and the committed alignment name different rows.

    At odds below 20 to 1 (a summed misfit smaller by less than log 20 mean misfits) aps is said not to tell.
    """
    lags, rivals = derived.table["lag"].to_numpy(), committed["lag"].to_numpy()
    differs = (derived.table["physiology_sno"] != committed["physiology_sno"]).to_numpy()
    steps = np.flatnonzero(np.diff(rivals)) + 1
    enough = np.log(20) * derived.table["aps_minus_predicted"].abs().mean()
    sentences = []
    for run in np.split(np.arange(len(lags)), np.flatnonzero(np.diff(differs) | np.diff(lags) | np.diff(rivals)) + 1):
        if not differs[run[0]]:
            continue
        distance = max(int(np.minimum(np.abs(row - steps), np.abs(row + 1 - steps)).min()) for row in run)
        ours, theirs = (float(np.nansum(derived.misfit[run, path[run]])) for path in (lags, rivals))
        verdict = "favours the derived lag" if theirs > ours else "favours the committed lag"
        sentences.append(
            f"sno {committed['sno'].iloc[run[0]]}-{committed['sno'].iloc[run[-1]]}: lag {lags[run[0]]} derived, "
            f"{rivals[run[0]]} committed, at most {distance + 1} from a lag step, misfit {ours:.1f} and {theirs:.1f}: "
            f"aps {'cannot tell' if abs(theirs - ours) <= enough else verdict}."
        )
    return sentences


def main() -> None:
    """Derive the alignment, compare it with the committed one and, with --out, write it."""
    parser = argparse.ArgumentParser(description="Derive the alignment of support2.csv from aps and physiology alone.")
    parser.add_argument("--out", type=Path, help="write the derived alignment to this CSV file")
    out = parser.parse_args().out
    derived = derive_alignment(pd.read_csv(FOLDER / "support2.csv", usecols=COLUMNS))
    committed, table = pd.read_csv(FOLDER / "alignment.csv"), derived.table
    equal = int((table["physiology_sno"] == committed["physiology_sno"]).sum())
    print(
        f"{len(table):,} phase II patients, lag 0 to {table['lag'].max()}, {(np.diff(table['lag']) > 0).sum()} steps; "
        f"{(table['physiology_sno'] == -1).sum()} have no physiology in the file; "
        f"median |aps - predicted| {table['aps_minus_predicted'].abs().median():.1f} points.\n"
        f"Equal to the committed alignment.csv: {equal:,} of {len(table):,} rows ({equal / len(table):.2%})."
    )
    print(*describe_disagreements(derived, committed), sep="\n")
    if out:
        table.to_csv(out, index=False)


if __name__ == "__main__":
    main()
