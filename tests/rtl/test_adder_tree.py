"""ernn_adder_tree: the sum of signed words, a register behind every level."""

import numpy as np
import pytest
from pipelines import Case, compare, draw, library, mutate

from ernn.errors import ToolError
from ernn.fixed import QFormat
from ernn.run.testbench import lint

SIZES = [(1, 4), (2, 4), (3, 8), (4, 2), (5, 6), (8, 12), (9, 5)]  # words and their bits

MUTATIONS = [
    ("{(OUT_W - IN_W) {terms_i[t*IN_W+IN_W-1]}}", "{(OUT_W - IN_W) {1'b0}}"),  # no sign
    ("node[n*TERMS+2*t] + node[n*TERMS+2*t+1]", "node[n*TERMS+2*t] | node[n*TERMS+2*t+1]"),
    ("TERMS + (1 << n) - 1) >> n) begin", "TERMS >> n)) begin"),  # the odd one left out
]


def case(terms: int, width: int) -> Case:
    rng, levels = np.random.default_rng(terms), (terms - 1).bit_length()
    words = np.stack(draw(rng, 100, *[QFormat(width - 1, 0)] * terms)).astype(object)
    packed = sum((words[n] & (1 << width) - 1) << n * width for n in range(terms))
    out = width + levels
    return Case(
        "ernn_adder_tree",
        inputs={"terms_i": (terms * width, packed)},
        outputs={"sum_o": (out, words.sum(0))},
        latency_cycles=levels,
        parameters={"TERMS": terms, "IN_W": width, "LEVELS": levels, "OUT_W": out},
    )


CASES = [case(*size) for size in SIZES]


def test_adds(simulator, folder):
    compare(CASES, library("adder_tree"), folder, simulator)


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize(("before", "after"), MUTATIONS)
def test_a_planted_bug_is_found(before, after, tmp_path):
    mutant = mutate(*library("adder_tree"), before, after, tmp_path)
    with pytest.raises(ToolError, match="expected 0x"):
        compare(CASES, [mutant], tmp_path, "icarus")


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("number", range(len(SIZES)))
def test_is_lint_clean(number):
    lint(library("adder_tree"), "ernn_adder_tree", CASES[number].parameters)
