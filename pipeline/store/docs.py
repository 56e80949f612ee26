"""docs/store.md, written from the column contracts: `make docs`."""

import sys

from pipeline.store.tables import METRICS, TABLES, Table

_INTRODUCTION = """# The store: tables and columns

A release is a folder `data/store/<study>/<release>/` with one DuckDB file per audience, `models/*.ubj` and
`manifest.json`. Any DuckDB client can read the files; `wardlight query STUDY "SQL" --role ROLE` does, read-only.
Names of tables and columns are a public contract: they change only on purpose, with a note in the changelog.

Amounts are in the target's unit, risks and shares run from 0 to 1, intervals are 95% unless their name says otherwise.
This page is written by `make docs`; a test compares it with what builds are checked against.
"""


def render_markdown() -> str:
    """The whole page."""
    index = "\n".join(f"| [`{t.name}`](#{t.name}) | {t.row} | {_audience(t)} |" for t in TABLES)
    metrics = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in METRICS.items())
    return (
        f"{_INTRODUCTION}\n| table | one row per | audience |\n|---|---|---|\n{index}\n\n"
        + "\n".join(_section(table) for table in TABLES)
        + f"\n## Metrics\n\n| metric | meaning |\n|---|---|\n{metrics}\n"
    )


def _section(table: Table) -> str:
    rows = [f"| `{c.name}` | {c.type} | {c.meaning} | {'yes' if c.nullable else ''} |" for c in table.columns]
    added = f"\nA study adds: {table.study_columns}.\n" if table.study_columns else ""
    return (
        f"## {table.name}\n\nOne row per {table.row}. Audience: {_audience(table)}.\n\n"
        "| column | type | meaning | may be null |\n|---|---|---|---|\n" + "\n".join(rows) + f"\n{added}"
    )


def _audience(table: Table) -> str:
    return ", ".join(table.audience)


if __name__ == "__main__":
    sys.stdout.write(render_markdown())
