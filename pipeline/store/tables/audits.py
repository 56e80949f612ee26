"""The contracts of the audits that every build runs by itself."""

from pipeline.store.tables.column import EVERYONE, TARGET, Table, flag, real, text, whole

TABLES: tuple[Table, ...] = (
    Table(
        "leak_audit",
        "target and column: does it know what nobody could have known at index time",
        EVERYONE,
        (
            TARGET,
            text("column_name", "the column, by its name in the source"),
            text("declared", "`feature`, or `excluded` where the study leaves it out with a reason"),
            whole("n", "patients whose target was observed"),
            real(
                "alone",
                "what the column alone predicts, out of fold: the AUROC for an outcome, the share of the variance of "
                "the logarithm for an amount",
            ),
            real(
                "missing_share",
                "share of patients without a value; null where too few are with or without one, or with or without "
                "the event among them",
                nullable=True,
            ),
            real(
                "missing_alone",
                "the AUROC, or 1 less it if that is more, of its being missing for the outcome, or for an amount above "
                "the median; null where nothing is missing, or as in `missing_share`",
                nullable=True,
            ),
            real(
                "gain",
                "of what is to be explained (log loss, or variance of the logarithm), out of fold: for a feature the "
                "share lost where its values are shuffled among patients; for an excluded column the share gained "
                "where it may adjust the model that is there",
            ),
            flag("finding", "true where a feature shows a sign of a leak"),
            text(
                "why",
                "the signs in words; of an excluded column, why it is rightly left out; null where there is none",
                nullable=True,
            ),
        ),
    ),
    Table(
        "coherence_audit",
        "relation between columns, and block of patients: do they still go together there",
        EVERYONE,
        (
            text("relation", "what is explained ~ by what: declared columns, a concept, or the targets"),
            text("block_kind", "`rows` for consecutive rows of the source, or an attribute (period, site)"),
            text("block", "the rows, from 1, or the attribute's level"),
            whole("first_row", "the first row of the block, from 1"),
            whole("last_row", "the last row of the block"),
            whole("n", "patients in it of whom both sides are known; null where they are too few", nullable=True),
            real(
                "association",
                "rank correlation of what was observed with what the other side predicts, by trees grown on other "
                "rows; null where it cannot be estimated",
                nullable=True,
            ),
            real("expected", "what is usual, given how widely the block's predictions spread", nullable=True),
            real("expected_lower", "lower end of where 95% of intact blocks lie", nullable=True),
            real("expected_upper", "upper end of where 95% of intact blocks lie", nullable=True),
            whole("best_lag", "the lag, −200 to 200 rows further down, with the highest association", nullable=True),
            real("association_at_best_lag", "the association at that lag", nullable=True),
            flag("finding", "true where the association is lost, or stands at another lag"),
            text("why", "the finding in words; null where there is none", nullable=True),
        ),
    ),
)
