"""The slice finder: it finds what was planted, reports nothing where nothing is, and searches exhaustively."""

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from pipeline.build import check_study
from pipeline.cohort import Cohort
from pipeline.evaluate.conditions import Condition
from pipeline.evaluate.slices import FEWEST_EVENTS, FEWEST_PATIENTS, build_slices, find_slices, search_groups
from pipeline.evaluate.totals import AmountTotals, EventTotals, Totals
from pipeline.features import build_matrix
from pipeline.models.boosting import Boosting
from pipeline.models.crossfit import cross_fit
from pipeline.splits import assign_folds
from pipeline.study import Study

Mask = npt.NDArray[np.bool_]
KINDS = ["event", "amount"]


def _conditions(n: int, rng: np.random.Generator, *, about: int = 12) -> list[Condition]:
    """Things with three values each, as conditions "a=0" to "l=2"."""
    made = []
    for letter in "abcdefghijkl"[:about]:
        values = rng.choice(3, size=n, p=[0.5, 0.3, 0.2])
        made += [Condition(f"{letter}={v}", frozenset(letter), values == v) for v in range(3)]
    return made


def _simulate(n: int, *, kind: str, lift: dict[tuple[str, ...], float], seed: int) -> tuple[Totals, list[Condition]]:
    """Right projections, but what happens is `lift` times as much where all the conditions named hold."""
    rng = np.random.default_rng(seed)
    conditions = _conditions(n, rng)
    members = {c.words: c.members for c in conditions}
    true = rng.uniform(0.1, 0.5, n) if kind == "event" else rng.lognormal(9, 0.7, n)
    factor = np.ones(n)
    for words, by in lift.items():
        factor[np.logical_and.reduce([members[w] for w in words])] *= by
    if kind == "event":
        return EventTotals(true, (rng.random(n) < np.minimum(true * factor, 1)).astype(float)), conditions
    return AmountTotals(true, true * factor * rng.lognormal(-0.18, 0.6, n)), conditions


def _half(n: int, *, seed: int) -> Mask:
    return np.asarray(np.random.default_rng(seed).permutation(n) % 2 == 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("planted", [("b=1",), ("a=1", "c=1"), ("a=0", "d=0", "f=1")])
def test_a_planted_slice_is_found_with_its_conditions_and_confirmed(kind: str, planted: tuple[str, ...]) -> None:
    totals, conditions = _simulate(9000, kind=kind, lift={planted: 1.7}, seed=11)
    table, search = find_slices(totals, conditions, half=_half(9000, seed=1), seed=1)
    first = table.iloc[0]
    assert first["conditions"] == " · ".join(planted)
    assert first["n_conditions"] == len(planted)
    true = 1.7 if kind == "event" else 1 / 1.7
    assert first["metric"] == ("observed_expected" if kind == "event" else "predictive_ratio")
    assert first["estimate"] == pytest.approx(true, rel=0.15)
    assert first["lower"] < first["estimate"] < first["upper"]
    assert search["confirmed"] == len(table) >= 1


def test_a_slice_that_is_too_low_is_found_too() -> None:
    totals, conditions = _simulate(9000, kind="event", lift={("a=1", "c=1"): 0.5}, seed=4)
    table, _ = find_slices(totals, conditions, half=_half(9000, seed=1), seed=1)
    assert table.iloc[0]["conditions"] == "a=1 · c=1"
    assert table.iloc[0]["upper"] < 0.8


@pytest.mark.parametrize("kind", KINDS)
def test_right_projections_have_slices_hardly_ever(kind: str) -> None:
    reports = []
    for seed in range(20):
        totals, conditions = _simulate(4000, kind=kind, lift={}, seed=seed)
        table, search = find_slices(totals, conditions, half=_half(4000, seed=seed), seed=seed)
        reports.append(len(table) > 0)
        assert search["groups_searched"] > 1000
    # One run in ten at most, and by the bounds fewer; 5 of 20 would have a chance of 4 in 100 at one in ten.
    assert sum(reports) <= 4


def test_what_is_found_is_further_off_in_the_half_where_it_was_searched() -> None:
    found: list[float] = []
    confirmed: list[float] = []
    for seed in range(10):
        totals, conditions = _simulate(4000, kind="event", lift={}, seed=seed)
        half = _half(4000, seed=seed)
        groups = search_groups(totals, conditions, among=half)
        worst = groups.iloc[int(groups["score"].abs().to_numpy().argmax())]
        own = np.logical_and.reduce([conditions[int(worst[p])].members for p in ("first", "second", "third")])
        for ratios, members in ((found, own & half), (confirmed, own & ~half)):
            ratios.append(abs(np.log(totals.observed[members].sum() / totals.projected[members].sum())))
    assert np.mean(found) > 2 * np.mean(confirmed)


@pytest.mark.parametrize("kind", KINDS)
def test_the_search_agrees_with_a_loop_over_every_group(kind: str) -> None:
    rng = np.random.default_rng(2)
    totals, _ = _simulate(1500, kind=kind, lift={}, seed=2)
    conditions = _conditions(1500, rng, about=5)
    among = _half(1500, seed=3)
    expected = {}
    for size in (1, 2, 3):
        for group in combinations(range(len(conditions)), size):
            chosen = [conditions[i] for i in group]
            if any(a.excludes(b) for a, b in combinations(chosen, 2)):
                continue
            own = np.logical_and.reduce([c.members for c in chosen]) & among
            n, observed, projected = own.sum(), totals.observed[own].sum(), totals.projected[own].sum()
            if n < FEWEST_PATIENTS or (kind == "event" and min(observed, n - observed) < FEWEST_EVENTS):
                continue
            expected[(group[0],) * (3 - size) + group] = (own, observed / projected)
    found = search_groups(totals, conditions, among=among)
    positions = [tuple(key) for key in found[["first", "second", "third"]].to_numpy().astype(int).tolist()]
    assert len(positions) == len(set(positions))
    assert set(positions) == set(expected)
    for key, score, ratio in zip(positions, found["score"], found["ratio"], strict=True):
        own, wanted = expected[key]
        assert ratio == pytest.approx(wanted, rel=1e-5)
        if kind == "event":
            risk = totals.projected[own]
            z = (totals.observed[own] - risk).sum() / np.sqrt((risk * (1 - risk)).sum())
            assert score == pytest.approx(z, abs=1e-3)
    assert {len(set(p)) for p in positions} == {1, 2, 3}


def test_one_huge_bill_makes_no_slice() -> None:
    totals, conditions = _simulate(3000, kind="amount", lift={}, seed=5)
    bills = totals.observed.copy()
    bills[7] = 5e8
    table, _ = find_slices(AmountTotals(totals.projected, bills), conditions, half=_half(3000, seed=1), seed=1)
    assert table.empty


def test_slices_have_enough_patients_events_and_non_events() -> None:
    lift = {("a=1", "c=1"): 2.0, ("b=2",): 0.4, ("d=1", "e=1"): 0.4}
    totals, conditions = _simulate(9000, kind="event", lift=lift, seed=6)
    table, _ = find_slices(totals, conditions, half=_half(9000, seed=1), seed=1)
    assert len(table) >= 2
    assert (table["n"] >= FEWEST_PATIENTS).all()
    assert (table["n_events"] >= FEWEST_EVENTS).all()
    assert (table["n"] - table["n_events"] >= FEWEST_EVENTS).all()
    assert (table["q_value"] >= table["p_value"]).all()
    assert not table["estimate"].between(0.8, 1.25).any()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_search_gives_no_slice(kind: str) -> None:
    totals, conditions = _simulate(3000, kind=kind, lift={}, seed=7)
    rebuild = EventTotals if kind == "event" else AmountTotals
    unknown = np.where(np.arange(3000) < 30, totals.observed, np.nan)
    half = _half(3000, seed=1)
    for of, made in ((totals, []), (rebuild(totals.projected, unknown), conditions)):
        table, search = find_slices(of, made, half=half, seed=1)
        assert table.empty
        assert (search["groups_searched"], search["tried"], search["confirmed"]) == (0, 0, 0)


def test_one_class_alone_gives_no_slice() -> None:
    totals, conditions = _simulate(3000, kind="event", lift={}, seed=8)
    everybody = EventTotals(totals.projected, np.ones(3000))
    assert find_slices(everybody, conditions, half=_half(3000, seed=1), seed=1)[0].empty


def test_projections_without_error_give_no_slice() -> None:
    totals, conditions = _simulate(3000, kind="amount", lift={}, seed=9)
    right = AmountTotals(totals.projected, totals.projected)
    assert find_slices(right, conditions, half=_half(3000, seed=1), seed=1)[0].empty


def test_the_tables_of_a_tiny_study_are_there_though_nothing_is_large_enough(
    tiny_study: Study, quick: Boosting
) -> None:
    cohort: Cohort = check_study(tiny_study)
    matrix, folds = build_matrix(tiny_study, cohort.subjects), assign_folds(tiny_study, cohort.targets)
    fits = {
        t.id: cross_fit(tiny_study, t, matrix, cohort.targets[t.id].to_numpy(float), folds, boosting=quick)
        for t in tiny_study.targets
    }
    tables = build_slices(tiny_study, fits, cohort)
    assert tables["slice"].empty
    assert list(tables["slice"].columns[:3]) == ["target_id", "rank", "conditions"]
    assert tables["slice_search"]["target_id"].tolist() == ["death", "cost"]
    again = build_slices(tiny_study, fits, cohort, scored=np.zeros(240, dtype=bool))
    assert all(isinstance(table, pd.DataFrame) and table.empty for table in again.values())
