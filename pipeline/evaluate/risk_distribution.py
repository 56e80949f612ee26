"""The table `risk_distribution`: how the risks of every model are spread among patients with and without the event."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.evaluate.curves import build_risk_distribution
from pipeline.evaluate.performance import AllScores

Mask = npt.NDArray[np.bool_]
_COLUMNS = "target_id model_id bin_low bin_high n_event n_no_event"


def build_risk_distributions(scores: AllScores, *, scored: Mask) -> pd.DataFrame:
    """target_id, model_id, bin_low, bin_high, n_event, n_no_event: of the patients scored, by whoever says a risk."""
    tables = []
    for target_id, models in scores.items():
        for model_id, said in models.items():
            if said.amount is None and not said.only_ranks:
                own = said[scored & said.usable]
                table = build_risk_distribution(own.observed, own.said)
                tables.append(table.assign(target_id=target_id, model_id=model_id))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_COLUMNS.split())
