"""ernn_drain: the shadows of all rows in order, each in its cycle; then the last one stays."""

import numpy as np
import pytest
from pipelines import Case, compare, library, mutate
from vectors import Vectors, check, only_icarus, verilog

from ernn.errors import ToolError
from ernn.run.testbench import lint

SIZES = [(1, 3, 1), (2, 5, 1), (4, 1, 1), (5, 4, 2), (16, 2, 2), (17, 2, 3), (22, 2, 3)]

MUTATIONS = [
    ("turns[3] || turns[1]", "turns[1]"),
    ("turns[3] || turns[2]", "turns[2]"),
    ("if (turn_q) word_q", "if (|turns) word_q"),
    ("turn_q <= turn[r-1]", "turn_q <= turn[0]"),
    ("choice_q[1] ? upper : lower", "choice_q[1] ? lower : upper"),
]


def case(rows: int, width: int, levels: int) -> Case:
    """Starts as near as they may be, or later; shadows change in every cycle."""
    rng = np.random.default_rng(10 * rows + width)
    cycles = np.arange(12 * rows + 40)
    starts = np.zeros(cycles.size, int)
    starts[0] = 1  # the testbench repeats it until every register is known
    next_start = first = rows + 2  # by then no turn is left of it
    while next_start < cycles.size:
        starts[next_start] = 1
        next_start += rows + int(rng.choice([0, 0, 1, 7]))
    shadows = rng.integers(0, 1 << width, (cycles.size, rows))
    row = np.minimum(cycles - np.maximum.accumulate(starts * cycles), rows - 1)
    turn = np.maximum.accumulate(starts * cycles) + row  # cycle of the row that is there now
    words = (shadows << width * np.arange(rows)).sum(axis=1)
    inputs = {"rst_i": (1, 0 * starts), "start_i": (1, starts)}
    inputs["shadows_i"] = (rows * width, words)
    taken = shadows[turn[first:-1] + 1, row[first:-1]]
    parameters = {"ROWS": rows, "WIDTH": width, "LEVELS": levels}
    latency = first + levels + 1
    return Case("ernn_drain", inputs, {"drain_o": (width, taken)}, latency, parameters)


CASES = [case(*size) for size in SIZES]


def test_rows_leave_in_order(simulator, folder):
    compare(CASES, library("drain"), folder, simulator)


def reset_vectors() -> Vectors:
    """Rows hold their number; a drain that a reset ends in the middle leaves nothing behind."""
    rows, levels, v = 9, 2, Vectors()
    begins = {}
    for ended in range(1, rows + 2):  # cycles from a start to the reset, and two to the next one
        begins |= {len(begins) * 30: "start", len(begins) * 30 + ended: "reset"}
        begins[max(begins) + 2] = "start"
    last = None
    for cycle in range(max(begins) + 20):
        now = begins.get(cycle)
        row = cycle - levels - 1 - last if last is not None else -1
        v.cycle(
            {
                "rst_i": now == "reset",
                "start_i": now == "start",
                "shadows_i": sum((r + 1) << 4 * r for r in range(rows)),
            },
            {"drain_o": row + 1 if 0 <= row < rows else None},
        )
        last = {"start": cycle, "reset": None}.get(now, last)
    return v


@only_icarus
def test_a_reset_ends_a_drain(simulator, folder):
    parameters = {"ROWS": 9, "WIDTH": 4, "LEVELS": 2}
    check("ernn_drain", parameters, reset_vectors(), folder, simulator, files=verilog("drain"))


@only_icarus
def test_a_turn_that_a_reset_leaves_is_found(simulator, tmp_path):
    mutant = mutate(*library("drain"), "turn[r-1] && !rst_i", "turn[r-1]", tmp_path)
    parameters = {"ROWS": 9, "WIDTH": 4, "LEVELS": 2}
    with pytest.raises(ToolError, match="drain_o is"):
        check("ernn_drain", parameters, reset_vectors(), tmp_path, simulator, files=[mutant])


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize(("before", "after"), MUTATIONS)
def test_a_planted_bug_is_found(before, after, tmp_path):
    mutant = mutate(*library("drain"), before, after, tmp_path)
    with pytest.raises(ToolError, match=r"expected 0x|non-0.1 values"):
        compare(CASES, [mutant], tmp_path, "icarus")


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("number", range(len(SIZES)))
def test_is_lint_clean(number):
    lint(library("drain"), "ernn_drain", CASES[number].parameters)
