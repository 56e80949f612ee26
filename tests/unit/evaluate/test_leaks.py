"""The leak audit on simulated patients: what knows the future is found, what is merely strong is not."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from pipeline.build import check_study
from pipeline.evaluate.leaks import build_leak_audit
from pipeline.features import build_matrix
from pipeline.models.boosting import Boosting
from pipeline.models.crossfit import cross_fit
from pipeline.splits import assign_folds
from pipeline.study import load_study
from tests.synthetic import SECTIONS, build_frame, write_tiny_study

N = 2000
LEVELS = {"alive at two months": "alive at two months", "gone": "gone", "unknown": "unknown"}


def _frame(seed: int = 4) -> pd.DataFrame:
    """The tiny study's source with honest columns (strong, weak) and with columns that know the future."""
    frame = build_frame(N, seed=seed)
    rng = np.random.default_rng(seed)
    died = frame["died"].to_numpy()
    strong = rng.normal(0, 1, N)
    # Events follow the honest column, not the other way round.
    died = (rng.random(N) < expit(np.where(died == 1, 0.2, -1.2) + strong)).astype(int)
    days = np.ceil(np.exp(rng.normal(2.5 + 0.2 * strong, 0.8, N)))
    return frame.assign(
        died=died,
        strong=strong.round(3),
        count=rng.poisson(2, N),
        days=days,
        treatment=(died * 2.5 + rng.normal(0, 1, N)).round(3),
        interview=np.where(rng.random(N) < np.where(died == 1, 0.85, 0.35), np.nan, rng.integers(0, 8, N)),
        order_day=np.where(rng.random(N) < 0.3, np.ceil(days * rng.random(N)), days),
        later=np.where(died == 1, "gone", rng.choice(["alive at two months", "unknown"], N)),
        rare=np.where(np.arange(N) < 5, np.nan, rng.normal(0, 1, N).round(3)),
    )


ADDED = ["strong", "count", "treatment", "interview", "order_day", "later", "rare"]
HONEST = ["strong", "count", "rare"]


def _audit(folder: Path, quick: Boosting, *, features: list[str]) -> pd.DataFrame:
    study_features: Any = SECTIONS["features"]
    targets: Any = SECTIONS["targets"]
    excluded: Any = SECTIONS["excluded"]
    days = {"id": "stay", "kind": "resource", "label": "Stay", "unit": "days", "value": "days"}
    declared = [
        {"id": c, "label": c.title(), "concept": "More", "kind": "category", "levels": LEVELS}
        if c == "later"
        else {"id": c, "label": c.title(), "concept": "More", "kind": "number"}
        for c in features
    ]
    left_out = [{"column": c, "why": "For a test."} for c in ["days", *ADDED] if c not in features]
    sections = {
        "targets": [*targets, days],
        "features": [*study_features, *declared],
        "excluded": [*excluded, *left_out],
    }
    study = load_study(write_tiny_study(folder, frame=_frame(), **sections))
    cohort = check_study(study)
    matrix, folds = build_matrix(study, cohort.subjects), assign_folds(study, cohort.targets)
    fits = {
        t.id: cross_fit(study, t, matrix, cohort.targets[t.id].to_numpy(np.float64), folds, boosting=quick)
        for t in study.targets
    }
    return build_leak_audit(study, cohort, fits, matrix, folds).set_index(["target_id", "column_name"])


def _row(audit: pd.DataFrame, target: str, column: str) -> Any:
    return audit.loc[(target, column)]


@pytest.fixture(scope="module")
def all_given(tmp_path_factory: pytest.TempPathFactory, quick: Boosting) -> pd.DataFrame:
    return _audit(tmp_path_factory.mktemp("given"), quick, features=ADDED)


@pytest.fixture(scope="module")
def honest_given(tmp_path_factory: pytest.TempPathFactory, quick: Boosting) -> pd.DataFrame:
    return _audit(tmp_path_factory.mktemp("honest"), quick, features=HONEST)


@pytest.mark.parametrize(
    ("target", "column", "words"),
    [
        ("death", "treatment", "tells more than a finding of index time plausibly can"),
        ("death", "interview", "being missing predicts the outcome (AUROC 0.7"),
        ("death", "later", "the value “gone” occurs almost only where a patient died"),
        ("stay", "order_day", "it equals days, which the target is made of, for 7"),
    ],
)
def test_a_feature_that_knows_the_future_is_found(
    tmp_path: Path, quick: Boosting, target: str, column: str, words: str
) -> None:
    audit = _audit(tmp_path, quick, features=[*HONEST, column])
    row = _row(audit, target, column)
    assert row["finding"]
    assert words in row["why"]
    assert {name for _, name in audit.index[audit["finding"]]} == {column}


def test_strong_and_weak_honest_features_are_no_finding(honest_given: pd.DataFrame) -> None:
    assert _row(honest_given, "death", "strong")["alone"] > 0.7
    assert not honest_given["finding"].any()
    assert honest_given.loc[honest_given["declared"] == "feature", "why"].isna().all()


def test_what_is_rightly_left_out_says_what_it_would_have_told(honest_given: pd.DataFrame) -> None:
    for target, column in [("death", "treatment"), ("death", "interview"), ("death", "later"), ("stay", "order_day")]:
        row = _row(honest_given, target, column)
        assert row["declared"] == "excluded"
        assert row["why"].startswith("Rightly left out: ")
        assert "Including it would raise the share that the model explains by" in row["why"]
    assert _row(honest_given, "stay", "days")["why"] == "Rightly left out: “Stay” is made from days."
    assert pd.isna(_row(honest_given, "death", "nurse_risk")["why"])


def test_several_leaks_at_once_do_not_hide_each_other_nor_accuse_the_others(all_given: pd.DataFrame) -> None:
    found = {column for _, column in all_given.index[all_given["finding"]]}
    assert {"interview", "later", "order_day"} <= found
    assert not found & {*HONEST, "age", "sex", "lactate", "ward"}


def test_missingness_alone_is_the_auroc_of_its_being_missing(honest_given: pd.DataFrame) -> None:
    frame = _frame()
    frame = frame[pd.to_numeric(frame["age"]) >= 18]
    expected = roc_auc_score(frame["died"], frame["interview"].isna())
    row = _row(honest_given, "death", "interview")
    assert row["missing_alone"] == pytest.approx(expected)
    assert row["missing_share"] == pytest.approx(frame["interview"].isna().mean())


def test_of_fewer_than_eleven_without_a_value_nothing_is_told(honest_given: pd.DataFrame) -> None:
    assert _row(honest_given, "death", "rare")[["missing_share", "missing_alone"]].isna().all()
    assert _row(honest_given, "death", "strong")["missing_share"] == 0
    assert pd.isna(_row(honest_given, "death", "strong")["missing_alone"])


def test_a_column_of_noise_predicts_nothing_and_adds_nothing(honest_given: pd.DataFrame) -> None:
    row = _row(honest_given, "death", "count")
    assert row["alone"] == pytest.approx(0.5, abs=0.05)
    assert row["gain"] == pytest.approx(0, abs=0.02)


def test_every_target_and_column_has_one_row(honest_given: pd.DataFrame) -> None:
    assert honest_given.index.is_unique
    assert len(honest_given) == 3 * len(set(honest_given.index.get_level_values("column_name")))
    assert honest_given[["alone", "gain"]].notna().all(axis=None)
