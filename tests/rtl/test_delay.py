"""ernn_delay: the same words, exactly CYCLES later."""

import numpy as np
import pytest
from pipelines import Case, compare, library, mutate

from ernn.errors import ToolError
from ernn.run.testbench import lint

SIZES = [(1, 0), (1, 1), (7, 0), (7, 1), (7, 2), (32, 5), (3, 40)]  # width, cycles

MUTATIONS = [
    ("line[WIDTH*CYCLES+:WIDTH]", "line[WIDTH*(CYCLES-1)+:WIDTH]"),  # a cycle short
    ("{line_q, in_i}", "{line_q, ~in_i}"),
]


def case(width: int, cycles: int) -> Case:
    words = np.random.default_rng(width).integers(0, 1 << width, 200)
    return Case(
        "ernn_delay",
        inputs={"in_i": (width, words)},
        outputs={"out_o": (width, words)},
        latency_cycles=cycles,
        parameters={"WIDTH": width, "CYCLES": cycles},
    )


CASES = [case(*size) for size in SIZES]


def test_delays(simulator, folder):
    compare(CASES, library("delay"), folder, simulator)


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize(("before", "after"), MUTATIONS)
def test_a_planted_bug_is_found(before, after, tmp_path):
    mutant = mutate(*library("delay"), before, after, tmp_path)
    with pytest.raises(ToolError, match="expected 0x"):
        compare(CASES, [mutant], tmp_path, "icarus")


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("number", range(len(SIZES)))
def test_is_lint_clean(number):
    lint(library("delay"), "ernn_delay", CASES[number].parameters)
