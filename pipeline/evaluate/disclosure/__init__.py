"""Disclosure control: who may not see single patients does not see small cells, nor what would give them away.

What is proved, and what is not, stands in `bounds` (single releases) and in `rounding` (two releases).
"""

from pipeline.evaluate.disclosure.bounds import SMALLEST_CELL
from pipeline.evaluate.disclosure.left_out import leave_out_enough
from pipeline.evaluate.disclosure.tables import suppress

__all__ = ["SMALLEST_CELL", "leave_out_enough", "suppress"]
