"""Paired comparisons: the same patients, the same draws, and words that say which is better."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from pipeline.evaluate.amount_metrics import Predicted
from pipeline.evaluate.comparison import build_comparison
from pipeline.evaluate.resampling import draw_weights
from pipeline.evaluate.scores import Scores
from pipeline.models.readout import silent
from pipeline.models.rivals import ModelKind, Rival, Rivals
from pipeline.study import Study
from tests import oracles

Array = npt.NDArray[np.float64]
N = 1500


def _rival(model_id: str, *parts: str) -> Rival:
    kind = ModelKind.COMBINATION if parts else ModelKind.RIVAL
    return Rival(model_id, kind, "A label", "A note", silent(N), parts)


NONE = np.empty((0, 0))
COMBINED = Rivals([_rival("glass_box"), _rival("xgboost_plus_nurse", "xgboost", "nurse")], NONE)
SIMPLE = Rivals([_rival("glass_box")], NONE)


@pytest.fixture(scope="module")
def risks() -> dict[str, Scores]:
    """Ours is the truth; the glass box is noisier; the nurse noisier still and of whom every fifth has no word."""
    rng = np.random.default_rng(1)
    margin = rng.normal(-0.5, 1.5, N)
    observed = (rng.random(N) < 1 / (1 + np.exp(-margin))).astype(float)
    noise = rng.normal(0, 1, N)
    said = {"xgboost": margin, "glass_box": margin + noise, "nurse": margin + 3 * noise, "xgboost_plus_nurse": margin}
    scores = {name: Scores(observed, np.asarray(1 / (1 + np.exp(-m)))) for name, m in said.items()}
    for name in ("nurse", "xgboost_plus_nurse"):
        scores[name].said[::5] = np.nan
    return scores


@pytest.fixture(scope="module")
def compared(tiny_study: Study, risks: dict[str, Scores]) -> pd.DataFrame:
    return build_comparison(tiny_study, {"death": risks}, {"death": COMBINED}, scored=np.ones(N, dtype=bool))


def _row(table: pd.DataFrame, one: str, other: str, metric: str) -> dict[str, Any]:
    chosen = (table["model_id"] == one) & (table["other_id"] == other) & (table["metric"] == metric)
    (row,) = table[chosen].to_dict("records")
    return {str(name): value for name, value in row.items()}


def test_who_is_compared_with_whom_and_on_whom(compared: pd.DataFrame) -> None:
    pairs = compared[["population", "model_id", "other_id"]].drop_duplicates().itertuples(index=False, name=None)
    assert set(pairs) == {
        ("all", "xgboost", "glass_box"),
        ("all_baselines", "xgboost", "nurse"),
        ("all_baselines", "xgboost", "xgboost_plus_nurse"),
        ("all_baselines", "xgboost_plus_nurse", "xgboost"),
        ("all_baselines", "xgboost_plus_nurse", "nurse"),
    }
    assert compared.groupby("population")["n"].unique().map(list).to_dict() == {
        "all": [N],
        "all_baselines": [N * 4 // 5],
    }
    assert set(compared["metric"]) == {"auroc", "auprc", "brier"}


def test_differences_and_limits_are_those_of_a_naive_paired_bootstrap(
    tiny_study: Study, risks: dict[str, Scores]
) -> None:
    draws = 40
    table = build_comparison(
        tiny_study, {"death": risks}, {"death": COMBINED}, scored=np.ones(N, dtype=bool), draws=draws
    )
    ours, other = risks["xgboost"], risks["glass_box"]
    weights = draw_weights(N, draws=draws, seed=tiny_study.splits.seed)
    for metric, measure in (("auroc", roc_auc_score), ("auprc", average_precision_score)):
        differences = [
            measure(ours.observed, ours.said, sample_weight=w) - measure(ours.observed, other.said, sample_weight=w)
            for w in weights
        ]
        row = _row(table, "xgboost", "glass_box", metric)
        expected = [differences[0], *np.quantile(differences[1:], [0.025, 0.975])]
        np.testing.assert_allclose([row[name] for name in ("difference", "lower", "upper")], expected, atol=1e-12)
    row = _row(table, "xgboost", "glass_box", "brier")
    expected_brier = oracles.brier(ours.observed, ours.said) - oracles.brier(ours.observed, other.said)
    assert row["difference"] == pytest.approx(expected_brier)


def test_limits_are_as_wide_as_delong_says(compared: pd.DataFrame, risks: dict[str, Scores]) -> None:
    row = _row(compared, "xgboost", "glass_box", "auroc")
    ours, other = risks["xgboost"], risks["glass_box"]
    expected = oracles.delong_standard_error(ours.observed, ours.said, other.said)
    assert (row["upper"] - row["lower"]) / (2 * 1.96) == pytest.approx(expected, rel=0.12)


def test_the_verdict_is_in_the_sense_of_good(compared: pd.DataFrame) -> None:
    for metric in ("auroc", "auprc", "brier"):
        assert _row(compared, "xgboost", "glass_box", metric)["verdict"] == "better"
        assert _row(compared, "xgboost", "xgboost_plus_nurse", metric)["verdict"] == "no difference shown"
    assert _row(compared, "xgboost", "glass_box", "auroc")["difference"] > 0
    assert _row(compared, "xgboost", "glass_box", "brier")["difference"] < 0


def test_a_worse_model_is_called_worse(tiny_study: Study, risks: dict[str, Scores]) -> None:
    swapped = {"xgboost": risks["glass_box"], "glass_box": risks["xgboost"]}
    study = tiny_study.model_copy(update={"baselines": []})
    table = build_comparison(study, {"death": swapped}, {"death": SIMPLE}, scored=np.ones(N, dtype=bool))
    assert table["verdict"].tolist() == ["worse"] * 3


def test_the_refused_are_left_out_of_everybody_and_kept_beside_baselines(
    tiny_study: Study, risks: dict[str, Scores]
) -> None:
    scored = np.arange(N) >= 200
    table = build_comparison(tiny_study, {"death": risks}, {"death": COMBINED}, scored=scored, draws=20)
    assert set(table.loc[table["population"] == "all", "n"]) == {N - 200}
    assert set(table.loc[table["population"] == "all_baselines", "n"]) == {N * 4 // 5}


def test_a_score_is_compared_by_its_ranking_only(tiny_study: Study, risks: dict[str, Scores]) -> None:
    scores = {**risks, "nurse": replace(risks["nurse"], only_ranks=True)}
    table = build_comparison(tiny_study, {"death": scores}, {"death": COMBINED}, scored=np.ones(N, bool), draws=20)
    with_nurse = table[(table["model_id"] == "nurse") | (table["other_id"] == "nurse")]
    assert set(with_nurse["metric"]) == {"auroc", "auprc"}


def test_too_few_patients_are_not_judged_and_not_counted(tiny_study: Study, risks: dict[str, Scores]) -> None:
    few = {name: replace(scores, said=scores.said.copy()) for name, scores in risks.items()}
    few["nurse"].said[30:] = np.nan
    table = build_comparison(tiny_study, {"death": few}, {"death": COMBINED}, scored=np.ones(N, bool), draws=20)
    among = table[table["population"] == "all_baselines"]
    assert set(among["verdict"]) == {"too few to judge"}
    assert among[["difference", "lower", "upper", "n", "n_events"]].isna().all(axis=None)


def test_amounts_are_compared_by_what_is_measured_of_amounts(tiny_study: Study) -> None:
    rng = np.random.default_rng(3)
    log = rng.normal(8, 0.7, N)
    amounts = np.exp(log + rng.normal(0, 0.3, N))

    def predicted(said: Array) -> Scores:
        return Scores(amounts, np.exp(said), amount=Predicted(np.exp(said), said, np.full((N, 4), np.nan)))

    scores = {"xgboost": predicted(log), "glass_box": predicted(log + rng.normal(0, 0.5, N))}
    table = build_comparison(tiny_study, {"cost": scores}, {"cost": SIMPLE}, scored=np.ones(N, dtype=bool))
    assert table["metric"].tolist() == ["r2", "r2_log", "mae"]
    assert table["verdict"].tolist() == ["better"] * 3
    assert table["n_events"].isna().all()
    mae = oracles.mae(amounts, np.exp(log)) - oracles.mae(amounts, scores["glass_box"].said)
    assert _row(table, "xgboost", "glass_box", "mae")["difference"] == pytest.approx(mae)
