"""ernn_logic_product against a product of integers."""

import numpy as np
import pytest
from pipelines import Case, compare, library, mutate

from ernn.errors import ToolError
from ernn.run.testbench import lint

# Digits of b: 7, 7, 5, 4, 2, 2, 9, 1, 6
WIDTHS = [(17, 13), (18, 13), (12, 9), (16, 8), (9, 4), (5, 3), (20, 17), (2, 2), (11, 12)]

MUTATIONS = [
    ("~|b[2*d+:2]", "&b[2*d+:2]"),  # -2
    ("carry_q <= gen_digit[2*d+1].negative", "carry_q <= 1'b0"),
    ("1'b0, gen_digit[2*d].negative", "2'b00"),
    ("2 * d + 1 <= PAIRS ? 4 : 2", "4"),
    ("below << (PLACE - 2)", "below << (PLACE - 1)"),
]


def case(a_bits: int, b_bits: int, seed: int) -> Case:
    """Combinations of ends and random words."""
    rng = np.random.default_rng(seed)

    def words(bits: int) -> np.ndarray:
        low, high = -(1 << (bits - 1)), 1 << (bits - 1)
        return np.concatenate([[low, low + 1, -1, 0, 1, high - 1], rng.integers(low, high, 200)])

    a, b = words(a_bits), words(b_bits)
    a, b = np.concatenate([np.repeat(a[:6], 6), a]), np.concatenate([np.tile(b[:6], 6), b])
    return Case(
        "ernn_logic_product",
        inputs={"a_i": (a_bits, a), "b_i": (b_bits, b)},
        outputs={"product_o": (a_bits + b_bits, a * b)},
        latency_cycles=2,
        parameters={"A_W": a_bits, "B_W": b_bits},
    )


CASES = [case(a, b, seed) for seed, (a, b) in enumerate(WIDTHS)]


def test_matches_golden(simulator, folder):
    compare(CASES, library("logic_product"), folder, simulator)


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize(("before", "after"), MUTATIONS)
def test_a_planted_bug_is_found(before, after, tmp_path):
    mutant = mutate(*library("logic_product"), before, after, tmp_path)
    with pytest.raises(ToolError, match="expected 0x"):
        compare(CASES, [mutant], tmp_path, "icarus")


@pytest.mark.needs("verilator")
@pytest.mark.parametrize(("a_bits", "b_bits"), WIDTHS)
def test_is_lint_clean(a_bits, b_bits):
    lint(library("logic_product"), "ernn_logic_product", {"A_W": a_bits, "B_W": b_bits})
