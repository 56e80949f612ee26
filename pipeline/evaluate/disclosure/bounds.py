"""What a reader can work out about hidden cells, as bounds from linear and integer programming.

The reader knows every cell that is shown, every level that is shown (the margins of a pair), the totals, that no count
is negative, that patients are events and others, that whose amount or outcome was observed is among the patients of
the target that is observed for most, and that counts are whole numbers. A hidden count is safe if the reader's bounds
lie SMALLEST_CELL or more apart: wider than 10.

Each pair of attributes is judged by itself, all its counts together. Pairs that share an attribute are linked through
its levels, which are margins of both. Not covered is what follows from three pairs of three attributes at once (sex
by race, race by site and sex by site).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

SMALLEST_CELL = 11
_RANDOM_GOALS = 6
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Part:
    """What is counted in every cell: the events, the others or all who were observed, of one target."""

    target_id: str
    name: str


def find_exposed(parts: Sequence[Part], counts: Array, hidden: Mask, *, shown: tuple[Mask, Mask]) -> Mask:
    """The hidden cells (I, J) of which some count lies between bounds closer than SMALLEST_CELL.

    `counts` (K, I, J) are the true counts of the K parts; `shown` says which rows (I,) and columns (J,) are shown as
    margins. What is counted besides the parts are the patients of each target, the sum of its parts.
    """
    exposed = np.zeros_like(hidden)
    if hidden.any():
        exposed[hidden] = ~_are_wide(_Unknown.of(parts, counts, hidden, shown))
    return exposed


@dataclass
class _Unknown:
    """The hidden counts as a linear program: x (K · H,) with `equal` x = `sums` and `below` x ≤ 0."""

    truth: Array
    equal: csr_matrix
    below: csr_matrix | None
    # (F · H, K · H): the counts whose bounds matter.
    wanted: csr_matrix
    cells: int
    lowest: Array = field(init=False)
    highest: Array = field(init=False)

    def __post_init__(self) -> None:
        self.lowest = self.wanted @ self.truth
        self.highest = self.lowest.copy()

    @classmethod
    def of(cls, parts: Sequence[Part], counts: Array, hidden: Mask, shown: tuple[Mask, Mask]) -> "_Unknown":
        truth = counts[:, hidden]
        row, column = np.nonzero(hidden)
        lines = [np.ones(len(row)), *(row == i for i in np.flatnonzero(shown[0]))]
        lines += [column == j for j in np.flatnonzero(shown[1])]
        known = np.array([line for line in lines if np.any(line)], dtype=np.float64)
        every = np.eye(len(parts))
        targets = list(dict.fromkeys(part.target_id for part in parts))
        sums = np.array([[part.target_id == target for part in parts] for target in targets], dtype=np.float64)
        same, below = _link(sums, counts)
        cell = np.eye(len(row))
        equal = np.vstack([np.kron(every, known), *(np.kron(line, cell) for line in same)])
        return cls(
            truth=truth.ravel(),
            equal=csr_matrix(equal),
            below=csr_matrix(np.vstack([np.kron(line, cell) for line in below])) if below else None,
            wanted=csr_matrix(np.kron(np.unique(np.vstack([every, sums]), axis=0), cell)),
            cells=len(row),
        )

    def go(self, goal: Array) -> None:
        """Lets `lowest` and `highest` reach as far as the point of whole numbers where x · goal is least."""
        point = self._solve(goal, whole=False)
        if point is not None and np.abs(point - point.round()).max() > _ROUNDING:
            point = self._solve(goal, whole=True)
        # A failure of the solver proves nothing.
        if point is not None:
            reached = self.wanted @ point.round()
            self.lowest, self.highest = np.minimum(self.lowest, reached), np.maximum(self.highest, reached)

    def _solve(self, goal: Array, *, whole: bool) -> Array | None:
        solved = linprog(
            goal,
            A_eq=self.equal,
            b_eq=self.equal @ self.truth,
            A_ub=self.below,
            b_ub=None if self.below is None else np.zeros(self.below.shape[0]),
            method="highs",
            integrality=int(whole),
        )
        return None if solved.x is None else np.asarray(solved.x)

    @property
    def narrow(self) -> Mask:
        return np.asarray(self.highest - self.lowest < SMALLEST_CELL - _ROUNDING)


def _link(sums: Array, counts: Array) -> tuple[list[Array], list[Array]]:
    """Rows over the parts: those that are 0 in every cell, and those that are at most 0 there.

    A target's patients are as many as those of the target with most, or among them.
    """
    patients = np.tensordot(sums, counts, axes=1)
    largest = int(patients.sum(axis=(1, 2)).argmax())
    same, below = [], []
    for t in range(len(sums)):
        less = patients[t] - patients[largest]
        if t != largest and not less.any():
            same.append(sums[t] - sums[largest])
        elif t != largest and (less <= 0).all():
            below.append(sums[t] - sums[largest])
    return same, below


def _are_wide(unknown: _Unknown) -> Mask:
    """Whether all counts of each hidden cell (H,) have bounds far enough apart.

    A point that is found far from the truth in one count mostly is so in many; so a few goals at random come first,
    and only counts that no point has shown to be wide yet are asked for by themselves.
    """
    rng = np.random.default_rng(0)
    for _ in range(_RANDOM_GOALS):
        goal = np.tile(rng.choice([-1.0, 1.0], unknown.cells), len(unknown.truth) // unknown.cells)
        for direction in (goal, -goal):
            if unknown.narrow.any():
                unknown.go(direction)
    wide = np.ones(unknown.cells, dtype=bool)
    for i in np.flatnonzero(unknown.narrow):
        if not wide[i % unknown.cells]:
            continue
        goal = unknown.wanted[[i]].toarray().ravel()
        for direction in (goal, -goal):
            if unknown.narrow[i]:
                unknown.go(direction)
        wide[i % unknown.cells] &= not unknown.narrow[i]
    return wide
