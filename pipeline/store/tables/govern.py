"""The contracts of the tables that put questions to people."""

from pipeline.store.tables.column import EVERYONE, Table, text, whole

TABLES: tuple[Table, ...] = (
    Table(
        "finding",
        "thing that the board should look at, the weightiest first",
        EVERYONE,
        (
            whole("position", "order, from 0"),
            text("finding_id", "what it is about, the same from release to release"),
            text(
                "source",
                "`leak`, `coherence`, `comparison`, `combination`, `glass_box`, `explanation`, `subgroup`, "
                "`validation`, `total` or `slice`",
            ),
            text("target_id", "the target; null where it concerns all", nullable=True),
            text("about", "the column, model, group or check"),
            text("weight", "`serious`, `discuss` or `explore` (one of many that were searched)"),
            text("title", "the finding in a sentence"),
            text("evidence", "the numbers it rests on"),
            text("page", "the page of the board that shows it"),
        ),
    ),
)
