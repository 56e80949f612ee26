"""The contracts of the tables that compare models, and that measure ours on other folds and elsewhere."""

from pipeline.store.tables.column import EVERYONE, INTERVAL_95, MODEL, POPULATION, TARGET, Table, real, text, whole

TABLES: tuple[Table, ...] = (
    Table(
        "compared_model",
        "target and compared model",
        EVERYONE,
        (
            MODEL,
            TARGET,
            text(
                "kind",
                "`ours`, `baseline` (used today), `rival` (simpler) or `combination` (of ours and baselines)",
            ),
            text("label", "its name in plain words"),
            text("note", "what to know about it", nullable=True),
        ),
    ),
    Table(
        "comparison",
        "target, population, pair of models and metric",
        EVERYONE,
        (
            TARGET,
            POPULATION,
            text("model_id", "the model that is judged, as in `compared_model`"),
            text("other_id", "the model that it is compared with on the same patients"),
            text("metric", "see the list of metrics below"),
            real(
                "difference",
                "the metric of `model_id` less that of `other_id`; null where there are too few to judge",
                nullable=True,
            ),
            *INTERVAL_95,
            whole("n", "patients it rests on; null where they are too few to judge", nullable=True),
            whole("n_events", "events among them; null for an amount or too few to judge", nullable=True),
            text(
                "verdict",
                "`better` or `worse` than `other_id` where the interval excludes 0, `no difference shown`, "
                "`too few to judge` (under 20 patients, events or non-events) or `not estimable`",
            ),
        ),
    ),
    Table(
        "repeat_spread",
        "target and metric; empty in a quick build",
        EVERYONE,
        (
            TARGET,
            text("metric", "see the list of metrics below"),
            whole("n_repeats", "how often patients were dealt to other folds, 3 to 5 of them, and all was fitted anew"),
            real("mean", "mean of the metric"),
            real("sd", "its standard deviation over the repeats; null for one repeat", nullable=True),
            real("low", "its lowest value"),
            real("high", "its highest value"),
        ),
    ),
    Table(
        "validation",
        "target, attribute, level that was measured on, and metric; empty in a quick build",
        EVERYONE,
        (
            TARGET,
            text("attribute", "the attribute by which patients were kept apart, as a site or a period"),
            text("trained_on", "its levels that trained and recalibrated the model, or `others`: all but `level`"),
            text("level", "its level that the model never saw and was measured on"),
            text(
                "metric",
                "see the list of metrics below; coverage is that of intervals made of errors about the projection, "
                "which are as wide for everybody on the log scale, and not of those that patients' pages show",
            ),
            real("estimate", "the metric; null where it cannot be estimated", nullable=True),
            *INTERVAL_95,
            whole("n", "patients it rests on; null where they are too few", nullable=True),
            whole("n_events", "events among them; null for an amount or too few", nullable=True),
            text("judgement", "`judged`, or `not estimable: …` with the reason"),
        ),
    ),
)
