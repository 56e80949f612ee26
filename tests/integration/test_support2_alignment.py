"""The displaced physiology of SUPPORT2: derived anew, compared with alignment.csv, judged by other columns."""

import hashlib
import importlib.util
import itertools
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data" / "support2"
LOST = 90


def load_script(name: str) -> ModuleType:
    """Return a script of data/support2 as a module, under a name that cannot hide another one."""
    spec = importlib.util.spec_from_file_location(f"support2_{name}", DATA / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


derive = load_script("derive_alignment")
evidence = load_script("repair_evidence")


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return pd.read_csv(DATA / "support2.csv")


@pytest.fixture(scope="module")
def committed() -> pd.DataFrame:
    return pd.read_csv(DATA / "alignment.csv")


@pytest.fixture(scope="module")
def derived(frame: pd.DataFrame) -> pd.DataFrame:
    # No other column is there to be read.
    table: pd.DataFrame = derive.derive_alignment(frame[["sno", "aps", *evidence.PHYSIOLOGY]]).table
    return table


@pytest.fixture(scope="module")
def filed(frame: pd.DataFrame, committed: pd.DataFrame) -> pd.DataFrame:
    with_predictions: pd.DataFrame = evidence.add_predictions(frame, frame["sno"].isin(committed["sno"]).to_numpy())
    return with_predictions


@pytest.fixture(scope="module")
def repaired(frame: pd.DataFrame, committed: pd.DataFrame) -> pd.DataFrame:
    moved = evidence.repair(frame, committed)
    with_predictions: pd.DataFrame = evidence.add_predictions(moved, moved["sno"].isin(committed["sno"]).to_numpy())
    return with_predictions


@pytest.fixture(scope="module")
def measures(filed: pd.DataFrame, repaired: pd.DataFrame, committed: pd.DataFrame) -> pd.DataFrame:
    table: pd.DataFrame = evidence.build_evidence(filed, repaired, committed)
    return table


def test_the_file_is_the_public_one() -> None:
    digest = hashlib.sha256((DATA / "support2.csv").read_bytes()).hexdigest()
    assert digest == "4f7dfcfb0d702401adfd0fa47702ed18fdd4dfe37acd0bcf1055acb7df007a1b"


def test_the_phase_two_rows_are_those_with_glucose_bun_and_urine(frame: pd.DataFrame, committed: pd.DataFrame) -> None:
    collected = frame[["glucose", "bun", "urine"]].notna().any(axis=1)
    phase_two = np.zeros(len(frame), dtype=bool)
    for start, end in derive.PHASE_TWO_ROWS:
        phase_two[start:end] = True
    assert list(frame["sno"][phase_two]) == list(committed["sno"])
    assert not collected[~phase_two].any()
    assert collected[phase_two].mean() > 0.99


def test_the_derived_alignment_equals_the_committed_one_in_at_least_97_percent(
    derived: pd.DataFrame, committed: pd.DataFrame
) -> None:
    assert list(derived.columns) == list(committed.columns)
    assert list(derived["sno"]) == list(committed["sno"])
    assert (derived["physiology_sno"] == committed["physiology_sno"]).mean() >= 0.97


def test_the_two_alignments_differ_only_near_a_lag_step(derived: pd.DataFrame, committed: pd.DataFrame) -> None:
    differs = derived["physiology_sno"] != committed["physiology_sno"]
    assert committed.loc[differs, "near_change"].all()


def test_the_committed_near_change_marks_five_rows_on_either_side_of_a_step(committed: pd.DataFrame) -> None:
    assert list(derive.mark_near_steps(committed["lag"].to_numpy())) == list(committed["near_change"])


@pytest.mark.parametrize("which", ["derived", "committed"])
def test_lags_never_fall_and_only_the_last_90_have_no_row(which: str, request: pytest.FixtureRequest) -> None:
    alignment: pd.DataFrame = request.getfixturevalue(which)
    assert alignment["lag"].is_monotonic_increasing
    assert (alignment["physiology_sno"].tail(LOST) == -1).all()
    matched = alignment.head(-LOST)
    # The row named is the one that stands `lag` further down the list, and no row is given to two patients.
    assert list(matched["physiology_sno"]) == list(alignment["sno"].to_numpy()[matched.index + matched["lag"]])
    assert matched["physiology_sno"].is_unique


def test_the_script_gives_the_same_when_every_other_column_is_scrambled(
    frame: pd.DataFrame, derived: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [str(column) for column in frame if column not in derive.COLUMNS]
    scrambled = frame.assign(**{column: np.random.default_rng(1).permutation(frame[column]) for column in others})
    scrambled.to_csv(tmp_path / "support2.csv", index=False)
    (tmp_path / "alignment.csv").write_bytes((DATA / "alignment.csv").read_bytes())
    monkeypatch.setattr(derive, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["derive_alignment.py", "--out", str(tmp_path / "out.csv")])
    derive.main()
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "out.csv"), derived)


def test_the_path_of_lags_is_the_cheapest_of_all_non_decreasing_paths() -> None:
    rates = derive.StepRates(start=0.2, grow=0.3)
    for seed in range(20):
        cost = np.random.default_rng(seed).exponential(size=(5, 4))

        def compute_total(path: tuple[int, ...], cost: np.ndarray = cost) -> float:
            steps = np.diff(path, prepend=0)
            penalty = sum(-np.log(0.2) - (step - 1) * np.log(0.3) for step in steps if step > 0)
            return float(sum(cost[row, lag] for row, lag in enumerate(path)) + penalty)

        cheapest = min(itertools.combinations_with_replacement(range(4), 5), key=compute_total)
        assert tuple(derive.find_lags(cost, rates)) == cheapest


def test_repair_moves_physiology_and_nothing_else() -> None:
    columns = {name: [1.0, 2.0, 3.0] for name in evidence.PHYSIOLOGY}
    filed = pd.DataFrame({"sno": [7, 8, 9], "hospdead": [0, 1, 0], **columns})
    alignment = pd.DataFrame({"sno": [8, 9], "physiology_sno": [9, -1]})
    repaired = evidence.repair(filed, alignment)
    assert list(repaired["hospdead"]) == [0, 1, 0]
    assert repaired["crea"].fillna(-1).tolist() == [1, 3, -1]


def test_aps_fits_physiology_in_phase_two_only_after_the_repair(measures: pd.DataFrame) -> None:
    for name in (evidence.APS_PHASE_ONE, evidence.APS_SAME_PHASE):
        assert measures.loc[name, "phase I"] > 0.9
        assert measures.loc[name, "phase II as filed"] < 0.2
        assert measures.loc[name, "phase II repaired"] > 0.9


def test_columns_that_the_alignment_never_read_agree_after_the_repair(measures: pd.DataFrame) -> None:
    before, after, reference = (measures[f"phase {which}"] for which in ("II as filed", "II repaired", "I"))
    assert before[evidence.GLUCOSE] < 0.1
    assert after[evidence.GLUCOSE] > 0.3
    assert before[evidence.SPS] < 0.2
    assert after[evidence.SPS] > 0.9
    assert before[evidence.BUN] < 0.55
    assert after[evidence.BUN] > 0.65
    assert before[evidence.BILIRUBIN] < 0.5 * reference[evidence.BILIRUBIN]
    assert after[evidence.BILIRUBIN] == pytest.approx(reference[evidence.BILIRUBIN], rel=0.15)
    assert after[evidence.CREATININE] == pytest.approx(reference[evidence.CREATININE], abs=0.04)


def test_every_block_of_rows_is_coherent_after_the_repair(
    filed: pd.DataFrame, repaired: pd.DataFrame, committed: pd.DataFrame
) -> None:
    blocks = evidence.build_blocks(filed, repaired, committed)
    assert (blocks["repaired"] > 0.85).all()
    assert blocks.loc[blocks["first_sno"] > 1500].query("phase_two_share == 1")["as_filed"].abs().max() < 0.2


def test_the_document_states_what_the_script_measures(measures: pd.DataFrame) -> None:
    document = (ROOT / "docs" / "support2-repair.md").read_text(encoding="utf-8")
    for name, values in measures.iterrows():
        row = re.search(rf"^\| {re.escape(str(name))} \|(.+)\|$", document, flags=re.MULTILINE)
        assert row, f"docs/support2-repair.md has no row for: {name}"
        stated = [np.nan if cell.strip() == "–" else float(cell.replace("−", "-")) for cell in row[1].split("|")]
        # The last digit may differ between processors.
        assert stated == pytest.approx(list(values), rel=0.01, abs=0.011, nan_ok=True)


def test_the_figure_can_be_drawn(
    filed: pd.DataFrame, repaired: pd.DataFrame, committed: pd.DataFrame, measures: pd.DataFrame, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    evidence.draw_figure(measures, evidence.build_blocks(filed, repaired, committed), tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 20_000
