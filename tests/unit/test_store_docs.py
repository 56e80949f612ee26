"""docs/store.md is what the column contracts say."""

from pipeline.paths import CHECKOUT
from pipeline.store.docs import render_markdown
from pipeline.store.tables import METRICS, TABLES


def test_the_page_is_what_the_contracts_generate() -> None:
    page = (CHECKOUT / "docs" / "store.md").read_text(encoding="utf-8")
    assert page == render_markdown(), "write it again: make docs"


def test_the_page_names_every_table_column_and_metric() -> None:
    page = render_markdown()
    for table in TABLES:
        section = page.split(f"## {table.name}\n", 1)[1].split("\n## ", 1)[0]
        assert all(f"| `{column.name}` | {column.type} |" in section for column in table.columns)
        assert all(str(role) in section for role in table.audience)
    assert all(f"| `{name}` | {meaning} |" in page for name, meaning in METRICS.items())


def test_every_column_says_what_it_means() -> None:
    assert all(column.meaning.strip() for table in TABLES for column in table.columns)
    assert len({table.name for table in TABLES}) == len(TABLES)
