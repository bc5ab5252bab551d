"""ernn_multiply against QFormat.requantize of a product."""

import numpy as np
import pytest
from pipelines import Case, compare, draw, library, mutate

from ernn.errors import ToolError
from ernn.fixed import QFormat
from ernn.hw.latency import MULTIPLY_CYCLES
from ernn.run.testbench import lint

FORMATS = [
    ("Q0.11", "Q3.12", "Q3.12"),
    ("Q0.15", "Q0.15", "Q0.11"),
    ("Q2.5", "Q4.7", "Q4.7"),
    ("Q0.1", "Q0.1", "Q3.9"),
    ("Q-1.14", "Q0.17", "Q5.12"),
]

MUTATIONS = [
    ("a_i * b_i", "$unsigned(a_i) * b_i"),
    ("product_q <= a_i * b_i", "product_q <= a_i + b_i"),
    (".add_i      (add_q)", ".add_i      (add_i)"),  # one cycle early
    ("    out_o     <= out_d;", "  end\n  always @* begin\n    out_o = out_d;"),  # latency 1
]


def case(texts: tuple[str, str, str], seed: int) -> Case:
    a_format, b_format, out_format = map(QFormat.parse, texts)
    a, b, add = draw(np.random.default_rng(seed), 400, a_format, b_format, out_format)
    frac_bits = a_format.frac_bits + b_format.frac_bits
    out = out_format.requantize(a * b, frac_bits, add=add)
    return Case(
        "ernn_multiply",
        inputs={
            "a_i": (a_format.width, a),
            "b_i": (b_format.width, b),
            "add_i": (out_format.width, add),
        },
        outputs={"out_o": (out_format.width, out)},
        latency_cycles=MULTIPLY_CYCLES,
        parameters={
            "A_W": a_format.width,
            "B_W": b_format.width,
            "PRODUCT_FRAC": frac_bits,
            "OUT_W": out_format.width,
            "OUT_FRAC": out_format.frac_bits,
        },
    )


CASES = [case(texts, seed) for seed, texts in enumerate(FORMATS)]


def test_matches_golden(simulator, folder):
    compare(CASES, library("multiply", "requant"), folder, simulator)


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize(("before", "after"), MUTATIONS)
def test_a_planted_bug_is_found(before, after, tmp_path):
    mutant = mutate(*library("multiply"), before, after, tmp_path)
    with pytest.raises(ToolError, match="expected 0x"):
        compare(CASES, [mutant, *library("requant")], tmp_path, "icarus")


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("number", range(len(FORMATS)))
def test_is_lint_clean(number):
    lint(library("multiply", "requant"), "ernn_multiply", CASES[number].parameters)
