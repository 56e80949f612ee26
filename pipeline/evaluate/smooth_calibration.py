"""The table `calibration_smooth`: event rates as a smooth function of the predicted risk, with a band."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.interpolate import CubicSpline
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from pipeline.evaluate.decision_curves import risks_by_population
from pipeline.evaluate.disclosure import SMALLEST_CELL
from pipeline.evaluate.performance import AllScores
from pipeline.evaluate.scores import Scores
from pipeline.study.model import Kind, Study

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_POINTS = 50
# Knots at the ends of the risks and between: the places of Harrell (2015, 10.1007/978-3-319-19425-7) for five.
_KNOTS = (0.0, 0.275, 0.5, 0.725, 1.0)
# A recorded risk of exactly 0 or 1 has no logit; it counts as this far from certainty, as for the slope.
_NEAREST_TO_CERTAIN = 0.005
_95 = 1.959963984540054
_COLUMNS = "target_id model_id population predicted observed lower upper n n_events"


def build_calibration_smooth(study: Study, scores: AllScores, *, scored: Mask | None = None) -> pd.DataFrame:
    """The curve of our model on `all`, and of every model with risks on `all_baselines`; columns as in the contract.

    scores, scored: as for `build_performance`. Models that say too few different risks have no curve.
    """
    rows: list[tuple[object, ...]] = []
    for target in study.targets:
        if target.kind is Kind.OUTCOME:
            for population, model_id, said in risks_by_population(study, target.id, scores, scored=scored):
                counts = (len(said.observed), int(said.observed.sum()))
                rows += [(target.id, model_id, population, *point, *counts) for point in smooth_calibration(said)]
    return pd.DataFrame(rows, columns=_COLUMNS.split())


def smooth_calibration(scores: Scores) -> list[tuple[float, ...]]:
    """Predicted risk, event rate there, lower and upper end of the 95% band, at points from low to high; or nothing.

    Logistic regression on a natural cubic spline of the logit of the risk (Harrell 2015), with a band by the delta
    method. It ends where a hundredth of the patients lie beyond, and at least SMALLEST_CELL.
    """
    line = _logit(scores.said)
    knots = np.unique(np.quantile(line, _KNOTS))
    if len(knots) < 3:
        return []
    # One column for each knot, 1 at its own and 0 at the others: together they make every natural spline.
    basis = CubicSpline(knots, np.eye(len(knots)), bc_type="natural")
    matrix = basis(line)
    model = LogisticRegression(C=np.inf, fit_intercept=False, max_iter=1000, tol=1e-8).fit(matrix, scores.observed)
    coefficients = model.coef_[0]
    fitted = expit(matrix @ coefficients)
    covariance = np.linalg.pinv((matrix * (fitted * (1 - fitted))[:, None]).T @ matrix)
    beyond = max(0.01, SMALLEST_CELL / len(line))
    low, high = (float(np.quantile(scores.said, share)) for share in (beyond, 1 - beyond))
    predicted = np.linspace(low, high, _POINTS)
    at = basis(_logit(predicted))
    margin, error = at @ coefficients, np.sqrt(np.sum((at @ covariance) * at, axis=1))
    table = np.column_stack([predicted, expit(margin), expit(margin - _95 * error), expit(margin + _95 * error)])
    return [tuple(map(float, row)) for row in table]


def _logit(risk: Array) -> Array:
    return np.asarray(logit(np.clip(risk, _NEAREST_TO_CERTAIN, 1 - _NEAREST_TO_CERTAIN)), dtype=np.float64)
