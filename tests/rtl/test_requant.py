"""ernn_requant against QFormat.requantize."""

import numpy as np
import pytest
from pipelines import Case, compare, draw, library, mutate

from ernn.errors import ToolError
from ernn.fixed import QFormat
from ernn.run.testbench import lint

# Source and target: narrowing, widening, left shifts, nothing but saturation, all bits dropped.
PAIRS = [
    ("Q7.16", "Q3.8"),
    ("Q3.12", "Q0.11"),
    ("Q0.11", "Q3.12"),
    ("Q5.6", "Q5.6"),
    ("Q7.8", "Q3.8"),
    ("Q3.4", "Q11.4"),
    ("Q3.4", "Q2.9"),
    ("Q0.1", "Q1.0"),
    ("Q0.7", "Q7.-6"),
    ("Q-3.8", "Q0.1"),
    ("Q4.-2", "Q7.1"),
    ("Q20.27", "Q3.14"),
]
WORDS = 600

MUTATIONS = [
    ("ONE << RIGHT) >> 1", "ONE << RIGHT) >> 2"),  # half a half
    ("(added | HALF)", "added"),  # truncates
    ("value + (", "value - ("),
    ("SUM_W = 1 +", "SUM_W = 0 +"),  # no room for the carry
    ("{(SUM_W - IN_W) {in_i[IN_W-1]}}", "{(SUM_W - IN_W) {1'b0}}"),  # >> instead of >>>
    ("{(SUM_W - OUT_W) {add_i[OUT_W-1]}}", "{(SUM_W - OUT_W) {1'b0}}"),
    ("in_i} << LEFT", "in_i}"),
    ("add_i} << RIGHT", "add_i}"),
    ("&top | ~|top", "~|top"),  # negative values saturate
    ("{~sum[SUM_W-1]}", "{sum[SUM_W-1]}"),
    ("RIGHT+OUT_W-1]", "RIGHT+OUT_W]"),  # forgets the new sign bit
]


def case(source: QFormat, target: QFormat, seed: int) -> Case:
    """Words around every edge: of the target's range, and half a step away from its values."""
    raw, add = draw(np.random.default_rng(seed), WORDS, source, target)
    add[::3] = 0
    shift = source.frac_bits - target.frac_bits
    half = 1 << max(shift - 1, 0)
    edges = [v << shift if shift > 0 else v >> -shift for v in (target.min_raw, target.max_raw, 0)]
    near = [edge + sign * (half + step) for edge in edges for sign in (1, -1) for step in (-1, 0)]
    raw[: len(near)] = source.saturate(np.array(near))
    add[: len(near)] = 0
    unlimited = QFormat(60 - target.frac_bits, target.frac_bits)
    exact = unlimited.requantize(raw, source.frac_bits, add=add)
    out = target.requantize(raw, source.frac_bits, add=add)
    return Case(
        "ernn_requant",
        inputs={"in_i": (source.width, raw), "add_i": (target.width, add)},
        outputs={"out_o": (target.width, out), "saturated_o": (1, out != exact)},
        latency_cycles=0,
        parameters={
            "IN_W": source.width,
            "IN_FRAC": source.frac_bits,
            "OUT_W": target.width,
            "OUT_FRAC": target.frac_bits,
        },
        clocked=False,
    )


CASES = [case(*map(QFormat.parse, pair), seed) for seed, pair in enumerate(PAIRS)]


def test_matches_golden(simulator, folder):
    compare(CASES, library("requant"), folder, simulator)


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize(("before", "after"), MUTATIONS)
def test_a_planted_bug_is_found(before, after, tmp_path):
    mutant = mutate(*library("requant"), before, after, tmp_path)
    with pytest.raises(ToolError, match="expected 0x"):
        compare(CASES, [mutant], tmp_path, "icarus")


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("number", range(len(PAIRS)))
def test_is_lint_clean(number):
    lint(library("requant"), "ernn_requant", CASES[number].parameters)
