"""The column contracts of a release: what every table and column means. docs/store.md is written from them."""

from dataclasses import dataclass

from pipeline.settings import Role

EVERYONE = (Role.CLINICIAN, Role.ADMINISTRATOR, Role.BOARD)
CLINICAL = (Role.CLINICIAN,)


@dataclass(frozen=True)
class Column:
    """A column: its type, what it means (with unit), and whether it may be null."""

    name: str
    type: str
    meaning: str
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """A table: what a row is, who has it, its fixed columns, and which columns a study adds."""

    name: str
    row: str
    audience: tuple[Role, ...]
    columns: tuple[Column, ...]
    study_columns: str | None = None


def _text(name: str, meaning: str, *, nullable: bool = False) -> Column:
    return Column(name, "VARCHAR", meaning, nullable)


def _int(name: str, meaning: str, *, nullable: bool = False) -> Column:
    return Column(name, "BIGINT", meaning, nullable)


def _real(name: str, meaning: str, *, nullable: bool = False) -> Column:
    return Column(name, "DOUBLE", meaning, nullable)


def _flag(name: str, meaning: str) -> Column:
    return Column(name, "BOOLEAN", meaning)


_TARGET = _text("target_id", "the target, as in `target`")
_SUBJECT = _text("subject_id", "a salted pseudonym of the subject")
_FEATURE = _text("feature_id", "the feature, as in `feature`")
_POPULATION = _text(
    "population",
    "`all` (cross-fitted) or `all_baselines` (whom every baseline could score; a few at random are "
    "left out with them where they are so few that the two populations would tell of single patients)",
)
_MODEL = _text("model_id", "`xgboost` for ours, a baseline's id for others")
_INTERVAL_95 = (
    _real("lower", "lower end of the 95% interval", nullable=True),
    _real("upper", "upper end of the 95% interval", nullable=True),
)
_LEVEL = (
    _text("attribute", "the subgroup attribute"),
    _text("level", "its level, `missing` where it was not recorded"),
)
_SUPPRESSED = _flag("suppressed", "true where the cell is too small for this role; its numbers are then null")

TABLES: tuple[Table, ...] = (
    Table(
        "release",
        "release",
        EVERYONE,
        (
            _text("release_id", "when it was built, UTC: `YYYYMMDD-HHMMSS`"),
            _text("study_id", "the study"),
            _text("study_title", "the study's title"),
            _text("short_title", "the study's name in sentences"),
            _text("era", "the years the data is of; said beside every risk and amount"),
            Column("created_at", "TIMESTAMP", "when it was built, UTC"),
            _text("data_sha256", "SHA-256 of the source file"),
            _text("study_sha256", "SHA-256 of everything the study file says"),
            _text("code_version", "version and commit of the code that built it"),
            _int("seed", "the seed of every random choice"),
            _int("n_subjects", "subjects in the cohort"),
            _int("refits", "how often each fold's model was rebuilt to measure its instability"),
        ),
    ),
    Table(
        "statement",
        "thing that only people can say",
        EVERYONE,
        (_text("field", "intended_use, intended_users, cautioned or funding"), _text("value", "what the study says")),
    ),
    Table(
        "attrition",
        "population step",
        EVERYONE,
        (
            _int("position", "order of the step, from 0"),
            _text("step", "the condition to stay in"),
            _text("why", "the reason the study gives"),
            _int("n_before", "subjects before the step"),
            _int("n_after", "subjects after it"),
        ),
    ),
    Table(
        "repair",
        "repair and result",
        EVERYONE,
        (
            _text("repair_id", "the repair"),
            _text("why", "the reason the study gives"),
            _text("result", "`moved`, `unchanged` or `absent` (no row holds the values)"),
            _int("n", "subjects"),
        ),
    ),
    Table(
        "subject_repair",
        "repair and subject that is not `unchanged`",
        CLINICAL,
        (
            _SUBJECT,
            _text("repair_id", "the repair"),
            _text("result", "`moved` or `absent`"),
            _text("note", "the sentence shown"),
        ),
    ),
    Table(
        "quarantine",
        "rejected or marked value",
        CLINICAL,
        (
            _text("source_table", "the source file"),
            _int("source_row", "the row in it, from 1, the header not counted"),
            _text("subject_id", "whose value it is after repairs; null where it is nobody's", nullable=True),
            _text("column_name", "the source column"),
            _text("value", "the value as it stands in the file", nullable=True),
            _text("rule", "the rule it breaks"),
            _text("action", "`set to missing` or `kept, marked`"),
        ),
    ),
    Table(
        "quarantine_count",
        "column, rule and action",
        EVERYONE,
        (
            _text("column_name", "the source column"),
            _text("rule", "the rule that values break"),
            _text("action", "`set to missing` or `kept, marked`"),
            _int("n", "values", nullable=True),
            _SUPPRESSED,
        ),
    ),
    Table(
        "target",
        "target",
        EVERYONE,
        (
            _int("position", "order in the study, from 0"),
            _TARGET,
            _text("kind", "`outcome`, `cost` or `resource`"),
            _text("label", "its name"),
            _text("happened", 'how sentences say it: "died within 180 days"', nullable=True),
            _text("horizon", "the time it looks ahead", nullable=True),
            _text("unit", "of an amount: `USD`, `days`", nullable=True),
            _text("year", "the year of the money", nullable=True),
            _text("caution", "a sentence that stands beside every estimate", nullable=True),
            _text("link", "`logit`, `log`: link⁻¹(margin) is the estimate"),
            _text(
                "interval_kind", "what the interval of an estimate is: `model_instability` or `conformal_prediction`"
            ),
            _int("n", "subjects whose target was observed"),
            _int("n_events", "events among them; null for an amount", nullable=True),
            _real("mean", "event rate, or mean amount in the unit"),
        ),
    ),
    Table(
        "threshold",
        "target and threshold",
        EVERYONE,
        (_TARGET, _real("threshold", "a risk, 0 to 1, at which the study asks for decisions to be measured")),
    ),
    Table(
        "feature",
        "feature",
        EVERYONE,
        (
            _int("position", "order in the model's matrix, from 0"),
            _FEATURE,
            _text("column_name", "the source column"),
            _text("label", "its name"),
            _text("term", "its name in sentences"),
            _text("concept", "the clinical concept it belongs to"),
            _text("unit", "its unit", nullable=True),
            _text("kind", "`number`, `integer`, `category` or `binary`"),
            _flag("modifiable", "whether care can change it"),
            _real("normal_low", "lower end of the normal range", nullable=True),
            _real("normal_high", "upper end of the normal range", nullable=True),
            _real("plausible_low", "lower end of what can be", nullable=True),
            _real("plausible_high", "upper end of what can be", nullable=True),
            _int("decimals", "digits shown"),
            _text("note", "what a reader should know", nullable=True),
            _real("missing_share", "share of subjects without a value, 0 to 1"),
        ),
    ),
    Table(
        "feature_level",
        "categorical feature and level",
        EVERYONE,
        (
            _FEATURE,
            _int("code", "the number that stands for the level in the model's matrix"),
            _text("level", "the level as in the source"),
            _text("label", "its name in sentences"),
        ),
    ),
    Table(
        "attribute_level",
        "subgroup attribute and level",
        EVERYONE,
        (
            _int("position", "order of attributes and their levels in the study, from 0"),
            _text("attribute", "the attribute"),
            _text("attribute_label", "its name"),
            _text("attribute_note", "what a reader should know", nullable=True),
            _text("level", "the level; `missing` where it was not recorded"),
            _text("level_label", "its name"),
            _flag("reference", "whether other levels are compared with it"),
        ),
    ),
    Table(
        "baseline",
        "baseline",
        EVERYONE,
        (
            _text("model_id", "the baseline"),
            _TARGET,
            _text("label", "its name"),
            _text("kind", "`risk`, compared in full, or `score`, which only ranks"),
            _text("note", "what a reader should know", nullable=True),
        ),
    ),
    Table(
        "excluded_column",
        "source column that is no feature",
        EVERYONE,
        (_text("column_name", "the column"), _text("why", "the reason the study gives")),
    ),
    Table(
        "model",
        "target and fitted model",
        EVERYONE,
        (
            _TARGET,
            _int("fold", "the fold that did not train it; −1 for the model that scores new patients"),
            _text("file", "its file in the release"),
            _int("rounds", "number of trees"),
            _int("n_train", "subjects it was trained on"),
            _real("recalibration_intercept", "recalibrated margin = intercept + slope · the booster's margin"),
            _real("recalibration_slope", "see `recalibration_intercept`"),
            _real("log_intercept", "the same for the predicted logarithm of an amount", nullable=True),
            _real("log_slope", "see `log_intercept`", nullable=True),
        ),
    ),
    Table(
        "conformal_score",
        "amount target, fitted model and level",
        EVERYONE,
        (
            _TARGET,
            _int("fold", "as in `model`"),
            _real("level", "0.8 or 0.9"),
            _real("lower", "distance from the margin to the lower bound, on the log scale"),
            _real("upper", "distance from the margin to the upper bound, on the log scale"),
        ),
    ),
    Table(
        "subject",
        "patient",
        CLINICAL,
        (_SUBJECT,),
        "every feature (value in the feature's unit, or level), every attribute (level) and every target (null where "
        "it was not observed)",
    ),
    Table(
        "baseline_prediction",
        "patient and baseline that could score them",
        CLINICAL,
        (_SUBJECT, _text("model_id", "the baseline"), _TARGET, _real("value", "a risk, 0 to 1, or a score in points")),
    ),
    Table(
        "patient_list",
        "patient",
        CLINICAL,
        (
            _SUBJECT,
            _text("headline", "the patient in a phrase"),
            _real("age", "the feature `age` in years, where the study has it", nullable=True),
            _text("sex", "the level of the feature `sex`, where the study has it", nullable=True),
            _text("diagnosis", "the level of the study's diagnosis attribute", nullable=True),
            _int("gaps", "features without a value"),
        ),
        "for every target `<target>_estimate`, `<target>_lower_90`, `<target>_upper_90` and `<target>_reasons` (the "
        "three features that moved it most, in words)",
    ),
    Table(
        "prediction",
        "patient and target",
        CLINICAL,
        (
            _SUBJECT,
            _TARGET,
            _text("status", "`scored` or `refused`"),
            _text("reason", "why it was refused", nullable=True),
            _real("margin", "recalibrated margin", nullable=True),
            _real("estimate", "link⁻¹(margin): a risk, 0 to 1, or an amount in the target's unit", nullable=True),
            _text("interval_kind", "what the interval is", nullable=True),
            _real("lower_80", "lower end of the 80% interval", nullable=True),
            _real("upper_80", "upper end of the 80% interval", nullable=True),
            _real("lower_90", "lower end of the 90% interval", nullable=True),
            _real("upper_90", "upper end of the 90% interval", nullable=True),
            _int("fold", "the fold whose model made it, and did not see the patient"),
        ),
    ),
    Table(
        "contribution",
        "patient and target",
        CLINICAL,
        (_SUBJECT, _TARGET, _real("base_value", "base + contributions = margin")),
        "every feature (its contribution on the margin)",
    ),
    Table(
        "explanation",
        "patient, target and feature (a view over `contribution`)",
        CLINICAL,
        (
            _SUBJECT,
            _TARGET,
            _FEATURE,
            _real("contribution", "the feature's contribution on the margin", nullable=True),
            _real("base_value", "base + contributions = margin", nullable=True),
        ),
    ),
    Table(
        "importance",
        "target, population and feature",
        EVERYONE,
        (
            _TARGET,
            _POPULATION,
            _FEATURE,
            _real("mean", "mean contribution on the margin"),
            _real("mean_lower", "lower end of its 95% interval"),
            _real("mean_upper", "upper end of its 95% interval"),
            _real("mean_absolute", "mean absolute contribution on the margin"),
            _real("mean_absolute_lower", "lower end of its 95% interval"),
            _real("mean_absolute_upper", "upper end of its 95% interval"),
        ),
    ),
    Table(
        "concept_importance",
        "target, population and concept",
        EVERYONE,
        (
            _TARGET,
            _POPULATION,
            _text("concept", "the clinical concept: its features add up before the absolute is taken"),
            _real("mean", "mean contribution on the margin"),
            _real("mean_lower", "lower end of its 95% interval"),
            _real("mean_upper", "upper end of its 95% interval"),
            _real("mean_absolute", "mean absolute contribution on the margin"),
            _real("mean_absolute_lower", "lower end of its 95% interval"),
            _real("mean_absolute_upper", "upper end of its 95% interval"),
        ),
    ),
    Table(
        "performance",
        "target, model, population, metric and threshold",
        EVERYONE,
        (
            _TARGET,
            _MODEL,
            _POPULATION,
            _text("metric", "see the list of metrics below"),
            _real("threshold", "the risk a decision is taken at; null where it has no meaning", nullable=True),
            _real("estimate", "the metric; null where it cannot be estimated", nullable=True),
            *_INTERVAL_95,
            _int("n", "patients it rests on"),
            _int("n_events", "events among them; null for an amount", nullable=True),
        ),
    ),
    Table(
        "subgroup_performance",
        "target, model, population, attribute, level, metric and threshold",
        EVERYONE,
        (
            _TARGET,
            _MODEL,
            _POPULATION,
            *_LEVEL,
            _text("metric", "see the list of metrics below"),
            _real("threshold", "the risk a decision is taken at; null where it has no meaning", nullable=True),
            _real("estimate", "the metric; null where it cannot be estimated or is suppressed", nullable=True),
            *_INTERVAL_95,
            _int("n", "patients it rests on", nullable=True),
            _int("n_events", "events among them; null for an amount", nullable=True),
            _SUPPRESSED,
            _flag(
                "flag", "true where the interval excludes 1 (observed/expected, predictive ratio, slope) as displayed"
            ),
        ),
    ),
    Table(
        "group_total",
        "amount target, attribute and level",
        EVERYONE,
        (
            _TARGET,
            *_LEVEL,
            _int("n", "patients", nullable=True),
            _int("n_observed", "those whose amount was observed", nullable=True),
            _real("projected_total", "sum of the projections of all n, in the target's unit", nullable=True),
            _real("lower", "lower end of the 95% interval for what such a group adds up to", nullable=True),
            _real("upper", "upper end of it", nullable=True),
            _real("observed_total", "sum of what was observed among n_observed", nullable=True),
            _SUPPRESSED,
        ),
    ),
    Table(
        "calibration_curve",
        "outcome target, model and group of patients with similar risks",
        EVERYONE,
        (
            _TARGET,
            _MODEL,
            _int("bin", "the group, from 1, lowest risks first"),
            _real("predicted", "mean risk"),
            _real("observed", "event rate"),
            *_INTERVAL_95,
            _int("n", "patients"),
            _int("n_events", "events"),
        ),
    ),
    Table(
        "amount_curve",
        "amount target and tenth of patients by projection",
        EVERYONE,
        (
            _TARGET,
            _int("tenth", "1 (lowest projections) to 10"),
            _real("predicted", "mean projection, in the target's unit"),
            _real("observed", "mean amount observed"),
            *_INTERVAL_95,
            _int("n", "patients"),
        ),
    ),
    Table(
        "risk_distribution",
        "outcome target and twentieth of the risk scale",
        EVERYONE,
        (
            _TARGET,
            _real("bin_low", "lower end, 0 to 1"),
            _real("bin_high", "upper end"),
            _int("n_event", "patients with the event; rounded to tens where a role sees no single patients"),
            _int("n_no_event", "patients without it; rounded likewise"),
        ),
    ),
)

# What the metrics of `performance` and `subgroup_performance` mean.
METRICS: dict[str, str] = {
    "auroc": "the chance that a patient with the event has the higher risk; ties count half",
    "auprc": "average precision",
    "brier": "mean squared distance between risk and event",
    "calibration_intercept": "shift of the logit that makes expected events equal observed ones; 0 is right",
    "calibration_slope": "slope of the event on the logit of the risk; 1 is right, below too extreme, above too timid",
    "observed_expected": "observed events over expected events; 1 is right",
    "ece": "mean distance between risk and event rate over ten equal groups by risk",
    "event_rate": "share of patients with the event",
    "mean_risk": "mean predicted risk",
    "sensitivity": "of patients with the event, the share at or above the threshold",
    "specificity": "of patients without the event, the share below the threshold",
    "ppv": "of patients at or above the threshold, the share with the event",
    "npv": "of patients below the threshold, the share without the event",
    "flag_rate": "share of patients at or above the threshold",
    "net_benefit": "true positives less false positives at the odds of the threshold, per patient",
    "r2": "share of the variance of the amount that is explained",
    "r2_log": "share of the variance of the amount's logarithm that is explained by the predicted logarithm",
    "mae": "mean absolute error, in the target's unit",
    "predictive_ratio": "predicted total over observed total; 1 is right",
    "observed_mean": "mean amount observed, in the target's unit",
    "predicted_mean": "mean amount predicted for the same patients",
    "interval_coverage_80": "share of patients inside their 80% interval; 0.8 is right",
    "interval_coverage_90": "share of patients inside their 90% interval; 0.9 is right",
}
