"""Data: who is in the cohort, what was repaired, marked or left out, and where the release comes from."""

from dashboard.access import require
from dashboard.components import data_cards as cards
from dashboard.components.card_grid import open_card, open_grid, open_wide_card
from dashboard.components.header import render_footer, render_title
from dashboard.loaders import read
from pipeline.settings import Role
from pipeline.store import reads, reads_audits

view = require(Role.BOARD)
render_title(view, "Data", key="data")
report = read(view.release, reads.get_data_report)
features = read(view.release, reads.get_features)
labels = dict(zip(features["column_name"], features["label"], strict=True))

grid = open_grid()
with open_card(grid):
    cards.render_attrition(view, report["attrition"], read(view.release, reads_audits.get_scored))
with open_card(grid):
    cards.render_repairs(view, report["repair"])
with open_card(grid):
    cards.render_missing(view, features)
with open_card(grid):
    cards.render_quarantine(report["quarantine_count"], labels)
with open_card(grid):
    cards.render_provenance(view)
with open_card(grid):
    cards.render_statements(read(view.release, reads.get_statements))
with open_wide_card():
    cards.render_excluded(report["excluded_column"], len(features))
render_footer(view, "no single patient is shown to this role")
