"""The contracts of the tables about fitted models."""

from pipeline.store.tables.column import EVERYONE, TARGET, Table, real, text, whole

TABLES: tuple[Table, ...] = (
    Table(
        "model",
        "target and fitted model",
        EVERYONE,
        (
            TARGET,
            whole("fold", "the fold that did not train it; −1 for the model that scores new patients"),
            text("file", "its file in the release"),
            whole("rounds", "number of trees"),
            whole("n_train", "subjects it was trained on"),
            real("recalibration_intercept", "recalibrated margin = intercept + slope · the booster's margin"),
            real("recalibration_slope", "see `recalibration_intercept`"),
            real("log_intercept", "the same for the predicted logarithm of an amount", nullable=True),
            real("log_slope", "see `log_intercept`", nullable=True),
        ),
    ),
    Table(
        "conformal_score",
        "amount target, fitted model and level",
        EVERYONE,
        (
            TARGET,
            whole("fold", "as in `model`"),
            real("level", "0.8 or 0.9"),
            real("lower", "distance from the margin to the lower bound, on the log scale"),
            real("upper", "distance from the margin to the upper bound, on the log scale"),
        ),
    ),
)
