"""The contract of the table that says whom the models may score."""

from pipeline.store.tables.column import EVERYONE, SUPPRESSED, Table, text, whole

TABLES: tuple[Table, ...] = (
    Table(
        "scope_rule",
        "rule of the scope of use",
        EVERYONE,
        (
            text("rule", "what keeps a patient from being scored"),
            text("limit", "what must hold"),
            whole("n", "patients against whom the rule speaks; one patient may break several", nullable=True),
            SUPPRESSED,
        ),
    ),
)
