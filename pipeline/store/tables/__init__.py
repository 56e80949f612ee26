"""The column contracts of a release: what every table and column means. docs/store.md is written from them."""

from pipeline.store.tables import (
    audits,
    curves,
    described,
    explained,
    fitted,
    govern,
    groups,
    measured,
    patients,
    rivals,
    scope,
)
from pipeline.store.tables.column import CLINICAL, EVERYONE, Column, Table
from pipeline.store.tables.metrics import METRICS

__all__ = ["CLINICAL", "EVERYONE", "METRICS", "TABLES", "Column", "Table"]

TABLES: tuple[Table, ...] = (
    *described.TABLES,
    *fitted.TABLES,
    *patients.TABLES,
    *measured.TABLES,
    *curves.TABLES,
    *groups.TABLES,
    *rivals.TABLES,
    *explained.TABLES,
    *audits.TABLES,
    *scope.TABLES,
    *govern.TABLES,
)
