"""ernn_drain_stage: its rows in order, then the stage behind; the next start in time."""

import numpy as np
import pytest
from pipelines import Case, compare, library, mutate

from ernn.errors import ToolError
from ernn.run.bench import lint

SIZES = [(1, 1), (1, 6), (2, 5), (3, 1), (3, 8)]  # rows, width

MUTATIONS = [
    ("row_q <= 2'd0", "row_q <= 2'd1"),
    ("row_q != ROWS[1:0]", "row_q != 2'd2"),
    ("{behind_i, shadows_i}", "{shadows_i, behind_i}"),
    ("ROWS[1:0] - 2'd2", "ROWS[1:0] - 2'd1"),
]


def case(rows: int, width: int) -> Case:
    """Starts at random times, the first at once; words change in every cycle."""
    rng = np.random.default_rng(10 * rows + width)
    cycles = 200
    starts = (rng.random(cycles) < 0.15).astype(int)
    starts[0] = 1
    shadows = rng.integers(0, 1 << width, (cycles, rows))
    behind = rng.integers(0, 1 << width, cycles)
    since = np.arange(cycles) - np.maximum.accumulate(np.where(starts, np.arange(cycles), 0))
    row = np.minimum(since, rows)  # in the cycle after
    choices = np.hstack([shadows, behind[:, None]])
    front = choices[np.arange(1, cycles), row[:-1]]
    words = (shadows << width * np.arange(rows)).sum(axis=1)
    inputs = {
        "start_i": (1, starts),
        "shadows_i": (rows * width, words),
        "behind_i": (width, behind),
    }
    outputs = {"front_o": (width, front), "start_o": (1, (row[1:] == rows - 2).astype(int))}
    parameters = {"ROWS": rows, "WIDTH": width}
    return Case("ernn_drain_stage", inputs, outputs, 2, parameters)


CASES = [case(*size) for size in SIZES]


def test_rows_leave_in_order(simulator, folder):
    compare(CASES, library("drain_stage"), folder, simulator)


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize(("before", "after"), MUTATIONS)
def test_a_planted_bug_is_found(before, after, tmp_path):
    mutant = mutate(*library("drain_stage"), before, after, tmp_path)
    with pytest.raises(ToolError, match=r"expected 0x|non-0.1 values"):
        compare(CASES, [mutant], tmp_path, "icarus")


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_is_lint_clean(rows):
    lint(library("drain_stage"), "ernn_drain_stage", {"ROWS": rows, "WIDTH": 8})
