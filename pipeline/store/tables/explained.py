"""The contracts of the tables that test explanations as if they were models."""

from pipeline.store.tables.column import (
    CLINICAL,
    EVERYONE,
    INTERVAL_95,
    SUBJECT,
    TARGET,
    Column,
    Table,
    flag,
    real,
    text,
    whole,
)

# The orders in which the deletion test replaces features.
BY_IMPORTANCE, BY_AVERAGE, AT_RANDOM = "by importance", "by average importance", "at random"
# Fewer of the first five kept than this, on average, and reasons count as unstable.
LEAST_OVERLAP = 0.6

TABLES: tuple[Table, ...] = (
    Table(
        "patient_stability",
        "patient and target; none in a release without rebuilds",
        CLINICAL,
        (
            SUBJECT,
            TARGET,
            real("top5_overlap", "mean share of the five shown features that are among the first five of a rebuild"),
            real("same_first_share", "share of rebuilds with the same first feature"),
            flag(
                "unstable",
                f"true where top5_overlap < {LEAST_OVERLAP}, or a third of the rebuilds or more have another first",
            ),
        ),
    ),
    Table(
        "stability_distribution",
        "target and range of `top5_overlap`",
        EVERYONE,
        (
            TARGET,
            real("bin_low", "lower end, 0 to 1, included"),
            real("bin_high", "upper end, not included but for 1"),
            whole("n", "patients; ranges are joined until each has 11 or more"),
        ),
    ),
    Table(
        "explanation_quality",
        "target and check",
        EVERYONE,
        (
            TARGET,
            whole("position", "order of the check, from 0"),
            text("check", "see `told`"),
            real("estimate", "what was measured; null where it cannot be, or would tell of a few", nullable=True),
            *INTERVAL_95,
            whole("n", "patients it rests on"),
            Column("passed", "BOOLEAN", "whether it held; null where there is no right value", nullable=True),
            text("told", "the result in a sentence"),
        ),
    ),
    Table(
        "deletion_curve",
        "target, order and number of features replaced",
        EVERYONE,
        (
            TARGET,
            text("taken", f"`{BY_IMPORTANCE}` for the patient, `{BY_AVERAGE}`, or `{AT_RANDOM}`"),
            whole("removed", "features whose values were replaced by those of other patients"),
            real("moved", "mean distance of the margin from where it was"),
            *INTERVAL_95,
        ),
    ),
)
