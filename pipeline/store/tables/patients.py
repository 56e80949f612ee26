"""The contracts of the tables about single patients."""

from pipeline.store.tables.column import CLINICAL, FEATURE, SUBJECT, TARGET, Table, real, text, whole

SCORED, REFUSED = "scored", "refused"

TABLES: tuple[Table, ...] = (
    Table(
        "subject",
        "patient",
        CLINICAL,
        (SUBJECT,),
        "every feature (value in the feature's unit, or level), every attribute (level) and every target (null where "
        "it was not observed)",
    ),
    Table(
        "baseline_prediction",
        "patient and baseline that could score them",
        CLINICAL,
        (SUBJECT, text("model_id", "the baseline"), TARGET, real("value", "a risk, 0 to 1, or a score in points")),
    ),
    Table(
        "patient_list",
        "patient",
        CLINICAL,
        (
            SUBJECT,
            text("headline", "the patient in a phrase"),
            real("age", "the feature `age` in years, where the study has it", nullable=True),
            text("sex", "the level of the feature `sex`, where the study has it", nullable=True),
            text("diagnosis", "the level of the study's diagnosis attribute", nullable=True),
            whole("gaps", "features without a value"),
            text("status", "`scored` or `refused`, for all targets together"),
        ),
        "for every target `<target>_estimate`, `<target>_lower_90`, `<target>_upper_90` (null where refused) and "
        "`<target>_reasons` (the three features that moved it most, in words; none where refused)",
    ),
    Table(
        "prediction",
        "patient and target",
        CLINICAL,
        (
            SUBJECT,
            TARGET,
            text("status", "`scored` or `refused`"),
            text("reason", "why it was refused, and what would mend it; null where scored", nullable=True),
            real(
                "margin",
                "recalibrated margin; null, like every number that follows from it, where refused",
                nullable=True,
            ),
            real("estimate", "link⁻¹(margin): a risk, 0 to 1, or an amount in the target's unit", nullable=True),
            text("interval_kind", "what the interval is", nullable=True),
            real("lower_80", "lower end of the 80% interval; null where a build made none", nullable=True),
            real("upper_80", "upper end of the 80% interval", nullable=True),
            real("lower_90", "lower end of the 90% interval", nullable=True),
            real("upper_90", "upper end of the 90% interval", nullable=True),
            real(
                "band_lower",
                "lower end of a risk's calibration band: what became of earlier patients with such a margin, a part of "
                "them at a time. It has no level, and need not hold the estimate",
                nullable=True,
            ),
            real("band_upper", "upper end of the calibration band; null, like the lower, for an amount", nullable=True),
            whole("fold", "the fold whose model made it, and did not see the patient"),
        ),
    ),
    Table(
        "contribution",
        "scored patient and target",
        CLINICAL,
        (SUBJECT, TARGET, real("base_value", "base + contributions = margin")),
        "every feature (its contribution on the margin)",
    ),
    Table(
        "explanation",
        "scored patient, target and feature (a view over `contribution`)",
        CLINICAL,
        (
            SUBJECT,
            TARGET,
            FEATURE,
            real("contribution", "the feature's contribution on the margin", nullable=True),
            real("base_value", "base + contributions = margin", nullable=True),
        ),
    ),
)
