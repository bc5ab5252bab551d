"""ernn_power_product against a product of integers."""

import numpy as np
import pytest
from pipelines import Case, compare, library, mutate

from ernn.errors import ToolError
from ernn.hw.weight_code import WeightCode
from ernn.run.testbench import lint

WIDTHS = [(17, 1), (12, 2), (2, 1), (5, 2)]

MUTATIONS = [
    ("^ {M_W{negative}}", ""),
    ("a <<< 2", "a <<< 1"),
    ("b_q[0] ? a : {M_W{1'b0}}", "a"),
    ("{product_q[M_W-1]}", "{1'b0}"),
]


def case(a_bits: int, exponent_bits: int, seed: int) -> Case:
    """Every weight against ends and random words; a negative product is one too small."""
    rng = np.random.default_rng(seed)
    low, high = -(1 << (a_bits - 1)), 1 << (a_bits - 1)
    words = np.concatenate([[low, low + 1, -1, 0, 1, high - 1], rng.integers(low, high, 40)])
    weights = np.array([-4, -2, -1, 0, 1, 2, 4] if exponent_bits == 2 else [-1, 0, 1])
    a, b = np.repeat(words, len(weights)), np.tile(weights, len(words))
    code = WeightCode(exponent_bits + 1, powers=True)
    return Case(
        "ernn_power_product",
        inputs={"a_i": (a_bits, a), "b_i": (exponent_bits + 1, code.encode(b))},
        outputs={
            "product_o": (a_bits + exponent_bits + 1, a * b - (b < 0)),
            "carry_o": (1, (b < 0).astype(int)),
        },
        latency_cycles=2,
        parameters={"A_W": a_bits, "EXPONENT_W": exponent_bits},
    )


CASES = [case(a, e, seed) for seed, (a, e) in enumerate(WIDTHS)]


def test_matches_golden(simulator, folder):
    compare(CASES, library("power_product"), folder, simulator)


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize(("before", "after"), MUTATIONS)
def test_a_planted_bug_is_found(before, after, tmp_path):
    mutant = mutate(*library("power_product"), before, after, tmp_path)
    with pytest.raises(ToolError, match="expected 0x"):
        compare(CASES, [mutant], tmp_path, "icarus")


@pytest.mark.needs("verilator")
@pytest.mark.parametrize(("a_bits", "exponent_bits"), WIDTHS)
def test_is_lint_clean(a_bits, exponent_bits):
    parameters = {"A_W": a_bits, "EXPONENT_W": exponent_bits}
    lint(library("power_product"), "ernn_power_product", parameters)
