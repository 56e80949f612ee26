"""The contracts of the tables that plots of performance are drawn from, beside those in `measured`."""

from pipeline.store.tables.column import EVERYONE, INTERVAL_95, MODEL, POPULATION, TARGET, Table, real, whole

TABLES: tuple[Table, ...] = (
    Table(
        "net_benefit_curve",
        "outcome target, model, population and threshold",
        EVERYONE,
        (
            TARGET,
            MODEL,
            POPULATION,
            real("threshold", "the risk a decision is taken at, 0 to 1"),
            real(
                "net_benefit",
                "true positives less false positives at the odds of the threshold, per patient; flagging nobody is 0; "
                "null where it would tell of fewer than 11 patients flagged or not flagged, with the event or without",
                nullable=True,
            ),
            *INTERVAL_95,
            real("treat_all", "the net benefit of flagging everybody, from `n` and `n_events` as they are told"),
            whole("n", "patients"),
            whole("n_events", "events among them"),
        ),
    ),
    Table(
        "calibration_smooth",
        "outcome target, model, population and predicted risk",
        EVERYONE,
        (
            TARGET,
            MODEL,
            POPULATION,
            real("predicted", "a risk, from the 1st to the 99th percentile of those predicted"),
            real("observed", "event rate at that risk: logistic regression on a natural spline of its logit"),
            *INTERVAL_95,
            whole("n", "patients the whole curve rests on"),
            whole("n_events", "events among them"),
        ),
    ),
    Table(
        "concentration",
        "amount target, model, population and share of patients",
        EVERYONE,
        (
            TARGET,
            MODEL,
            POPULATION,
            real("share", "the share of patients with the highest projections: 0.01, 0.05 or 0.1"),
            real("held", "the share of everything observed that they hold"),
            *INTERVAL_95,
            real("held_by_costliest", "the share that as many truly most expensive patients hold"),
            real("costliest_lower", "lower end of its 95% interval", nullable=True),
            real("costliest_upper", "upper end of it", nullable=True),
            whole("n", "patients"),
            whole("n_chosen", "those with the highest projections"),
        ),
    ),
)
