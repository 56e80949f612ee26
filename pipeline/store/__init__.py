"""The store: releases of a study, one read-only DuckDB file per audience."""
