"""What a reader of exact counts can work out: written apart from the module it attacks, cell by cell from patients."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, lil_matrix

from tests.unit.evaluate.disclosure.groups import TARGETS, Patients, groups_of

Array = npt.NDArray[np.float64]
Cell = tuple[str, str]
KINDS = ("patients", "death events", "death others", "readmission events", "readmission others", "cost observed")


def count(patients: Patients) -> pd.DataFrame:
    """A row a cell, with `all`, a column each of KINDS."""
    subjects, targets = patients
    rows = {}
    for cell, members in {("all", "all"): pd.Series(True, index=subjects.index), **groups_of(subjects)}.items():
        own = targets[members]
        whole = [len(own)]
        for outcome in TARGETS[:2]:
            whole += [int(own[outcome].sum()), int((1 - own[outcome]).sum())]
        rows[cell] = [*whole, int(own["cost"].notna().sum())]
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(KINDS)).set_axis(
        pd.MultiIndex.from_tuples(rows), axis=0
    )


@dataclass
class Program:
    """Every count of the chosen cells is unknown: equations and inequalities over cells × KINDS."""

    cells: list[Cell]
    equal: csr_matrix
    sums: Array
    below: csr_matrix
    limits: Array
    bounds: list[tuple[float, float | None]]

    def range_of(self, cell: Cell, kind: str) -> tuple[float, float]:
        goal = np.zeros(len(self.bounds))
        goal[self.cells.index(cell) * len(KINDS) + KINDS.index(kind)] = 1
        ends = []
        for sign in (1.0, -1.0):
            solved = linprog(
                sign * goal,
                A_eq=self.equal,
                b_eq=self.sums,
                A_ub=self.below,
                b_ub=self.limits,
                bounds=self.bounds,
                method="highs",
            )
            assert solved.success, solved.message
            ends.append(float(sign * solved.fun))
        return ends[0], ends[1]


def write_program(
    cells: list[Cell],
    bounds: list[list[tuple[float, float | None]]],
    shares: Sequence[tuple[Cell, str, float, float]] = (),
) -> Program:
    """Levels add up to `all`, pairs to their levels, patients to events and others; observed costs are patients.

    `bounds` says, by cell and kind, between which numbers the reader knows a count to be; `shares` between which shares
    of a cell's patients.
    """
    of = {cell: i for i, cell in enumerate(cells)}
    equations: list[dict[int, float]] = []
    wholes = [("all", "all"), *(cell for cell in cells if cell[0] != "all" and "×" not in cell[0])]
    attributes = [a for a in dict.fromkeys(a for a, _ in cells) if a != "all"]
    for whole in wholes:
        for a in attributes:
            parts = [c for c in cells if c[0] == a and _is_part(c, whole)]
            if parts:
                for k in range(len(KINDS)):
                    equation = {of[c] * len(KINDS) + k: 1.0 for c in parts}
                    equations.append(equation | {of[whole] * len(KINDS) + k: -1.0})
    for i in range(len(cells)):
        for k in (1, 3):
            at = i * len(KINDS)
            equations.append({at: -1.0, at + k: 1.0, at + k + 1: 1.0})
    inequalities = [{i * len(KINDS): -1.0, i * len(KINDS) + 5: 1.0} for i in range(len(cells))]
    for cell, kind, low, high in shares:
        at = of[cell] * len(KINDS)
        inequalities += [{at + KINDS.index(kind): -1.0, at: low}, {at + KINDS.index(kind): 1.0, at: -high}]
    size = len(cells) * len(KINDS)
    flat = [bound for own in bounds for bound in own]
    return Program(
        cells,
        _matrix(equations, size),
        np.zeros(len(equations)),
        _matrix(inequalities, size),
        np.zeros(len(inequalities)),
        flat,
    )


def _is_part(cell: Cell, whole: Cell) -> bool:
    if whole[0] == "all":
        return "×" not in cell[0]
    if "×" not in cell[0]:
        return False
    return whole in list(zip(cell[0].split(" × "), cell[1].split(" × "), strict=True))


def _matrix(rows: list[dict[int, float]], size: int) -> csr_matrix:
    matrix = lil_matrix((len(rows), size))
    for i, row in enumerate(rows):
        for j, value in row.items():
            matrix[i, j] = value
    return csr_matrix(matrix)


def narrowest_range(counts: pd.DataFrame, hidden: set[Cell], pair: str) -> float:
    """The narrowest range of any count of a hidden cell of `pair`, for who knows all that is shown, and the totals."""
    a, b = pair.split(" × ")
    cells = [cell for cell in counts.index if cell[0] in ("all", a, b, pair)]
    bounds: list[list[tuple[float, float | None]]] = [
        [(0.0, None)] * len(KINDS)
        if cell in hidden
        else [(float(n), float(n)) for n in counts.loc[[cell]].to_numpy()[0]]
        for cell in cells
    ]
    program = write_program(cells, bounds)
    widths = [np.inf]
    for cell in cells:
        if cell in hidden:
            for kind in KINDS:
                low, high = program.range_of(cell, kind)
                widths.append(high - low)
    return float(min(widths))
