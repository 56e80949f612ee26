"""The contracts of the tables about groups of patients: their totals, and the slices where a model is furthest off."""

from pipeline.store.tables.column import EVERYONE, INTERVAL_95, LEVEL, SUPPRESSED, TARGET, Table, real, text, whole

TABLES: tuple[Table, ...] = (
    Table(
        "group_effect",
        "target and attribute",
        EVERYONE,
        (
            TARGET,
            text("attribute", "the subgroup attribute"),
            real(
                "sd",
                "SD between its levels of the log of observed over projected, beyond chance (DerSimonian-Laird); null "
                "where fewer than two levels have 20 patients (amounts) or events (outcomes)",
                nullable=True,
            ),
        ),
    ),
    Table(
        "group_total",
        "target, attribute and level; the attribute `all` has the level `all`",
        EVERYONE,
        (
            TARGET,
            *LEVEL,
            whole("n", "patients that models score", nullable=True),
            whole("n_observed", "those whose target was observed", nullable=True),
            real("projected_total", "sum of the projections of all n: expected events, or in its unit", nullable=True),
            real("lower", "lower end of the 95% interval for what such a group adds up to", nullable=True),
            real("upper", "upper end of it", nullable=True),
            real("observed_total", "sum of what was observed among n_observed", nullable=True),
            SUPPRESSED,
        ),
    ),
    Table(
        "total_coverage",
        "target, kind and size of group, and level",
        EVERYONE,
        (
            TARGET,
            text("group_kind", "`random` or `attribute` (the levels of all attributes)"),
            whole("size", "patients of a random group; null for levels", nullable=True),
            real("level", "what the interval promises: 0.8, 0.9 or 0.95"),
            real(
                "coverage",
                "share of groups whose observed total lies inside the interval of their projected total; errors are "
                "learnt from patients outside the group, and `sd` of a level's attribute from the other levels",
            ),
            *INTERVAL_95,
            whole("n_groups", "groups tried"),
        ),
    ),
    Table(
        "slice",
        "target and rank: a group that was found in one half of the patients and confirmed in the other",
        EVERYONE,
        (
            TARGET,
            whole("rank", "from 1, the most deviant where it was found first"),
            text("conditions", "up to three conditions in words, with ` · ` between them"),
            whole("n_conditions", "how many"),
            text("metric", "`observed_expected` of an outcome, `predictive_ratio` of an amount"),
            real("found_estimate", "the metric in the half that was searched: too far from 1, for it was chosen so"),
            real("estimate", "the metric in the other half"),
            real("lower", "lower end of its 95% interval"),
            real("upper", "upper end of it"),
            whole("n", "patients in the other half"),
            whole("n_events", "events among them; null for an amount", nullable=True),
            real("p_value", "of the metric being 1, two-sided"),
            real("q_value", "after Benjamini and Hochberg over the groups tried for the target; 0.10 at most"),
        ),
    ),
    Table(
        "slice_search",
        "target",
        EVERYONE,
        (
            TARGET,
            whole("conditions_searched", "conditions that groups were made of"),
            whole("groups_searched", "groups of up to three conditions that were large enough"),
            whole("tried", "the most deviant, not much alike, that were tried in the other half"),
            whole("confirmed", "rows of `slice`"),
            whole("fewest", "patients that a group has at least in either half; an outcome also needs 20 events"),
        ),
    ),
)
