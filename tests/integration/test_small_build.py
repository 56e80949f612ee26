"""A real build of a small part of SUPPORT2: what is in the release, and that its parts agree with one another."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import spearmanr
from sklearn import metrics as sklearn_metrics

from pipeline.build import build_release, check_study, count_steps
from pipeline.cohort import pseudonym
from pipeline.features import build_dmatrix, build_matrix
from pipeline.hashing import sha256_of
from pipeline.models.artefacts import load_quantiles
from pipeline.models.boosting import Boosting
from pipeline.settings import Role
from pipeline.splits import assign_folds
from pipeline.store.release import Release, open_release, read_manifest, store_salt, verify_release
from pipeline.store.schema import study_columns, tables_of
from pipeline.store.tables import METRICS
from pipeline.study import Study, load_study
from tests import oracles
from tests.agreement import check_explained_number, check_stored_margin, reload_margins
from tests.conftest import WriteStudy
from tests.synthetic import build_frame

ReleaseOf = Callable[[Role], Release]
Read = Callable[[str], pd.DataFrame]


@pytest.fixture(scope="module")
def read(release_of: ReleaseOf) -> Read:
    """A table of the clinician's file."""
    release = release_of(Role.CLINICIAN)
    return lambda sql: release.cursor().execute(sql).df()


@pytest.fixture(scope="module")
def predictions(read: Read) -> dict[str, pd.DataFrame]:
    """The predictions of each target, by patient."""
    table = read("from prediction")
    return {str(target): own.set_index("subject_id") for target, own in table.groupby("target_id")}


@pytest.fixture(scope="module")
def subject(read: Read) -> pd.DataFrame:
    return read("from subject").set_index("subject_id")


@pytest.fixture(scope="module")
def filed(small_study: Study, small_store: Path) -> pd.DataFrame:
    """The rows of the file as text, with the pseudonym of each patient."""
    text = pd.read_csv(small_study.source_path, dtype=str, keep_default_na=False)
    salt = store_salt(small_store)
    return text.assign(subject_id=[pseudonym(small_study.id, sno, salt=salt) for sno in text["sno"]])


# What is there


@pytest.mark.parametrize("role", list(Role))
def test_each_role_has_the_tables_and_columns_of_the_contract_in_its_own_file(
    release_of: ReleaseOf, small_study: Study, role: Role
) -> None:
    cursor = release_of(role).cursor()
    for table in tables_of(role):
        columns = [row[0] for row in cursor.execute(f'describe "{table.name}"').fetchall()]
        assert columns == [*(c.name for c in table.columns), *study_columns(table, small_study)]
        assert cursor.execute(f'select count(*) from "{table.name}"').fetchall()[0][0] > 0, table.name


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.BOARD])
def test_the_files_of_who_sees_no_patient_hold_no_patient(
    release_of: ReleaseOf, subject: pd.DataFrame, filed: pd.DataFrame, role: Role
) -> None:
    cursor = release_of(role).cursor()
    columns = cursor.execute("select table_name, column_name, data_type from information_schema.columns").fetchall()
    tables = {table for table, _, _ in columns}
    clinical = {"subject", "patient_list", "prediction", "contribution", "explanation", "quarantine"}
    assert not tables & (clinical | {"subject_repair", "baseline_prediction", "calibration_step"})
    # No pseudonym, and no cost to the cent.
    patients = set(subject.index) | {f"{float(cost)}" for cost in filed["totcst"] if cost and float(cost) > 0}
    for table, column, _ in columns:
        values = cursor.execute(f'select distinct "{column}"::varchar from "{table}"').fetchall()
        assert not {value for (value,) in values} & patients, f"{table}.{column}"


def test_the_release_says_what_it_was_made_of(read: Read, release_of: ReleaseOf, small_study: Study) -> None:
    row = read("from release").iloc[0]
    release = release_of(Role.CLINICIAN)
    assert row["release_id"] == release.release_id
    assert row["study_id"] == "small"
    assert row["data_sha256"] == sha256_of(small_study.source_path)
    assert row["study_sha256"] == small_study.sha256
    assert row["seed"] == small_study.splits.seed
    assert row["refits"] == 3
    assert not row["quick"]
    assert row["n_subjects"] == len(pd.read_csv(small_study.source_path))
    manifest = read_manifest(release.folder)
    assert manifest["sources"] == {
        name: sha256_of(small_study.folder / name) for name in ("small.csv", "alignment.csv")
    }
    assert manifest["code_version"] == row["code_version"]
    assert verify_release(release.folder) == len(manifest["files"])


def test_every_figure_of_the_performance_table_is_documented(read: Read) -> None:
    for table in ("performance", "subgroup_performance"):
        assert set(read(f"select distinct metric from {table}")["metric"]) <= set(METRICS)


# Explained number = displayed number


@pytest.mark.parametrize("target", ["death_180d", "hospital_death", "total_cost", "bed_days"])
def test_base_and_contributions_give_the_margin_and_the_margin_gives_the_estimate(
    release_of: ReleaseOf, target: str
) -> None:
    check_explained_number(release_of(Role.CLINICIAN), target)


@pytest.mark.parametrize("target", ["death_180d", "hospital_death", "total_cost", "bed_days"])
def test_the_stored_margin_is_what_the_reloaded_fold_model_gives_for_the_patients_row(
    release_of: ReleaseOf, target: str
) -> None:
    check_stored_margin(release_of(Role.CLINICIAN), target)


# Never scored by a model that saw you


def test_every_patient_has_a_prediction_of_every_target_by_the_fold_that_did_not_train_on_them(
    read: Read, predictions: dict[str, pd.DataFrame], subject: pd.DataFrame, small_study: Study
) -> None:
    folds = small_study.splits.folds
    for target in small_study.targets:
        shown = predictions[target.id]
        assert sorted(shown.index) == sorted(subject.index)
        assert set(shown["status"]) == {"scored", "refused"}
        assert shown["fold"].equals(predictions[small_study.targets[0].id]["fold"])
        observed = subject[target.id].notna()
        models = read(f"from model where target_id = '{target.id}'").set_index("fold")
        assert sorted(models.index) == [-1, *range(folds)]
        for fold in range(folds):
            assert models.loc[fold, "n_train"] == (observed & (shown["fold"] != fold)).sum()
        assert models.loc[-1, "n_train"] == observed.sum()


def test_the_stored_folds_are_those_that_the_study_asks_for(
    filed: pd.DataFrame, predictions: dict[str, pd.DataFrame], small_study: Study
) -> None:
    expected = assign_folds(small_study, check_study(small_study).targets)
    found = predictions["death_180d"]["fold"].loc[filed["subject_id"]]
    assert found.tolist() == expected.tolist()


def test_intervals_hold_the_estimate_and_the_wider_holds_the_narrower(predictions: dict[str, pd.DataFrame]) -> None:
    kinds = {}
    for target, everybody in predictions.items():
        shown = everybody[everybody["status"] == "scored"]
        assert (shown["lower_90"] <= shown["lower_80"]).all()
        assert (shown["upper_80"] <= shown["upper_90"]).all()
        kinds[target] = set(shown["interval_kind"])
        assert shown["estimate"].between(shown["lower_80"], shown["upper_80"]).all()
    assert kinds == {
        "death_180d": {"model_instability"},
        "hospital_death": {"model_instability"},
        "total_cost": {"conformal_prediction"},
        "bed_days": {"conformal_prediction"},
    }


@pytest.mark.parametrize("target", ["total_cost", "bed_days"])
def test_an_amounts_bounds_are_what_the_files_and_scores_of_the_release_give(
    release_of: ReleaseOf, read: Read, predictions: dict[str, pd.DataFrame], subject: pd.DataFrame, target: str
) -> None:
    release = release_of(Role.CLINICIAN)
    shown = predictions[target].query("status == 'scored'")
    subject = subject.loc[shown.index]
    matrix, n = build_matrix(release.study, subject.reset_index()), len(subject)
    scores = read(f"from conformal_score where target_id = '{target}'")
    assert set(scores["diagnosis"].dropna()) <= set(subject["diagnosis"])
    pooled = scores[scores["diagnosis"].isna()].set_index(["fold", "level"])
    own = scores.dropna().set_index(["fold", "level", "diagnosis"])
    quantiles = np.empty((n, 4))
    for fold in range(release.study.splits.folds):
        rows = (shown["fold"] == fold).to_numpy()
        quantiles[rows] = load_quantiles(release.folder / "models", target, fold).predict(
            build_dmatrix(release.study, matrix[rows])
        )
    quantiles.sort(axis=1)
    margin = shown["margin"].to_numpy()
    for end, widen, columns in (("lower", np.fmin, (1, 0)), ("upper", np.fmax, (2, 3))):
        bound = margin
        for level, column in zip((0.8, 0.9), columns, strict=True):
            corrections = [
                own.loc[(fold, level, diagnosis), end]
                if (fold, level, diagnosis) in own.index
                else pooled.loc[(fold, level), end]
                for fold, diagnosis in zip(shown["fold"], subject["diagnosis"], strict=True)
            ]
            bound = widen(bound, quantiles[:, column] + np.array(corrections))
            np.testing.assert_allclose(shown[f"{end}_{level * 100:.0f}"], np.exp(bound), rtol=1e-9)


def test_a_calibration_band_stands_beside_every_risk_and_no_amount(predictions: dict[str, pd.DataFrame]) -> None:
    for target, everybody in predictions.items():
        shown = everybody[everybody["status"] == "scored"]
        if target in ("death_180d", "hospital_death"):
            assert (shown["band_lower"] < shown["band_upper"]).all()
            # A narrow band about the estimate, on the whole.
            assert (shown["band_upper"] - shown["band_lower"]).mean() < 0.15
            middle = shown[["band_lower", "band_upper"]].mean(axis=1)
            assert np.corrcoef(middle, shown["estimate"])[0, 1] > 0.95
        else:
            assert shown[["band_lower", "band_upper"]].isna().all(axis=None)


# Refused


def test_who_is_refused_is_so_for_every_target_with_one_reason_and_no_number(read: Read) -> None:
    refused = read("from prediction where status = 'refused'")
    assert len(refused) == 4 * refused["subject_id"].nunique() > 40
    assert len(refused[["subject_id", "reason"]].drop_duplicates()) == refused["subject_id"].nunique()
    assert refused["reason"].str.startswith("Not scored: ").all()
    numbers = [c for c in map(str, refused) if c.startswith(("margin", "estimate", "lower", "upper", "band"))]
    assert len(numbers) == 8
    assert refused[numbers].isna().all(axis=None)
    scored = read("from prediction where status = 'scored'")
    assert scored["reason"].isna().all()
    assert scored[["margin", "estimate"]].notna().all(axis=None)
    listed = read("from patient_list where status = 'refused'")
    assert set(listed["subject_id"]) == set(refused["subject_id"])
    told = [c for c in map(str, listed) if c.endswith(("_estimate", "_lower_90", "_upper_90"))]
    assert len(told) == 12
    assert listed[told].isna().all(axis=None)
    assert not any(len(reasons) for c in map(str, listed) if c.endswith("_reasons") for reasons in listed[c])


@pytest.mark.parametrize("role", list(Role))
def test_no_table_of_any_role_has_a_number_about_the_estimate_of_who_is_refused(
    release_of: ReleaseOf, read: Read, role: Role
) -> None:
    refused = set(read("select subject_id from prediction where status = 'refused'")["subject_id"])
    cursor = release_of(role).cursor()
    # What was recorded of them, what happened to them and what others said of them; nothing that our models say.
    recorded = {"subject", "subject_repair", "quarantine", "baseline_prediction", "prediction", "patient_list"}
    for table in tables_of(role):
        if table.name not in recorded and any(c.name == "subject_id" for c in table.columns):
            ids = set(cursor.execute(f'select distinct subject_id from "{table.name}"').df()["subject_id"])
            assert not ids & refused, table.name


def test_the_refused_are_counted_by_rule_and_withheld_where_they_are_few(read: Read, release_of: ReleaseOf) -> None:
    rules = read("from scope_rule").set_index("rule")
    reasons = read("select distinct subject_id, reason from prediction where status = 'refused'")["reason"]
    for rule, words in (
        ("unknown category", "is recorded as"),
        ("outside the plausible range", "is outside what can be"),
        ("too much missing", "features are missing"),
        ("unlike the patients of training", "is unlike those"),
    ):
        assert rules.loc[rule, "n"] == reasons.str.contains(words).sum()
    board = release_of(Role.BOARD).cursor().execute("from scope_rule").df().set_index("rule")
    assert board["limit"].equals(rules["limit"])
    assert board["n"].isna().equals(rules["n"] < 11)
    told, exact = board["n"].dropna(), rules["n"][board["n"].notna()]
    assert len(told)
    assert (told % 10 == 0).all()
    assert ((told - exact).abs() < 10).all()


def test_the_refused_are_in_no_figure_but_comparisons_with_others(
    read: Read, predictions: dict[str, pd.DataFrame]
) -> None:
    n = (predictions["death_180d"]["status"] == "scored").sum()
    found = read("select population, n from performance where target_id = 'death_180d' and metric = 'auroc'")
    assert set(found.query("population == 'all'")["n"]) >= {n}
    assert read("select n from target where target_id = 'death_180d'")["n"][0] == n
    groups = read("select n from group_total where target_id = 'death_180d' and attribute = 'all'")
    assert groups["n"].tolist() == [n]
    curve = read("select sum(n) as n from calibration_curve where target_id = 'death_180d' and model_id = 'xgboost'")
    assert curve["n"].tolist() == [n]
    spread = read(
        "select sum(n_event + n_no_event) as n from risk_distribution "
        "where target_id = 'death_180d' and model_id = 'xgboost'"
    )
    assert spread["n"].tolist() == [n]


# Performance is what the shown predictions give


def test_outcome_performance_is_that_of_the_prediction_table(
    read: Read, predictions: dict[str, pd.DataFrame], subject: pd.DataFrame
) -> None:
    table = read("from performance where model_id = 'xgboost' and population = 'all' and threshold is null")
    for target in ("death_180d", "hospital_death"):
        found = table[table["target_id"] == target].set_index("metric")
        shown = predictions[target].query("status == 'scored'")
        events = subject.loc[shown.index, target].to_numpy()
        risks = shown["estimate"].to_numpy()
        expected = {
            "auroc": sklearn_metrics.roc_auc_score(events, risks),
            "auprc": sklearn_metrics.average_precision_score(events, risks),
            "brier": sklearn_metrics.brier_score_loss(events, risks),
            "observed_expected": events.sum() / risks.sum(),
            "event_rate": events.mean(),
            "mean_risk": risks.mean(),
            "calibration_slope": oracles.calibration_line(events, np.clip(risks, 0.005, 0.995))[1],
            "calibration_intercept": oracles.calibration_in_the_large(events, np.clip(risks, 0.005, 0.995)),
        }
        for metric, value in expected.items():
            assert found.loc[metric, "estimate"] == pytest.approx(value, rel=1e-6, abs=1e-6), metric
        assert set(found["n"]) == {len(events)}
        assert set(found["n_events"]) == {events.sum()}


def test_measures_at_thresholds_are_those_of_scikit_learns_confusion_table(
    read: Read, predictions: dict[str, pd.DataFrame], subject: pd.DataFrame, small_study: Study
) -> None:
    table = read("from performance where model_id = 'xgboost' and population = 'all' and threshold is not null")
    for target, thresholds in small_study.thresholds.items():
        shown = predictions[target].query("status == 'scored'")
        events = subject.loc[shown.index, target].to_numpy()
        risks = shown["estimate"].to_numpy()
        for threshold in thresholds:
            own = table[(table["target_id"] == target) & (table["threshold"] == threshold)]
            found = own.set_index("metric")["estimate"].to_dict()
            flagged = risks >= threshold
            tn, fp, fn, tp = sklearn_metrics.confusion_matrix(events, flagged).ravel()
            assert found == pytest.approx(
                {
                    "sensitivity": tp / (tp + fn),
                    "specificity": tn / (tn + fp),
                    "ppv": tp / (tp + fp),
                    "number_needed_to_evaluate": (tp + fp) / tp,
                    "npv": tn / (tn + fn),
                    "flag_rate": (tp + fp) / len(events),
                    "net_benefit": oracles.net_benefit(events, risks, threshold),
                }
            )


def test_amount_performance_is_that_of_the_prediction_table(
    read: Read, predictions: dict[str, pd.DataFrame], subject: pd.DataFrame
) -> None:
    table = read("from performance where model_id = 'xgboost' and population = 'all'")
    models = read("from model").set_index(["target_id", "fold"])
    for target in ("total_cost", "bed_days"):
        found = table[table["target_id"] == target].set_index("metric")["estimate"]
        told = (predictions[target]["status"] == "scored").loc[subject.index]
        seen = subject[subject[target].notna() & told]
        shown, observed = predictions[target].loc[seen.index], seen[target]
        model = models.loc[[(target, fold) for fold in shown["fold"]]]
        raw = (shown["margin"].to_numpy() - model["recalibration_intercept"]) / model["recalibration_slope"]
        log_prediction = model["log_intercept"] + model["log_slope"] * raw
        inside = {
            name: np.mean((observed >= shown[f"lower_{name}"]) & (observed <= shown[f"upper_{name}"]))
            for name in ("80", "90")
        }
        expected = {
            "r2": sklearn_metrics.r2_score(observed, shown["estimate"]),
            "r2_log": sklearn_metrics.r2_score(np.log(observed), log_prediction),
            "mae": sklearn_metrics.mean_absolute_error(observed, shown["estimate"]),
            "predictive_ratio": shown["estimate"].sum() / observed.sum(),
            "observed_mean": observed.mean(),
            "predicted_mean": shown["estimate"].mean(),
            "interval_coverage_80": inside["80"],
            "interval_coverage_90": inside["90"],
            # Of an even number the lower of the two in the middle.
            "interval_width_80": np.quantile(shown["upper_80"] / shown["lower_80"], 0.5, method="lower"),
            "interval_width_90": np.quantile(shown["upper_90"] / shown["lower_90"], 0.5, method="lower"),
        }
        assert found.to_dict() == pytest.approx(expected, rel=1e-6)


def test_baselines_are_compared_on_the_patients_whom_all_of_them_could_score(
    read: Read,
    predictions: dict[str, pd.DataFrame],
    subject: pd.DataFrame,
    filed: pd.DataFrame,
    release_of: ReleaseOf,
) -> None:
    rows = filed.set_index("subject_id")
    surv6m, prg6m = (pd.to_numeric(rows[column]) for column in ("surv6m", "prg6m"))
    both = rows.index[surv6m.notna() & prg6m.notna()]
    risks = {
        "support_model": 1 - surv6m,
        "physician": 1 - prg6m,
        "support_physician_mean": 1 - (surv6m + prg6m) / 2,
        # Of the refused too, whose estimate is withheld everywhere else.
        "xgboost": pd.Series(expit(reload_margins(release_of(Role.CLINICIAN), "death_180d"))),
    }
    assert (predictions["death_180d"].loc[both, "status"] == "refused").any()
    table = read(
        "from performance where target_id = 'death_180d' and population = 'all_baselines' and metric = 'auroc'"
    )
    found = table.set_index("model_id")
    together = {f"xgboost_plus_{name}" for name in ("support_model", "physician", "support_physician_mean", "all")}
    assert set(found.index) == {*risks, *together, "glass_box", "age_sex_diagnosis"}
    assert set(found["n"]) == {len(both)}
    for model, risk in risks.items():
        expected = sklearn_metrics.roc_auc_score(subject.loc[both, "death_180d"], risk.loc[both])
        assert found.loc[model, "estimate"] == pytest.approx(expected), model


def test_importance_is_the_mean_of_the_explanation(read: Read) -> None:
    naive = read(
        "select target_id, feature_id, avg(contribution) as mean, avg(abs(contribution)) as mean_absolute "
        "from explanation group by all"
    ).set_index(["target_id", "feature_id"])
    stored = read("from importance").set_index(["target_id", "feature_id"])
    assert sorted(stored.index) == sorted(naive.index)
    for column in ("mean", "mean_absolute"):
        np.testing.assert_allclose(stored[column], naive[column].loc[stored.index], rtol=1e-9, atol=1e-12)
    assert (stored["mean_absolute_lower"] <= stored["mean_absolute"]).all()


def test_concept_importance_adds_a_patients_features_up_first(read: Read) -> None:
    naive = read(
        "with summed as (select target_id, subject_id, concept, sum(contribution) as total from explanation "
        "join feature using (feature_id) group by all) "
        "select target_id, concept, avg(total) as mean, avg(abs(total)) as mean_absolute from summed group by all"
    ).set_index(["target_id", "concept"])
    stored = read("from concept_importance").set_index(["target_id", "concept"])
    assert sorted(stored.index) == sorted(naive.index)
    for column in ("mean", "mean_absolute"):
        np.testing.assert_allclose(stored[column], naive[column].loc[stored.index], rtol=1e-9, atol=1e-12)


# Nothing is lost


def test_a_patient_in_the_release_is_the_patient_in_the_file(
    filed: pd.DataFrame, subject: pd.DataFrame, small_study: Study
) -> None:
    rows = filed.set_index("subject_id").loc[subject.index]
    moved = set(small_study.repairs[0].realign)
    for feature in (f for f in small_study.features if f.column not in moved):
        expected = rows[feature.column].str.strip()
        if feature.is_categorical:
            assert subject[feature.id].fillna("").tolist() == expected.tolist()
        else:
            np.testing.assert_array_equal(subject[feature.id], pd.to_numeric(expected))
    deaths = (rows["death"] == "1") & (pd.to_numeric(rows["d.time"]) <= 180)
    assert subject["death_180d"].tolist() == deaths.astype(float).tolist()
    assert subject["hospital_death"].tolist() == pd.to_numeric(rows["hospdead"]).tolist()
    np.testing.assert_array_equal(subject["total_cost"], pd.to_numeric(rows["totcst"]).replace(0, np.nan))
    np.testing.assert_array_equal(subject["bed_days"], pd.to_numeric(rows["slos"]))


def test_rejected_values_point_to_the_row_and_the_value_of_the_file(read: Read, filed: pd.DataFrame) -> None:
    quarantine = read("from quarantine")
    assert set(quarantine["source_table"]) == {"small.csv"}
    for row in quarantine.to_dict("records"):
        assert filed[row["column_name"]][row["source_row"] - 1].strip() == row["value"]
    assert set(quarantine["action"]) == {"set to missing", "kept, marked"}


def test_rejected_values_name_the_patient_whose_they_are_after_the_repair(
    read: Read, filed: pd.DataFrame, small_study: Study
) -> None:
    alignment = pd.read_csv(small_study.folder / "alignment.csv", dtype=str)
    owner = dict(zip(alignment["physiology_sno"], alignment["sno"], strict=True))
    ids = dict(zip(filed["sno"], filed["subject_id"], strict=True))
    moved = 0
    for row in read("from quarantine").to_dict("records"):
        sno = filed["sno"][row["source_row"] - 1]
        if row["column_name"] not in small_study.repairs[0].realign:
            expected = ids[sno]
        elif sno in owner:
            expected = ids[owner[sno]]
        else:
            expected = None if sno in set(alignment["sno"]) else ids[sno]
        assert (None if pd.isna(row["subject_id"]) else row["subject_id"]) == expected
        moved += expected != ids[sno]
    assert moved > 3


def test_attrition_starts_with_the_file_and_ends_with_the_cohort(
    read: Read, filed: pd.DataFrame, subject: pd.DataFrame
) -> None:
    steps = read("from attrition order by position")
    assert steps["n_before"].iloc[0] == steps["n_after"].iloc[0] == len(filed)
    assert steps["n_before"][1:].tolist() == steps["n_after"][:-1].tolist()
    assert steps["n_after"].iloc[-1] == len(subject)
    assert (steps["why"].str.len() > 0).all()


def test_patients_whose_values_are_nowhere_say_so_in_the_list(read: Read) -> None:
    absent = read("select subject_id, note from subject_repair where result = 'absent'")
    assert len(absent) == 15
    assert set(absent["note"]) == {"Day-3 physiology is missing in the public file for this patient."}
    listed = read("select subject_id, gaps, death_180d_reasons as reasons from patient_list").set_index("subject_id")
    assert (listed.loc[absent["subject_id"], "gaps"] >= 14).all()
    # Without their physiology they are not scored, and without an estimate nothing explains one.
    assert not any(len(reasons) for reasons in listed.loc[absent["subject_id"], "reasons"])


def test_the_order_of_patients_in_the_release_tells_nothing_of_the_file(
    filed: pd.DataFrame, subject: pd.DataFrame
) -> None:
    rows = filed.set_index("subject_id")["sno"].astype(int).loc[subject.index]
    assert abs(spearmanr(rows, np.arange(len(rows))).statistic) < 0.1


# What a role may see


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.BOARD])
def test_small_levels_are_hidden_from_who_sees_no_patient_and_all_else_is_told_in_tens(
    release_of: ReleaseOf, read: Read, role: Role
) -> None:
    keys = ["target_id", "attribute", "level", "metric", "threshold"]
    whole = read("from subgroup_performance")
    seen = release_of(role).cursor().execute("from subgroup_performance").df()
    pd.testing.assert_frame_equal(whole[keys], seen[keys])
    hidden = seen["suppressed"]
    numbers = ["estimate", "lower", "upper", "n", "n_events"]
    assert not whole["suppressed"].any()
    assert seen.loc[hidden, numbers].isna().all().all()
    shown = seen[~hidden]
    for count in ("n", "n_events"):
        exact = whole.loc[~hidden, count].astype("Float64")
        assert ((shown[count] - exact).abs().dropna() < 10).all()
        assert (shown[count].dropna() % 10 == 0).all()
    scores = shown["metric"].isin(["auroc", "observed_expected", "predictive_ratio", "calibration_slope"])
    told, exact = (table.loc[~hidden, "estimate"][scores].astype(float) for table in (seen, whole))
    pd.testing.assert_series_equal(told, exact.round(2))
    levels = set(seen[hidden][["attribute", "level"]].itertuples(index=False, name=None))
    assert {("race", "asian"), ("race", "other"), ("race", "missing")} <= levels
    of_outcomes = whole[~hidden & whole["n_events"].notna()]
    assert of_outcomes["n_events"].min() >= 11
    assert (of_outcomes["n"] - of_outcomes["n_events"]).min() >= 11


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.BOARD])
def test_no_count_in_the_file_of_who_sees_no_patient_is_below_eleven(release_of: ReleaseOf, role: Role) -> None:
    assert not _small_counts(release_of(role))


def test_no_count_is_below_eleven_where_few_amounts_were_observed_either(
    write_study: WriteStudy, quick: Boosting, tmp_path: Path
) -> None:
    frame = build_frame()
    frame.loc[80:, "cost_usd"] = 0
    study = load_study(write_study(tmp_path, frame=frame))
    build_release(study, store=tmp_path / "store", boosting=quick)
    assert not _small_counts(open_release(study.id, Role.BOARD, store=tmp_path / "store"))


@pytest.mark.parametrize("role", list(Role))
def test_what_is_not_there_is_null_and_not_a_word_for_it(release_of: ReleaseOf, role: Role) -> None:
    cursor = release_of(role).cursor()
    sql = "select table_name, column_name from information_schema.columns where data_type = 'VARCHAR'"
    for table, column in cursor.execute(sql).fetchall():
        words = f"select count(*) from \"{table}\" where \"{column}\" in ('None', 'nan', 'NaN', '<NA>', 'NaT')"
        assert cursor.execute(words).fetchall() == [(0,)], f"{table}.{column}"


def _small_counts(release: Release) -> list[str]:
    """The tables with a count of patients, events or non-events that is no ten: 10 is told of 11 to 19 patients too."""
    cursor = release.cursor()
    small = []
    for table in tables_of(release.role):
        columns = [c.name for c in table.columns if c.name in ("n", "n_observed", "n_events")]
        frame = cursor.execute(f'from "{table.name}"').df()
        counts = [frame[column] for column in columns]
        if "n_events" in columns and "n" in columns:
            counts.append(frame["n"] - frame["n_events"])
        if any((count.dropna() % 10 != 0).any() for count in counts):
            small.append(table.name)
    return small


# The same again


def _predictions(store: Path, study: Study) -> pd.DataFrame:
    release = open_release(study.id, Role.CLINICIAN, store=store)
    salt = store_salt(store)
    ids = {pseudonym(study.id, f"p{i:04d}", salt=salt): i for i in range(1, 241)}
    table = release.cursor().execute("from prediction").df()
    return table.assign(subject_id=table["subject_id"].map(ids)).sort_values(
        ["target_id", "subject_id"], ignore_index=True
    )


def test_a_second_build_gives_the_same_numbers_under_other_pseudonyms(
    tiny_study: Study, quick: Boosting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_release(tiny_study, store=tmp_path / "one", boosting=quick)
    # Another store has another salt; and another machine another number of processors.
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    build_release(tiny_study, store=tmp_path / "two", boosting=quick)
    one, two = (open_release(tiny_study.id, Role.CLINICIAN, store=tmp_path / name) for name in ("one", "two"))
    for name in [table.name for table in tables_of(Role.BOARD) if table.name != "release"]:
        first, second = (r.cursor().execute(f'from "{name}"').df() for r in (one, two))
        pd.testing.assert_frame_equal(first, second, check_exact=True)
    ids = [set(r.cursor().execute("select subject_id from subject").df()["subject_id"]) for r in (one, two)]
    assert not ids[0] & ids[1]
    pd.testing.assert_frame_equal(
        _predictions(tmp_path / "one", tiny_study), _predictions(tmp_path / "two", tiny_study), check_exact=True
    )


def test_a_second_build_in_the_same_store_keeps_the_pseudonyms(
    tiny_study: Study, quick: Boosting, tmp_path: Path
) -> None:
    steps: list[str] = []
    for _ in range(2):
        build_release(tiny_study, store=tmp_path, boosting=quick, step=steps.append)
    assert len(steps) == 2 * count_steps(tiny_study)
    names = sorted(path.name for path in (tmp_path / "tiny").glob("2*"))
    releases = [open_release("tiny", Role.CLINICIAN, store=tmp_path, release_id=name) for name in names]
    first, second = (release.cursor().execute("from subject").df() for release in releases)
    pd.testing.assert_frame_equal(first, second)
