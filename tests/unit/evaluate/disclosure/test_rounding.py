"""Counts in tens, and numbers as coarse; and what the difference of two releases tells."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluate.disclosure import SMALLEST_CELL, suppress
from pipeline.evaluate.disclosure.rounding import coarsen_amount, coarsen_share, round_counts, round_up_chance
from tests.unit.evaluate.disclosure.attack import KINDS, Cell, Program, count, write_program
from tests.unit.evaluate.disclosure.groups import Patients, draw_patients, tables_of

SALT = b"a secret of the store"
ALL = ("all", "all")


@given(salt=st.binary(min_size=1, max_size=8), start=st.integers(0, 9000))
def test_a_count_becomes_a_ten_beside_it_and_counts_keep_their_order(salt: bytes, start: int) -> None:
    counts = pd.Series(range(start, start + 60))
    tens = round_counts(counts, salt=salt)
    assert (tens % 10 == 0).all()
    assert (abs(tens - counts) < 10).all()
    assert tens.is_monotonic_increasing
    assert (tens[counts % 10 == 0] == counts[counts % 10 == 0]).all()


def test_rounding_is_right_on_average_and_the_same_every_time() -> None:
    counts = pd.Series([267, None, 41], dtype="Int64")
    tens = pd.concat([round_counts(counts, salt=f"{i}".encode()) for i in range(800)], axis=1)
    assert tens.loc[0].mean() == pytest.approx(267, abs=0.6)
    assert tens.loc[2].mean() == pytest.approx(41, abs=0.4)
    assert tens.loc[1].isna().all()
    pd.testing.assert_series_equal(round_counts(counts, salt=SALT), round_counts(counts, salt=SALT))


@pytest.mark.parametrize(
    ("share", "n", "expected"),
    [((0.4664, 0.431, 0.502), 9100, (0.466, 0.43, 0.502)), ((0.467, 0.431, 0.502), 100, (0.5, 0.4, 0.6))],
)
def test_a_share_may_be_in_steps_of_ten_patients_and_its_interval_is_not_narrower(
    share: tuple[float, ...], n: int, expected: tuple[float, ...]
) -> None:
    told = coarsen_share(pd.DataFrame([share], columns=["estimate", "lower", "upper"]), pd.Series([n]), patients=10)
    assert told.to_numpy()[0].tolist() == pytest.approx(list(expected))
    assert told["lower"][0] <= share[1]
    assert told["upper"][0] >= share[2]


def test_other_shares_are_in_steps_of_a_patient() -> None:
    told = coarsen_share(pd.DataFrame({"estimate": [0.4664, 0.4664]}), pd.Series([9100, 40]))
    # One of 9,100 would be finer than a thousandth; one of 40 is 0.025, so the step is 0.05.
    assert told["estimate"].tolist() == pytest.approx([0.466, 0.45])


def test_an_amount_is_in_steps_of_what_ten_patients_make_of_it() -> None:
    totals = pd.DataFrame({"projected_total": [1_234_567.0, 285_912_345.0], "lower": [1e6, 2.8e8], "upper": [2e6, 3e8]})
    told = coarsen_amount(totals, pd.Series([40, 9100]))
    # Ten of 40 patients are 300,000 dollars: steps of 500,000. Ten of 9,100 are 314,000: the same.
    assert told["projected_total"].tolist() == [1_000_000, 286_000_000]
    assert told["upper"].tolist() == [2_000_000, 300_000_000]


def test_a_chance_is_never_nothing() -> None:
    told = round_up_chance(pd.DataFrame({"p_value": [0.0, 1e-9, 0.0312, 1.0, np.nan]}))["p_value"]
    assert told.tolist()[:4] == [0.01, 0.01, 0.04, 1.0]
    assert told.isna().tolist() == [False] * 4 + [True]


def _read(tables: dict[str, pd.DataFrame], cells: list[Cell]) -> Program:
    """What a role file says: counts between the tens beside those shown, and event rates between two steps."""
    groups = pd.concat([tables["subgroup_performance"], tables["performance"].assign(attribute="all", level="all")])
    told = {(r["target_id"], r["attribute"], r["level"]): r for r in groups.to_dict("records")}
    totals = {(r["attribute"], r["level"]): r for r in tables["group_total"].to_dict("records")}
    bounds: list[list[tuple[float, float | None]]] = []
    rates: list[tuple[Cell, str, float, float]] = []
    for cell in cells:
        own: list[tuple[float, float | None]] = [(0.0, None)] * len(KINDS)
        for i, target in ((1, "death"), (3, "readmission")):
            if row := told.get((target, *cell)):
                n, events, rate = row["n"], row["n_events"], row["estimate"]
                own[0], own[i] = _between(n), _between(events)
                if pd.notna(rate):
                    half = _step(float(n)) / 2 + 1e-9
                    rates.append((cell, KINDS[i], float(rate) - half, float(rate) + half))
        if row := told.get(("cost", *cell)):
            own[5] = _between(row["n"])
        if row := totals.get(cell):
            assert _between(row["n"]) == own[0]
            assert _between(row["n_observed"]) == own[5]
        bounds.append(own)
    return write_program(cells, bounds, rates)


def _step(n: float) -> float:
    """The step of a share of n patients: 1, 2 or 5 times a power of ten, and ten patients at least."""
    return min(m * 10.0**p for p in range(-4, 1) for m in (1, 2, 5) if m * 10.0**p >= 10 / max(n, 10) - 1e-9)


def _between(tens: Any) -> tuple[float, float | None]:
    """What a count may have been: a ten is told of counts less than ten away."""
    if pd.isna(tens):
        return (0.0, None)
    return (max(float(tens) - 9, 0.0), float(tens) + 9)


def _narrowest_difference(one: Patients, two: Patients, attributes: tuple[str, ...]) -> float:
    """The narrowest range of the change of any count from one release to the next, for who has both role files."""
    counts = count(one)
    names = {"all", *attributes, *(f"{a} × {b}" for a, b in combinations(attributes, 2))}
    cells = [cell for cell in counts.index if cell[0] in names]
    programs = [_read(suppress(tables_of(patients), salt=SALT), cells) for patients in (one, two)]
    widths = []
    for cell in cells:
        for kind in KINDS:
            (low_1, high_1), (low_2, high_2) = (program.range_of(cell, kind) for program in programs)
            widths.append((high_2 - low_1) - (low_2 - high_1))
    return float(min(widths))


def _without(patients: Patients, row: int) -> Patients:
    subjects, targets = patients
    keep = np.arange(len(subjects)) != row
    return subjects[keep].reset_index(drop=True), targets[keep].reset_index(drop=True)


@pytest.mark.parametrize("seed", range(6))
def test_two_releases_that_differ_by_one_patient_tell_no_change_of_a_count(seed: int) -> None:
    patients = draw_patients(700 + 37 * seed, seed=seed, levels=(2, 3))
    assert _narrowest_difference(patients, _without(patients, seed), ("a", "b")) > 10


def test_counts_rounded_to_the_nearest_ten_would_tell() -> None:
    # Of two levels and their total, each to the nearest ten: 250, 250 and 510 leave 251 to 254 for either level, and
    # two such releases a change of 3 either way.
    levels = [(245.0, 254.0)] * 2
    low = max(levels[0][0], 505 - levels[1][1])
    assert 2 * (levels[0][1] - low) < SMALLEST_CELL


@pytest.mark.parametrize("row", range(5))
def test_no_exact_count_or_total_of_everybody_changes_with_one_patient(row: int) -> None:
    patients = draw_patients(1003, seed=11)
    one, two = (suppress(tables_of(p), salt=SALT) for p in (patients, _without(patients, row)))
    for name, columns in (
        ("release", ["n_subjects"]),
        ("target", ["n", "n_events"]),
        ("performance", ["n", "n_events"]),
        ("group_total", ["n", "n_observed"]),
    ):
        for column in columns:
            for tables in (one, two):
                assert (tables[name][column].dropna() % 10 == 0).all()
    # The cost of one patient is not the difference of two totals.
    cost = patients[1]["cost"][row]
    change = one["group_total"]["observed_total"] - two["group_total"]["observed_total"]
    assert not np.isclose(change.dropna().astype(float), cost, rtol=0.05).any()


@pytest.mark.parametrize("seed", range(5))
def test_a_number_observed_does_not_follow_from_a_mean_and_a_total(seed: int) -> None:
    seen = suppress(tables_of(draw_patients(1500, seed=seed)), salt=SALT)
    means = seen["subgroup_performance"].query("not suppressed and metric == 'observed_mean'")
    joined = means.merge(seen["group_total"], on=["target_id", "attribute", "level"], suffixes=("", "_of_total"))
    assert len(joined)
    for row in joined.to_dict("records"):
        mean, total, n = (float(row[c]) for c in ("estimate", "observed_total", "n_observed"))
        # Half a step either way, of the mean and of the total, is more than ten patients.
        low, high = ((total + s * _grain(total, n) / 2) / (mean - s * _grain(mean, n) / 2) for s in (-1, 1))
        assert high - low > 10


def _grain(amount: float, n: float) -> float:
    """The step of an amount told as `amount`, or less: ten patients' worth, were the amount itself 5% smaller."""
    worth = 0.95 * amount * 10 / n
    return min(m * 10.0**p for p in range(-4, 9) for m in (1, 2, 5) if m * 10.0**p >= worth)
