"""Explanations tested like models: right ones pass, wrong ones are caught, and few patients are not told of."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from pipeline.build import check_study
from pipeline.evaluate import explained_number
from pipeline.evaluate import explanation_checks as checks
from pipeline.evaluate.deletion import Deletion
from pipeline.evaluate.explanation_checks import Check
from pipeline.evaluate.explanation_quality import build_explanation_tables, delete_features
from pipeline.evaluate.retrained import (
    FOLD,
    TrainingSet,
    measure_shuffled,
    rank_with_other_folds,
    rank_with_other_seeds,
)
from pipeline.evaluate.stability import compare_rebuilds, first_features
from pipeline.explain.contributions import Contributions, explain_cross_fit
from pipeline.features import build_dmatrix, build_matrix
from pipeline.models.boosting import Boosting
from pipeline.models.crossfit import cross_fit
from pipeline.splits import assign_folds
from pipeline.store.tables.explained import AT_RANDOM, BY_AVERAGE, BY_IMPORTANCE
from pipeline.study import Study, load_study
from tests.conftest import WriteStudy

PATIENTS, FEATURES = 420, 8
IDS = pd.Series([f"s{i:03d}" for i in range(PATIENTS)])
Case = tuple[TrainingSet, Contributions]
Change = Callable[[Contributions], np.ndarray]


def build_frame() -> pd.DataFrame:
    """Eight normal features; the risk rises with the first three, the less the later."""
    rng = np.random.default_rng(4)
    values = rng.normal(size=(PATIENTS, FEATURES)).round(3)
    risk = 1 / (1 + np.exp(-(2 * values[:, 0] + 1.4 * values[:, 1] + values[:, 2])))
    frame = pd.DataFrame(values, columns=[f"x{j}" for j in range(FEATURES)])
    return frame.assign(
        pid=[f"p{i}" for i in range(PATIENTS)],
        admission="2001",
        died=(rng.random(PATIENTS) < risk).astype(int),
        cost_usd=np.exp(values[:, 0] + rng.normal(0, 0.3, PATIENTS)).round(4),
    )


@pytest.fixture(scope="module")
def wide_study(tmp_path_factory: pytest.TempPathFactory, write_study: WriteStudy) -> Study:
    """A study with more features than there are reasons to show."""
    features = [
        {"id": f"x{j}", "label": f"X{j}", "concept": "First" if j < 3 else "Rest", "kind": "number"}
        for j in range(FEATURES)
    ]
    keys = ("pid", "died", "cost_usd", "admission")
    path = write_study(
        tmp_path_factory.mktemp("wide"),
        frame=build_frame(),
        population=[],
        features=features,
        subgroups=[],
        headline=["x0"],
        baselines=[],
        excluded=[{"column": c, "why": "It is no feature."} for c in keys],
    )
    return load_study(path)


def build_case(study: Study, target_id: str, boosting: Boosting, *, changed: int | None = None) -> Case:
    """One target cross-fitted and explained; `changed` is a patient whose outcome is flipped, folds as they were."""
    cohort = check_study(study)
    matrix, folds = build_matrix(study, cohort.subjects), assign_folds(study, cohort.targets)
    observed = cohort.targets[target_id].to_numpy(np.float64).copy()
    if changed is not None:
        observed[changed] = 1 - observed[changed]
    fit = cross_fit(study, study.target(target_id), matrix, observed, folds, boosting=boosting)
    everybody = np.ones(len(matrix), dtype=bool)
    data = TrainingSet(study, fit, matrix, observed, folds, everybody, boosting)
    return data, explain_cross_fit(study, fit, matrix, folds)


@pytest.fixture(scope="module")
def cases(wide_study: Study, quick: Boosting) -> dict[str, Case]:
    return {target_id: build_case(wide_study, target_id, quick) for target_id in ("death", "cost")}


def tabulate(cases: dict[str, Case], rival: dict[str, np.ndarray] | None = None) -> dict[str, pd.DataFrame]:
    return build_explanation_tables(
        {t: data for t, (data, _) in cases.items()}, {t: e for t, (_, e) in cases.items()}, rival or {}, IDS
    )


@pytest.fixture(scope="module")
def tables(cases: dict[str, Case]) -> dict[str, pd.DataFrame]:
    return tabulate(cases, {"death": cases["death"][1].by_feature})


def test_explanations_of_the_models_hold_every_check(tables: dict[str, pd.DataFrame]) -> None:
    quality = tables["explanation_quality"]
    judged = quality[quality["passed"].notna()]
    assert set(judged["check"]) == {
        *("additivity", "link", "rounding", "concept_sums", "points"),
        *("deletion", "deletion_own", "shuffled"),
    }
    assert judged["passed"].all(), judged[["check", "told"]]
    assert (quality["n"] >= 11).all()
    assert list(quality.loc[quality["target_id"] == "cost", "position"]) == list(range(12))


def test_the_tables_are_those_of_a_loop_over_patients(cases: dict[str, Case], tables: dict[str, pd.DataFrame]) -> None:
    data, explained = cases["death"]
    stability = compare_rebuilds(first_features(explained.by_feature), data.fit.top_features)
    table = tables["patient_stability"].set_index(["target_id", "subject_id"]).loc["death"]
    assert list(table.index) == list(IDS)
    np.testing.assert_array_equal(table["top5_overlap"], stability.top5_overlap)
    quality = tables["explanation_quality"].set_index(["target_id", "check"])
    assert quality.loc[("death", "unstable"), "estimate"] == table["unstable"].mean()
    assert quality.loc[("death", "stability"), "estimate"] == table["top5_overlap"].median()
    assert tables["stability_distribution"].groupby("target_id")["n"].sum().to_dict() == {"death": 420, "cost": 420}
    assert tables["stability_distribution"]["n"].min() >= 11


def test_the_strong_features_are_kept_and_the_weak_ones_change(cases: dict[str, Case]) -> None:
    data, explained = cases["cost"]
    # Only the first feature moves the cost, so it comes first for nearly everybody, whatever the resample.
    stability = compare_rebuilds(first_features(explained.by_feature), data.fit.top_features)
    assert stability.same_first_share.mean() > 0.8
    assert stability.top5_overlap.mean() < 0.9


def test_two_runs_give_the_same_tables(cases: dict[str, Case], tables: dict[str, pd.DataFrame]) -> None:
    again = tabulate(cases, {"death": cases["death"][1].by_feature})
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, again[name])


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        ("additivity", {"by_feature": lambda e: e.by_feature * 1.001}),
        ("link", {"base": lambda e: e.base + 1e-4}),
        ("rounding", {"base": lambda e: e.base + np.where(np.arange(PATIENTS) == 7, 2e-4, 0)}),
        ("points", {"by_feature": lambda e: e.by_feature + 1e-3}),
    ],
)
def test_a_number_that_is_not_the_displayed_one_is_caught(
    cases: dict[str, Case], check: str, wrong: dict[str, Change]
) -> None:
    data, explained = cases["death"]
    broken = dataclasses.replace(explained, **{name: change(explained) for name, change in wrong.items()})
    found = {c.check: c for c in checks.check_sums(data.study, data.fit, broken, data.folds)}
    assert found[check].passed is False
    assert found[check].told.startswith("Not so: ")


def test_a_feature_that_no_concept_counts_is_caught(cases: dict[str, Case], monkeypatch: pytest.MonkeyPatch) -> None:
    data, explained = cases["death"]
    monkeypatch.setattr(explained_number, "sum_by_concept", lambda _, values: {"First": values[:, :2].sum(axis=1)})
    found = {c.check: c for c in checks.check_sums(data.study, data.fit, explained, data.folds)}
    assert found["concept_sums"].passed is False


def test_explanations_of_other_features_fail_the_deletion_test(cases: dict[str, Case]) -> None:
    data, explained = cases["death"]
    sample = np.arange(PATIENTS)
    mixed = np.random.default_rng(2).permuted(explained.by_feature, axis=1)
    found = {c.check: c for c in checks.check_deletion(delete_features(data, mixed, sample), seed=1)}
    assert found["deletion"].passed is False
    others = np.random.default_rng(3).permutation(explained.by_feature)
    found = {c.check: c for c in checks.check_deletion(delete_features(data, others, sample), seed=1)}
    assert found["deletion_own"].passed is False


def test_shuffled_outcomes_are_explained_by_almost_nothing(cases: dict[str, Case]) -> None:
    data, explained = cases["death"]
    ratios = measure_shuffled(data, explained.by_feature)
    assert max(ratios) < 0.25
    # As large as usual would not pass.
    assert checks.check_shuffled([0.02, 0.26], n=140).passed is False


def test_other_folds_are_those_the_patient_is_not_in(cases: dict[str, Case]) -> None:
    data, _ = cases["death"]
    chosen = np.array([3, 50, 51, 200])
    found = rank_with_other_folds(data, chosen)
    for place, patient in enumerate(chosen):
        expected = []
        for model in data.fit.models:
            if model.fold != data.folds[patient]:
                row = build_dmatrix(data.study, data.matrix[[patient]])
                contributions = model.booster.predict(row, pred_contribs=True)[0, :-1]
                expected.append(np.argsort(-abs(contributions), kind="stable")[:5].tolist())
        assert sorted(found[:, place].tolist()) == sorted(expected)


def test_other_seeds_train_other_trees_on_the_same_patients(cases: dict[str, Case]) -> None:
    data, explained = cases["death"]
    ranks = rank_with_other_seeds(data)
    assert ranks.shape == (5, int((data.folds == FOLD).sum()), 5)
    assert not (ranks[0] == ranks[1]).all()
    shown = first_features(explained.by_feature[data.folds == FOLD])
    # Of what is strong nothing changes with random numbers.
    assert compare_rebuilds(shown, ranks).same_first_share.mean() > 0.8


def test_contributions_are_compared_as_spearman_would() -> None:
    rng = np.random.default_rng(8)
    ours, theirs = rng.normal(size=(30, 9)), rng.normal(size=(30, 9)).round(1)
    correlation, same_first = checks.compare_contributions(ours, theirs)
    for i in range(30):
        assert correlation[i] == pytest.approx(spearmanr(ours[i], theirs[i]).statistic)
        assert same_first[i] == (np.argmax(abs(ours[i])) == np.argmax(abs(theirs[i])))


def test_a_model_that_says_the_same_of_everybody_is_not_said_to_fail(cases: dict[str, Case]) -> None:
    data, explained = cases["death"]
    nothing = np.zeros_like(explained.by_feature)
    assert measure_shuffled(data, nothing) == []
    assert checks.check_shuffled([], n=140).passed is None
    still = Deletion({taken: np.zeros((30, 6)) for taken in (BY_IMPORTANCE, BY_AVERAGE, AT_RANDOM)})
    for check in checks.check_deletion(still, seed=1):
        assert check.passed is None
        assert check.told == "Not estimable, because no feature moves any estimate"


def test_a_rival_that_says_the_same_agrees_and_one_that_says_nothing_is_left_out() -> None:
    ours = np.random.default_rng(9).normal(size=(40, 9))
    agreement, first = checks.check_agreement(ours, ours.copy())
    assert agreement.estimate == pytest.approx(1.0)
    assert agreement.n == 40
    assert first.told == "All but fewer than 11 patients have the same first reason in an additive model"
    silent = ours.copy()
    silent[:5] = 0
    assert checks.check_agreement(ours, silent)[0].n == 35


@pytest.mark.parametrize(("count", "told"), [(10, "Fewer than 11 patients"), (50, "All but fewer than 11 patients")])
def test_a_share_that_tells_of_a_few_is_withheld(count: int, told: str) -> None:
    stability = compare_rebuilds(np.zeros((60, 5), dtype=np.uint8), np.zeros((1, 60, 5), dtype=np.uint8))
    few = dataclasses.replace(stability, unstable=np.arange(60) < count)
    _, unstable = checks.check_stability(few, n=60, features=9)
    assert unstable.told.startswith(told)
    assert np.isnan([unstable.estimate, unstable.lower, unstable.upper]).all()
    enough = dataclasses.replace(stability, unstable=np.arange(60) < 11)
    assert checks.check_stability(enough, n=60, features=9)[1].told == (
        "Of 100 patients, 18 have reasons that change when the model is rebuilt"
    )


def test_five_features_are_always_the_first_five() -> None:
    stability = compare_rebuilds(np.zeros((60, 4), dtype=np.uint8), np.zeros((1, 60, 4), dtype=np.uint8))
    kept, _ = checks.check_stability(stability, n=60, features=4)
    assert np.isnan(kept.estimate)
    assert kept.told == "Not estimable, because there are no more than 5 features"


def test_a_release_without_rebuilds_says_so(wide_study: Study) -> None:
    fast = Boosting(max_rounds=5, patience=2, inner_folds=2, refits=0)
    tables = tabulate({"death": build_case(wide_study, "death", fast)})
    assert tables["patient_stability"].empty
    assert tables["stability_distribution"].empty
    quality = tables["explanation_quality"].set_index("check")
    assert quality.loc[["stability", "unstable"], "estimate"].isna().all()
    assert "built without rebuilds" in str(quality.loc["stability", "told"])


def test_whoever_is_refused_has_no_stability_and_counts_nowhere(cases: dict[str, Case]) -> None:
    data, explained = cases["death"]
    scored = np.arange(PATIENTS) % 4 > 0
    tables = tabulate({"death": (dataclasses.replace(data, scored=scored), explained)})
    assert list(tables["patient_stability"]["subject_id"]) == list(IDS[scored])
    quality = tables["explanation_quality"].set_index("check")
    assert quality.loc[["unstable", "deletion"], "n"].tolist() == [315, 315]


def test_what_rests_on_a_few_patients_says_only_that(cases: dict[str, Case]) -> None:
    data, explained = cases["death"]
    few = np.isin(np.arange(PATIENTS), np.flatnonzero(data.folds == FOLD)[:10])
    tables = tabulate({"death": (dataclasses.replace(data, scored=few), explained)})
    quality = tables["explanation_quality"].set_index("check")
    assert quality.loc[["unstable", "deletion", "shuffled"], "estimate"].isna().all()
    assert "fewer than 11 patients" in str(quality.loc["deletion", "told"])
    assert tables["deletion_curve"].empty
    assert tables["stability_distribution"].empty


def test_a_patients_own_outcome_never_reaches_their_stability(
    wide_study: Study, quick: Boosting, cases: dict[str, Case]
) -> None:
    data, explained = cases["death"]
    before = compare_rebuilds(first_features(explained.by_feature), data.fit.top_features)
    for patient in (5, 300):
        changed, why = build_case(wide_study, "death", quick, changed=patient)
        after = compare_rebuilds(first_features(why.by_feature), changed.fit.top_features)
        own = data.folds == data.folds[patient]
        for name in ("top5_overlap", "same_first_share", "unstable"):
            np.testing.assert_array_equal(getattr(before, name)[own], getattr(after, name)[own])
        # The change did reach others, so that the test can fail.
        assert (before.top5_overlap != after.top5_overlap).any()


def test_a_check_says_nothing_it_was_not_given() -> None:
    check = Check("x", 20, "told")
    assert check.passed is None
    assert np.isnan([check.estimate, check.lower, check.upper]).all()
