"""ernn_pe: sums of products against integers, with gaps, restarts and resets in between."""

import numpy as np
import pytest
from vectors import LIB, Vectors, check, only_icarus, verilog

from ernn.errors import ToolError
from ernn.hw.weight_code import WeightCode
from ernn.run.testbench import lint

MACS, OP_W, WEIGHT_W, ACC_W = 3, 6, 5, 20
CYCLES = 300
WIDTHS = {"MACS": MACS, "OP_W": OP_W, "WEIGHT_W": WEIGHT_W, "ACC_W": ACC_W}
KINDS = [(0, 0), (0, 1), (2, 1), (3, 0)]  # products from logic, shadow
# Stored bits of weights, without the lowest, as powers; the weights
LEVELS = [
    (1, 1, 1, [-1, 1]),
    (2, 0, 1, [-1, 0, 1]),
    (3, 0, 1, [-4, -2, -1, 0, 1, 2, 4]),
    (2, 1, 0, [-3, -1, 1, 3]),
]
FILES = verilog("pe", "logic_product", "power_product")

MUTATIONS = {
    "no restart": ("first_q2 ? {ACC_W{1'b0}} : sum_q", "sum_q"),
    "sign lost": ("{(ACC_W - PRODUCT_W) {product[PRODUCT_W-1]}}", "{(ACC_W - PRODUCT_W) {1'b0}}"),
    "gaps counted": ("if (valid_q2) sum_q", "if (valid_q) sum_q"),
    "shadow too early": ("if (last_q3) shadow_q", "if (last_q2) shadow_q"),
    "a reset remembered": ("last_q2    <= last_q && !rst_i", "last_q2    <= last_q"),
}


def packed(words, width):
    return sum((int(word) & (1 << width) - 1) << n * width for n, word in enumerate(words))


def vectors(shadow, levels=None):
    """What goes in, and from three cycles later on what must come out."""
    rng, v = np.random.default_rng(5), Vectors()
    operands = rng.integers(-(1 << OP_W - 1), 1 << OP_W - 1, (CYCLES, MACS))
    weights = rng.integers(-(1 << WEIGHT_W - 1), 1 << WEIGHT_W - 1, (CYCLES, MACS))
    operands[:9], weights[:9] = -(1 << OP_W - 1), -(1 << WEIGHT_W - 1)  # the largest products
    code = WeightCode(WEIGHT_W)
    if levels:
        bits, odd, powers, values = levels
        code, weights = WeightCode(bits, bool(powers), bool(odd)), rng.choice(values, weights.shape)
        weights[:9] = values[0]
    valid, first = rng.random(CYCLES) < 0.7, rng.random(CYCLES) < 0.2
    last, reset = rng.random(CYCLES) < 0.3, rng.random(CYCLES) < 0.05
    # The first weights come in cycle 0, their operands in cycle 1
    valid[0], first[1], valid[1], reset[0] = False, True, True, True
    sums, drained = None, None
    for cycle in range(CYCLES):
        ended = [
            k >= 0 and last[k] and not reset[k] and not reset[k + 1] for k in (cycle - 4, cycle - 2)
        ]
        if ended[0]:
            drained = sums  # those of the cycle before
        told = cycle - 3
        if told >= 0 and valid[told]:
            product = operands[told] * weights[told]
            sums = product if first[told] else sums + product
        out = drained if shadow else sums
        v.cycle(
            {
                "rst_i": reset[cycle],
                "operands_i": packed(operands[cycle], OP_W),
                "weights_i": packed(code.encode(weights[min(cycle + 1, CYCLES - 1)]), code.bits),
                "valid_i": valid[cycle],
                "first_i": first[cycle],
                "last_i": last[cycle],
            },
            {
                "last_o": ended[1] if cycle >= 2 else None,
                "drain_o": None if out is None else packed(out, ACC_W),
            },
        )
    return v


@pytest.mark.parametrize(("logic", "shadow"), KINDS)
def test_sums(simulator, folder, logic, shadow):
    parameters = WIDTHS | {"LOGIC": logic, "SHADOW": shadow}
    check("ernn_pe", parameters, vectors(shadow), folder, simulator, files=FILES)


def of_levels(levels, logic):
    bits, odd, powers, _ = levels
    return WIDTHS | {"WEIGHT_W": bits, "ODD": odd, "POWERS": powers, "LOGIC": logic}


@pytest.mark.parametrize("logic", [0, 2])
@pytest.mark.parametrize("levels", LEVELS)
def test_sums_of_levels(simulator, folder, levels, logic):
    check("ernn_pe", of_levels(levels, logic), vectors(1, levels), folder, simulator, files=FILES)


@only_icarus
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_planted_bug_is_found(simulator, tmp_path, name):
    before, after = MUTATIONS[name]
    text = (LIB / "ernn_pe.v").read_text()
    assert before in text
    broken = tmp_path / "ernn_pe.v"
    broken.write_text(text.replace(before, after))
    parameters = WIDTHS | {"LOGIC": 0, "SHADOW": 1}
    files = [broken, *FILES[1:]]
    with pytest.raises(ToolError, match="expected"):
        check("ernn_pe", parameters, vectors(1), tmp_path, simulator, files=files)


@pytest.mark.needs("verilator")
@pytest.mark.parametrize(("logic", "shadow"), KINDS)
def test_is_lint_clean(logic, shadow):
    lint(FILES, "ernn_pe", WIDTHS | {"LOGIC": logic, "SHADOW": shadow})


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("levels", LEVELS)
def test_levels_are_lint_clean(levels):
    lint(FILES, "ernn_pe", of_levels(levels, 0))
