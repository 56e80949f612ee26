"""What must agree inside any release: explanation, margin, estimate, and the models that lie beside them."""

import numpy as np
import pandas as pd
from scipy.special import expit

from pipeline.features import build_matrix
from pipeline.models.artefacts import load_booster
from pipeline.models.boosting import predict_margin
from pipeline.store.release import Release
from pipeline.study import Kind


def check_explained_number(release: Release, target_id: str) -> None:
    """Base plus contributions give the margin within 1e-4, and through the link the estimate within 1e-6, for all."""
    sql = """
        select p.margin, p.estimate, count(*) as n, any_value(e.base_value) + sum(e.contribution) as total
        from prediction p join explanation e using (subject_id, target_id)
        where target_id = ? group by p.subject_id, p.margin, p.estimate
    """
    table = release.cursor().execute(sql, [target_id]).df()
    scored = "select count(*) from prediction where target_id = ? and status = 'scored'"
    assert len(table) == release.cursor().execute(scored, [target_id]).fetchall()[0][0] > 0
    assert set(table["n"]) == {len(release.study.features)}
    np.testing.assert_allclose(table["total"], table["margin"], rtol=0, atol=1e-4)
    is_outcome = release.study.target(target_id).kind is Kind.OUTCOME
    for margin in (table["margin"].to_numpy(), table["total"].to_numpy()):
        estimate = expit(margin) if is_outcome else np.exp(margin)
        np.testing.assert_allclose(estimate, table["estimate"], rtol=1e-6, atol=0)


def check_stored_margin(release: Release, target_id: str) -> None:
    """The stored margin is what the reloaded model of the patient's fold gives for their row, recalibrated."""
    shown = release.cursor().execute("from prediction where target_id = ?", [target_id]).df().set_index("subject_id")
    margins = reload_margins(release, target_id)
    scored = shown["status"] == "scored"
    assert sorted(margins.index) == sorted(shown.index)
    assert shown["margin"][~scored].isna().all()
    np.testing.assert_allclose(margins[scored.index[scored]], shown["margin"][scored], rtol=0, atol=1e-9)


def reload_margins(release: Release, target_id: str) -> "pd.Series[float]":
    """What the reloaded model of each patient's fold gives for their row, recalibrated: also of who is refused."""
    cursor = release.cursor()
    subjects = cursor.execute("from subject order by subject_id").df()
    shown = cursor.execute("from prediction where target_id = ? order by subject_id", [target_id]).df()
    models = cursor.execute("from model where target_id = ?", [target_id]).df().set_index("fold")
    assert subjects["subject_id"].tolist() == shown["subject_id"].tolist()
    matrix = build_matrix(release.study, subjects)
    margins = pd.Series(np.nan, index=subjects["subject_id"])
    for fold in range(release.study.splits.folds):
        own = (shown["fold"] == fold).to_numpy()
        model = models.loc[fold]
        booster = load_booster(release.folder / "models", target_id, fold)
        assert booster.num_boosted_rounds() == model["rounds"]
        raw = predict_margin(release.study, booster, matrix[own])
        margins[own] = model["recalibration_intercept"] + model["recalibration_slope"] * raw
    assert margins.notna().all()
    return margins
