"""What a contract is made of: tables, columns, and the columns that several tables share."""

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


def text(name: str, meaning: str, *, nullable: bool = False) -> Column:
    return Column(name, "VARCHAR", meaning, nullable)


def whole(name: str, meaning: str, *, nullable: bool = False) -> Column:
    return Column(name, "BIGINT", meaning, nullable)


def real(name: str, meaning: str, *, nullable: bool = False) -> Column:
    return Column(name, "DOUBLE", meaning, nullable)


def flag(name: str, meaning: str) -> Column:
    return Column(name, "BOOLEAN", meaning)


TARGET = text("target_id", "the target, as in `target`")
SUBJECT = text("subject_id", "a salted pseudonym of the subject")
FEATURE = text("feature_id", "the feature, as in `feature`")
POPULATION = text(
    "population",
    "`all` (cross-fitted, everybody who is scored), `refused` (our withheld estimates of who is not, where they are "
    "enough) or `all_baselines` (whom every baseline could score, refused ones included; a few at random are left out "
    "with them where they are so few that the two populations would tell of single patients)",
)
MODEL = text("model_id", "`xgboost` for ours, a baseline's id for others")
INTERVAL_95 = (
    real("lower", "lower end of the 95% interval", nullable=True),
    real("upper", "upper end of the 95% interval", nullable=True),
)
LEVEL = (
    text("attribute", "the subgroup attribute"),
    text("level", "its level, `missing` where it was not recorded"),
)
SUPPRESSED = flag("suppressed", "true where the cell is too small for this role; its numbers are then null")
