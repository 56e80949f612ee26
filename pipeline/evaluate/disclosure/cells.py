"""Which levels and pairs of levels must be hidden.

First those that are small; then as many more as keep these from being subtracted along any line of a table; then,
as long as the bounds of `bounds` find a hidden count that could still be told, more. If hiding all of a pair does not
do it, because its margins tell, the levels themselves are hidden.
"""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.evaluate.disclosure.bounds import SMALLEST_CELL, Part, find_exposed
from pipeline.study.model import BETWEEN

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Cell = tuple[str, str]


def hide_cells(counts: pd.DataFrame, *, prove: bool) -> frozenset[Cell]:
    """The (attribute, level) cells that must be hidden.

    `counts` has an index of attribute and level, pairs named "a × b" in both, and a column for each `Part`, in which
    every attribute adds up to the same total; a cell that is not there is empty. `prove` asks for the proof by bounds.
    """
    singles = counts[~_are_pairs(counts)]
    small = frozenset(counts.index[(counts < SMALLEST_CELL).any(axis=1)])
    cells: dict[str, list[Cell]] = {}
    for attribute, level in singles.index:
        cells.setdefault(attribute, []).append((attribute, level))
    places = {cell: i for i, cell in enumerate(counts.index)}
    pairs = [_Pair(counts, *both, places) for both in combinations(cells.values(), 2)]
    pairs = [pair for pair in pairs if pair.present.any()]
    levels = frozenset(cell for cell in small if BETWEEN not in cell[0])
    while True:
        levels = frozenset().union(*(_complete_attribute(singles, a, levels) for a in cells))
        results = [pair.hide(small, levels, prove=prove) for pair in pairs]
        told = frozenset[Cell]().union(*(told for _, told in results))
        if not told:
            return levels.union(*(cells for cells, _ in results))
        levels |= told


def _are_pairs(counts: pd.DataFrame) -> Mask:
    return np.asarray(counts.index.get_level_values(0).astype(str).str.contains(BETWEEN, regex=False))


def _complete_attribute(counts: pd.DataFrame, attribute: str, hidden: frozenset[Cell]) -> frozenset[Cell]:
    """The hidden levels of an attribute, and as many more as keep these from being subtracted from the total."""
    own = counts.xs(attribute, drop_level=False)
    mask = _complete_line(own.to_numpy(np.float64).T, np.array([cell in hidden for cell in own.index]))
    return frozenset(own.index[mask])


def _complete_line(counts: Array, hidden: Mask) -> Mask:
    """`hidden` (J,) with as many more cells, smallest first, that those hidden are two and enough of every part.

    `counts` are (K, J). A line with one cell only cannot be completed.
    """
    if not hidden.any():
        return hidden
    hidden = hidden.copy()
    smallest = counts.min(axis=0)
    smallest[counts.sum(axis=0) == 0] = np.inf
    order = np.argsort(smallest, kind="stable")
    for j in order[np.isfinite(smallest[order])]:
        if hidden.sum() > 1 and (counts[:, hidden].sum(axis=1) >= SMALLEST_CELL).all():
            break
        hidden[j] = True
    return hidden


class _Pair:
    """The table of two attributes: counts (K, I, J) of the parts by level of the one and of the other."""

    def __init__(self, counts: pd.DataFrame, rows: list[Cell], columns: list[Cell], places: Mapping[Cell, int]) -> None:
        shape = (len(rows), len(columns))
        names = [(f"{a}{BETWEEN}{b}", f"{i}{BETWEEN}{j}") for a, i in rows for b, j in columns]
        # What is not there is counted as the row of zeros that stands last.
        place = np.array([places.get(name, len(places)) for name in names])
        values = np.vstack([counts.to_numpy(np.float64), np.zeros(len(counts.columns))])
        self.parts = [part for part in counts.columns if isinstance(part, Part)]
        self.counts = values[place].T.reshape(-1, *shape)
        self.present = (place < len(places)).reshape(shape)
        self._names = np.array(names, dtype=object).reshape(*shape, 2)
        self._rows, self._columns = rows, columns

    def hide(
        self, small: frozenset[Cell], levels: frozenset[Cell], *, prove: bool
    ) -> tuple[frozenset[Cell], frozenset[Cell]]:
        """The cells to hide; and the levels that tell of a cell whatever is hidden, which must not be shown."""
        shown = (
            np.array([row not in levels for row in self._rows]),
            np.array([column not in levels for column in self._columns]),
        )
        hidden = np.array([tuple(name) in small for name in self._names.reshape(-1, 2)]).reshape(self.present.shape)
        hidden = (hidden | ~shown[0][:, None] | ~shown[1][None, :]) & self.present
        while True:
            hidden = self._complete(hidden)
            exposed = find_exposed(self.parts, self.counts, hidden, shown=shown) if prove else np.zeros_like(hidden)
            more = self._more_beside(exposed, hidden)
            if not more.any():
                break
            hidden = hidden | more
        cells = frozenset(tuple(name) for name in self._names[hidden])
        rows = {row for row, tells in zip(self._rows, exposed.any(axis=1) & shown[0], strict=True) if tells}
        columns = {c for c, tells in zip(self._columns, exposed.any(axis=0) & shown[1], strict=True) if tells}
        return cells, frozenset(rows | columns)

    def _complete(self, hidden: Mask) -> Mask:
        """`hidden` with as many more cells that every row and column with a hidden cell hides enough."""
        before = None
        while before is None or (hidden != before).any():
            before = hidden.copy()
            for i in range(len(self._rows)):
                hidden[i] = _complete_line(self.counts[:, i], hidden[i])
            for j in range(len(self._columns)):
                hidden[:, j] = _complete_line(self.counts[:, :, j], hidden[:, j])
        return hidden

    def _more_beside(self, exposed: Mask, hidden: Mask) -> Mask:
        """The smallest cell that is still shown in the row and the column of each that is exposed; else any."""
        size = np.where(self.present & ~hidden, self.counts.min(axis=0), np.inf)
        more = np.zeros_like(hidden)
        for i, j in zip(*np.nonzero(exposed), strict=True):
            for chosen in ((i, size[i].argmin()), (size[:, j].argmin(), j)):
                more[chosen] |= np.isfinite(size[chosen])
        if exposed.any() and not more.any() and np.isfinite(size).any():
            more[np.unravel_index(size.argmin(), size.shape)] = True
        return more


def as_mask(table: pd.DataFrame, cells: frozenset[Cell]) -> Mask:
    """Which rows of a table with attribute and level are of the cells."""
    if not cells:
        return np.zeros(len(table), dtype=bool)
    return np.asarray(pd.MultiIndex.from_frame(table[["attribute", "level"]].astype(str)).isin(list(cells)))


def count_cells(performance: pd.DataFrame, totals: pd.DataFrame) -> pd.DataFrame:
    """The counts that the tables tell of each cell: events and others of outcomes, patients observed of amounts.

    From `subgroup_performance`, and of levels that stand in `group_total` alone, none. A target nobody of a cell was
    observed for has no row there: 0.
    """
    rows = performance.assign(n=performance["n"].astype(float), n_events=performance["n_events"].astype(float))
    known = rows.groupby(["target_id", "attribute", "level"], sort=False)[["n", "n_events"]].max()
    parts: dict[Part, pd.Series] = {}
    for target in dict.fromkeys(rows["target_id"]):
        own = known.xs(target)
        if own["n_events"].notna().any():
            parts[Part(str(target), "events")] = own["n_events"]
            parts[Part(str(target), "others")] = own["n"] - own["n_events"]
        else:
            parts[Part(str(target), "observed")] = own["n"]
    levels = totals.loc[totals["attribute"] != "all", ["attribute", "level"]]
    index = pd.MultiIndex.from_frame(pd.concat([rows[["attribute", "level"]], levels]).drop_duplicates())
    return pd.DataFrame({part: counts.reindex(index) for part, counts in parts.items()}, index=index).fillna(0)


def mark_cells(performance: pd.DataFrame, totals: pd.DataFrame) -> frozenset[Cell]:
    """The cells of `subgroup_performance` and `group_total` to hide."""
    return hide_cells(count_cells(performance, totals), prove=True)
