"""Tables that stand on a page as HTML, which readers' software can walk through cell by cell."""

from collections.abc import Collection, Hashable, Mapping
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.presentation.measures import TOO_FEW, WITHHELD
from pipeline.numerals import NOTHING

# Words in place of a number, set apart from numbers.
_IN_PLACE_OF_NUMBERS = (WITHHELD, TOO_FEW, NOTHING)


def render_table(
    frame: pd.DataFrame,
    *,
    label: str,
    right: Collection[str] = (),
    notes: Mapping[str, str] | None = None,
    strong: Collection[str] = (),
    row_notes: Mapping[str, str] | None = None,
) -> None:
    """A table of texts: `right` columns are aligned right, `strong` ones bold.

    `notes` are words under the heading of a column, `row_notes` under what stands in the first column of a row.
    `label` says what the table is, for those who cannot see the page.
    """
    st.html(table_html(frame, label=label, right=right, notes=notes or {}, strong=strong, row_notes=row_notes or {}))


def table_html(
    frame: pd.DataFrame,
    *,
    label: str,
    right: Collection[str] = (),
    notes: Mapping[str, str],
    strong: Collection[str] = (),
    row_notes: Mapping[str, str],
) -> str:
    """The markup of `render_table`, every text escaped. Rows that carry ◆ are bold."""
    classes = {column: ' class="right"' if column in right else "" for column in frame.columns}
    head = "".join(f'<th scope="col"{classes[c]}>{_heading(c, notes.get(c))}</th>' for c in frame.columns)
    body = "".join(_row(row, classes, strong, row_notes) for row in frame.to_dict("records"))
    return (
        f'<div class="wl-scroll" tabindex="0" role="region" aria-label="{escape(label)}"><table class="wl">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _heading(column: str, note: str | None) -> str:
    return escape(column) + _note(note or "")


def _row(
    row: Mapping[Hashable, Any], classes: Mapping[str, str], strong: Collection[str], row_notes: Mapping[str, str]
) -> str:
    flagged = any("◆" in str(value) for value in row.values())
    cells = [
        _cell(
            str(value),
            classes[str(c)],
            bold=flagged or c in strong,
            note=row_notes.get(str(value), "") if i == 0 else "",
        )
        for i, (c, value) in enumerate(row.items())
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _cell(text: str, css: str, *, bold: bool, note: str = "") -> str:
    if text in _IN_PLACE_OF_NUMBERS:
        css = css.replace('"right"', '"right gap"') if css else ' class="gap"'
    words = f"<b>{escape(text)}</b>" if bold else escape(text)
    return f"<td{css}>{words}{_note(note)}</td>"


def _note(note: str) -> str:
    return f'<br><span class="muted">{escape(note)}</span>' if note else ""
