"""What rivals and combinations say, as scores to be measured, and the table that names every compared model."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.evaluate.scores import Scores, scores_of_prediction
from pipeline.models.rivals import OURS, ModelKind, Rivals
from pipeline.study.model import Study

_COLUMNS = ["model_id", "target_id", "kind", "label", "note"]


def collect_rival_scores(
    study: Study, rivals: Mapping[str, Rivals], targets: pd.DataFrame
) -> dict[str, dict[str, Scores]]:
    """By target and model id: what each rival and combination says of every row of `targets`, NaN where nothing."""
    return {
        target_id: {
            rival.model_id: scores_of_prediction(
                study.target(target_id), rival.prediction, targets[target_id].to_numpy(np.float64)
            )
            for rival in of_one.models
        }
        for target_id, of_one in rivals.items()
    }


def build_compared_model(study: Study, rivals: Mapping[str, Rivals]) -> pd.DataFrame:
    """model_id, target_id, kind, label, note: ours, the baselines, the rivals and the combinations of each target."""
    rows: list[tuple[str, str, ModelKind, str, str | None]] = []
    for target_id, of_one in rivals.items():
        rows.append((OURS, target_id, ModelKind.OURS, "This model", None))
        for b in study.baselines:
            if b.target == target_id:
                rows.append((b.id, target_id, ModelKind.BASELINE, b.label, b.note))
        rows += [(r.model_id, target_id, r.kind, r.label, r.note) for r in of_one.models]
    return pd.DataFrame(rows, columns=_COLUMNS)
