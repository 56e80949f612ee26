"""The column contracts of a release: what every table and column means. docs/store.md is written from them."""

from pipeline.store.tables import described, fitted, measured, patients
from pipeline.store.tables.column import CLINICAL, EVERYONE, Column, Table
from pipeline.store.tables.metrics import METRICS

__all__ = ["CLINICAL", "EVERYONE", "METRICS", "TABLES", "Column", "Table"]

TABLES: tuple[Table, ...] = (*described.TABLES, *fitted.TABLES, *patients.TABLES, *measured.TABLES)
