"""No count of a hidden cell can be worked out from what is shown: proved by linear programs written apart."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.cohort import build_cohort
from pipeline.evaluate.disclosure import SMALLEST_CELL
from pipeline.evaluate.disclosure.bounds import Part, find_exposed
from pipeline.evaluate.disclosure.cells import count_cells, hide_cells
from pipeline.ingest.source import read_source
from pipeline.study import Study
from tests.unit.evaluate.disclosure.attack import count, narrowest_range
from tests.unit.evaluate.disclosure.groups import Patients, draw_patients, tables_of

CLOSE = 1e-6
A = "a"


def _hide(patients: Patients) -> set[tuple[str, str]]:
    tables = tables_of(patients)
    return set(hide_cells(count_cells(tables["subgroup_performance"], tables["group_total"]), prove=True))


def _check(patients: Patients) -> None:
    counts, hidden = count(patients), _hide(patients)
    small = set(counts.index[(counts < SMALLEST_CELL).any(axis=1)]) - {("all", "all")}
    assert small <= hidden
    for a, b in combinations(patients[0], 2):
        for i, j in [cell for cell in counts.index if cell[0] == f"{a} × {b}"]:
            levels = j.split(" × ")
            if (a, levels[0]) in hidden or (b, levels[1]) in hidden:
                assert (i, j) in hidden
        assert narrowest_range(counts, hidden, f"{a} × {b}") >= SMALLEST_CELL - CLOSE


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), n=st.sampled_from([400, 900, 2500]), k=st.sampled_from([(2, 3), (2, 4), (3, 5)]))
def test_no_count_of_a_hidden_cell_lies_within_ten(seed: int, n: int, k: tuple[int, int]) -> None:
    _check(draw_patients(n, seed=seed, levels=k))


@pytest.fixture(scope="module")
def small_patients(small_study: Study) -> Patients:
    """Four attributes of the small study, with levels of 6 to 1,272 patients, and three of its targets."""
    source = read_source(small_study, None)
    cohort = build_cohort(small_study, source, salt=b"s")
    source.con.close()
    targets = cohort.targets[["death_180d", "hospital_death", "total_cost"]]
    names = ["sex", "race", "diagnosis", "education"]
    return cohort.subjects[names], targets.set_axis(["death", "readmission", "cost"], axis=1)


@pytest.mark.parametrize("names", [("sex", "race"), ("race", "diagnosis"), ("diagnosis", "education")])
def test_no_count_of_a_hidden_cell_of_the_small_study_lies_within_ten(
    small_patients: Patients, names: tuple[str, str]
) -> None:
    _check((small_patients[0][list(names)], small_patients[1]))


def test_what_is_small_alone_would_not_be_enough(small_patients: Patients) -> None:
    patients = (small_patients[0][["sex", "education"]], small_patients[1])
    counts = count(patients)
    small = set(counts.index[(counts < SMALLEST_CELL).any(axis=1)])
    few = {("sex × education", "female × 0-8")}
    assert narrowest_range(counts, small | few, "sex × education") < SMALLEST_CELL
    assert narrowest_range(counts, _hide(patients), "sex × education") >= SMALLEST_CELL


def test_lines_with_two_hidden_cells_each_can_still_be_narrow_and_are_found() -> None:
    # Of the hidden square each line hides two cells and 11 events or more, but the corner can take at most 5 of them.
    events = np.array([[6.0, 30.0, 50.0], [5.0, 6.0, 50.0], [50.0, 50.0, 50.0]])
    counts = np.stack([events, np.full((3, 3), 100.0)])
    hidden = np.zeros((3, 3), dtype=bool)
    hidden[:2, :2] = True
    parts = [Part("death", "events"), Part("death", "others")]
    exposed = find_exposed(parts, counts, hidden, shown=(np.ones(3, bool), np.ones(3, bool)))
    # (0, 0) moves by at most 6 down and 5 up: 11 in all. With one event less it would be told.
    assert not exposed.any()
    counts[0, 1, 0] = 4
    exposed = find_exposed(parts, counts, hidden, shown=(np.ones(3, bool), np.ones(3, bool)))
    assert (exposed == hidden).all()


def test_a_small_level_is_hidden_with_the_next_smallest() -> None:
    subjects = pd.DataFrame({A: ["x"] * 300 + ["y"] * 4 + ["z"] * 200})
    targets = pd.DataFrame({"death": [0.0, 1.0] * 252, "readmission": [1.0, 0.0] * 252, "cost": 5.0})
    assert _hide((subjects, targets)) == {(A, "y"), (A, "z")}
