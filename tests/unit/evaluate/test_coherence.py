"""The coherence audit on simulated files: displaced columns are found and located, intact files give no finding."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.build import check_study
from pipeline.evaluate.coherence import build_coherence_audit
from pipeline.study import load_study
from tests.synthetic import SECTIONS, build_frame, write_tiny_study

N, FROM, LAG = 6000, 4000, 47
RELATION = "targets ~ Blood"


def _audit(folder: Path, frame: pd.DataFrame, **sections: object) -> pd.DataFrame:
    validation = {"validation": [{"attribute": "sex"}]}
    study = load_study(write_tiny_study(folder, frame=frame, **{**validation, **sections}))
    return build_coherence_audit(study, check_study(study))


def _displace(frame: pd.DataFrame, columns: list[str], *, lag: int) -> pd.DataFrame:
    """From row FROM on, values stand `lag` rows further down than their patient."""
    displaced = frame.copy()
    displaced.loc[FROM:, columns] = frame.loc[FROM:, columns].shift(lag).to_numpy()
    return displaced


@pytest.fixture(scope="module")
def displaced(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    frame = _displace(build_frame(N), ["lactate"], lag=LAG)
    return _audit(tmp_path_factory.mktemp("displaced"), frame)


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_found_in_an_intact_file(tmp_path: Path, seed: int) -> None:
    audit = _audit(tmp_path, build_frame(N, seed=seed))
    assert RELATION in set(audit["relation"])
    assert audit.loc[audit["finding"], "why"].tolist() == []
    assert audit["why"].isna().all()


def test_a_displaced_column_is_found_where_it_is_displaced_and_nowhere_else(displaced: pd.DataFrame) -> None:
    rows = displaced[(displaced["block_kind"] == "rows") & (displaced["relation"] == RELATION)]
    assert not rows.loc[rows["last_row"] <= FROM, "finding"].any()
    # The first block may hold rows from both sides.
    assert rows.loc[rows["first_row"] > FROM, "finding"].mean() >= 0.9
    assert set(displaced.loc[displaced["finding"] & (displaced["block_kind"] == "rows"), "relation"]) == {RELATION}


def test_the_lag_is_named_in_words(displaced: pd.DataFrame) -> None:
    found = displaced[displaced["finding"] & (displaced["block_kind"] == "rows")]
    assert (found["best_lag"] == LAG).mean() >= 0.9
    said = found.loc[found["best_lag"] == LAG, "why"]
    assert said.str.contains(f"{LAG} rows further down it does").mean() >= 0.8
    assert said.iloc[-1].startswith("In rows 5,")
    assert (
        "what happened to patients no longer goes with “Blood” as it does elsewhere (a correlation of" in said.iloc[0]
    )


def test_values_further_up_are_found_too(tmp_path: Path) -> None:
    audit = _audit(tmp_path, _displace(build_frame(N), ["lactate"], lag=-30))
    found = audit[audit["finding"] & (audit["block_kind"] == "rows")]
    assert found["best_lag"].mode().tolist() == [-30]
    assert found["why"].str.contains("30 rows further up it does").any()


def test_the_association_is_a_rank_correlation_within_the_block(tmp_path: Path) -> None:
    # One explained column, one that explains it, in a straight line: trees follow it, and ranks with them.
    frame = build_frame(N).assign(score=lambda f: pd.to_numeric(f["lactate"], errors="coerce") * 2)
    excluded = [*list(SECTIONS["excluded"]), {"column": "score", "why": "A score."}]  # type: ignore[call-overload]
    relations = [{"explained": "score", "by": ["lactate"]}]
    audit = _audit(tmp_path, frame, excluded=excluded, known_relations=relations)
    known = audit[audit["relation"] == "score ~ 1 column"]
    assert len(known) == N // 200 + 2
    assert (known["association"] > 0.98).all()
    assert not known["finding"].any()
    shuffled = frame["score"].to_numpy().copy()
    shuffled[2000:2200] = np.random.default_rng(1).permutation(shuffled[2000:2200])
    broken = _audit(tmp_path, frame.assign(score=shuffled), excluded=excluded, known_relations=relations)
    assert broken.loc[broken["finding"], "block"].tolist() == ["2001 to 2200"]
    assert "score no longer goes with the 1 column it is made from" in broken.loc[broken["finding"], "why"].iloc[0]


def test_a_period_in_which_columns_stand_apart_is_named(tmp_path: Path) -> None:
    frame = build_frame(N)
    lactate = frame["lactate"].to_numpy().copy()
    men = np.flatnonzero(frame["sex"] == "male")
    lactate[men] = np.random.default_rng(2).permutation(lactate[men])
    audit = _audit(tmp_path, frame.assign(lactate=lactate))
    found = audit[audit["finding"]]
    assert ("sex", "male") in set(zip(found["block_kind"], found["block"], strict=True))
    assert ("sex", "female") not in set(zip(found["block_kind"], found["block"], strict=True))


def test_a_tiny_file_is_audited_without_complaint(tmp_path: Path) -> None:
    audit = _audit(tmp_path, build_frame())
    assert not audit["finding"].any()
    assert audit.dtypes["association"] == np.float64


def test_blocks_are_never_of_fewer_than_a_hundred_rows(displaced: pd.DataFrame) -> None:
    assert (displaced["n"].dropna() >= 100).all()
    assert displaced.loc[displaced["n"].isna(), "association"].isna().all()
