"""The registers on a plan's path from a step to its rows: none where nothing lies between two.

Between two registers lies at most one multiplier or one adder, or a choice among four. A stage
that has nothing to add and nothing to choose is left out, in the Verilog as in the cycle model.
"""

from ernn.hw.array_plan import Mode, bits_for
from ernn.hw.step_memory import Paths

SUM_CYCLES = 9  # 4 to the operands, 2 broadcast, 3 in the PE
ROW_CYCLES = 3  # of a row at least: its bias is read meanwhile


class Stages(Paths):
    """Cycles of each part of the path; the plan has the fields."""

    modes: tuple[Mode, ...]
    aligns: tuple[int, ...]
    shift_bits: int
    sum_cycles: int
    inverse_cycles: int

    @property
    def pass_cycles(self) -> int:
        """Cycles that a drain takes: passes end at least this far apart."""
        raise NotImplementedError

    # From a step to its pass's first drained row

    @property
    def drain_cycles(self) -> int:
        """From a step leaving the sequencer to its pass's first drained row."""
        return SUM_CYCLES + self.drain_levels

    @property
    def drain_levels(self) -> int:
        """Registers of a word on its way from its shadow: choices among four, in a tree."""
        return -(-bits_for(self.pass_cycles) // 2)

    # From there to the row queue

    @property
    def post_cycles(self) -> int:
        """Re and Im of the sums; 0 where a block has none and nothing follows that is read late."""
        plain = len(self.modes) == 1 and self.modes[0].block <= 2
        return int(not plain or self.shift_bits > 0)

    @property
    def align_cycles(self) -> int:
        """A choice of the product's binary point; 0 where all have the same."""
        return int(len(self.aligns) > 1 or self.shift_bits > 0)

    @property
    def place_cycles(self) -> int:
        """A choice among the inverse transforms; 0 where there is one, unless biases come late."""
        others = self.sum_cycles + self.post_cycles + self.align_cycles + self.inverse_cycles + 2
        return int(len(self.modes) > 1 or others < ROW_CYCLES)

    @property
    def shift_cycles(self) -> int:
        """From a drained row to the shift of its block rows, where they have one."""
        return self.sum_cycles + self.post_cycles + self.align_cycles

    @property
    def rows_cycles(self) -> int:
        """From a drained row to the row queue: with the shift, one rounding, and the bias."""
        before = self.shift_cycles + int(self.shift_bits > 0) + 1
        return before + self.inverse_cycles + self.place_cycles + 1
