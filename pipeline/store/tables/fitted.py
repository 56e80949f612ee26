"""The contracts of the tables about fitted models."""

from pipeline.store.tables.column import CLINICAL, EVERYONE, TARGET, Table, real, text, whole

TABLES: tuple[Table, ...] = (
    Table(
        "model",
        "target and fitted model",
        EVERYONE,
        (
            TARGET,
            whole("fold", "the fold that did not train it; −1 for the model that scores new patients"),
            text("file", "its file in the release"),
            text("quantile_file", "the file of an amount's quantiles (5%, 10%, 90%, 95% of the log)", nullable=True),
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
        "amount target, fitted model, class and level",
        EVERYONE,
        (
            TARGET,
            whole("fold", "as in `model`"),
            text(
                "diagnosis",
                "the level of the study's diagnosis attribute whose own errors these are; null for those of everybody, "
                "which serve all other levels",
                nullable=True,
            ),
            real("level", "0.8 or 0.9"),
            real(
                "lower", "distance on the log scale to the lower bound, from the 10% or 5% quantile that is predicted"
            ),
            real("upper", "distance on the log scale to the upper bound, from the 90% or 95% quantile"),
        ),
    ),
    Table(
        "calibration_step",
        "outcome, fitted model, inner fold, end and step of the calibration band",
        CLINICAL,
        (
            TARGET,
            whole("fold", "as in `model`"),
            whole(
                "inner_fold",
                "the part of the training patients that the step is made of, from 0; an end of the band is the mean of "
                "what all parts say of a margin",
            ),
            text(
                "end",
                "`lower`: the risk counts from this margin up to the next, and is 0 before the first; `upper`: it "
                "counts from above the previous margin up to this, and is 1 after the last",
            ),
            real("margin", "recalibrated margin"),
            real("risk", "what the part says of the end of the band, 0 to 1"),
        ),
    ),
)
