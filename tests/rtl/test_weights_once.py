"""Weights stored once: the same words in the same cycles, of fewer words of memory."""

from dataclasses import replace
from pathlib import Path

import pytest
from accelerator_designs import DESIGNS
from accelerators import Accelerator, Design
from conftest import ICARUS
from frontends import elaborate, memory_faults
from models import turned
from test_accelerator import require_exact
from test_frontends import require_clean, verilog

from ernn.errors import MismatchError
from ernn.hw.cycles import rate
from ernn.hw.layout import Sizes
from ernn.run.testbench import lint

MIXED = "lstm-wide-words-mixed"  # four block sizes in wider words


def stored(once: bool) -> Design:
    design = DESIGNS[MIXED]
    return replace(design, sizes=replace(design.sizes, weights_once=once, logic_macs=6))


def test_every_word_and_cycle(simulator, folder):
    """As planned, and as of weights stored thrice; other weights are loaded, once as well."""
    made = Accelerator.write(stored(once=True), folder)
    require_exact(made, simulator)
    thrice = Accelerator.write(stored(once=False), folder / "thrice").plan
    assert rate(made.plan) == rate(thrice)
    assert made.plan.row_weight_bits < thrice.row_weight_bits
    other = Accelerator(made.plan, turned(made.model), made.folder)
    other.run(*[(2, 1)] * made.plan.streams, simulator=simulator, load=True)


@pytest.mark.needs("verilator")
def test_what_is_generated_is_clean(tmp_path):
    made = Accelerator.write(stored(once=True), tmp_path)
    files = verilog(tmp_path / "project")
    require_clean(files, "ernn_top")
    assert not memory_faults(elaborate(files, "ernn_top")[0], made.rtl)
    lint(files, "ernn_top")


def plant(rtl: Path, file: str, before: str, after: str) -> None:
    text = (rtl / file).read_text()
    assert before in text
    (rtl / file).write_text(text.replace(before, after))


@pytest.mark.parametrize("simulator", [ICARUS])
@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("ernn_operands.v", "pe_read_o = valid_q;", "pe_read_o = valid_q2;"),  # a cycle late
        ("ernn_weight_sums.v", "d - c", "c - d"),
        ("ernn_operands.v", "block1[0*OP_W+:OP_W]", "{OP_W{1'b0}}"),  # of dense products
    ],
)
def test_a_planted_bug_is_found(file, before, after, simulator, tmp_path):
    model = {"cell": "rnn", "hidden": 8, "features": 8, "blocks": {"input": 4, "recurrent": 1}}
    made = Accelerator.write(Design(model, Sizes(2, 1, 1, 1, weights_once=True)), tmp_path)
    plant(made.rtl, file, before, after)
    with pytest.raises(MismatchError):
        made.run((2, 1), (2,), simulator=simulator)
