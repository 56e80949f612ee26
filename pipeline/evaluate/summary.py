"""The tables that a release's pages read whole: targets, curves, counts; and what each role may see of them."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.cohort import Cohort
from pipeline.evaluate.curves import build_amount_curve, build_calibration_curve
from pipeline.evaluate.disclosure import leave_out_enough
from pipeline.models.crossfit import CrossFit
from pipeline.models.rivals import OURS
from pipeline.study.model import Kind, Study

Array = npt.NDArray[np.float64]


def build_target(study: Study, fits: Mapping[str, CrossFit], cohort: Cohort) -> pd.DataFrame:
    """A row a target."""
    rows = []
    for i, t in enumerate(study.targets):
        observed = cohort.targets[t.id].dropna()
        events = int(observed.sum()) if t.kind is Kind.OUTCOME else None
        fit = fits[t.id]
        words = (t.label, t.happened, t.horizon, t.unit, t.year, t.caution)
        measured = (str(fit.link), str(fit.interval_kind), len(observed), events, float(observed.mean()))
        rows.append((i, t.id, str(t.kind), *words, *measured))
    columns = "position target_id kind label happened horizon unit year caution link interval_kind n n_events mean"
    return pd.DataFrame(rows, columns=columns.split()).astype({"n_events": "Int64"})


def build_curves(study: Study, fits: Mapping[str, CrossFit], cohort: Cohort) -> dict[str, pd.DataFrame]:
    """The tables calibration_curve and amount_curve."""
    calibration, amounts = [], []
    for target_id, fit in fits.items():
        observed = cohort.targets[target_id].to_numpy(np.float64)
        seen = ~np.isnan(observed)
        if fit.target.kind is Kind.OUTCOME:
            calibration.append(_label(build_calibration_curve(observed[seen], fit.estimate[seen]), target_id, OURS))
            for baseline in (b for b in study.baselines if b.target == target_id and b.risk):
                risk = cohort.baselines[baseline.id].to_numpy(np.float64)
                both = leave_out_enough(seen & ~np.isnan(risk), observed, seed=study.splits.seed)
                calibration.append(_label(build_calibration_curve(observed[both], risk[both]), target_id, baseline.id))
        else:
            curve = build_amount_curve(observed[seen], fit.estimate[seen], seed=study.splits.seed)
            amounts.append(_label(curve, target_id))
    return {
        "calibration_curve": _concat(calibration, "target_id model_id bin predicted observed lower upper n n_events"),
        "amount_curve": _concat(amounts, "target_id tenth predicted observed lower upper mae predictive_ratio n"),
    }


def build_quarantine_count(quarantine: pd.DataFrame) -> pd.DataFrame:
    """column_name, rule, action, n."""
    return quarantine.groupby(["column_name", "rule", "action"], as_index=False).size().rename(columns={"size": "n"})


def _label(table: pd.DataFrame, target_id: str, model_id: str | None = None) -> pd.DataFrame:
    if model_id:
        table.insert(0, "model_id", model_id)
    table.insert(0, "target_id", target_id)
    return table


def _concat(tables: list[pd.DataFrame], columns: str) -> pd.DataFrame:
    full = [table for table in tables if len(table)]
    return pd.concat(full, ignore_index=True) if full else pd.DataFrame(columns=columns.split())
