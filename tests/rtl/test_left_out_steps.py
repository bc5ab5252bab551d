"""Models without weights in some blocks: bit-exact and on the planned cycle, with fewer steps."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from accelerators import Accelerator, Design
from models import masked, random_integer_model, turned

from ernn.errors import MismatchError, PlanError, ToolError
from ernn.hdl.project import write_project
from ernn.hw.build import Target, build_plan
from ernn.hw.cycles import rate
from ernn.hw.layout import Sizes
from ernn.hw.plan import HardwarePlan
from ernn.quant.integer_model import IntegerModel

DESIGNS = {
    "gru_before": Design(
        {"cell": "gru_before", "hidden": 24, "features": 9, "blocks": 2}, Sizes(4, 2, 1, 2)
    ),
    "gru_before-slices": Design(  # with features that are not whole words
        {"cell": "gru_before", "hidden": 24, "features": 9, "blocks": 2, "labels": 8},
        Sizes(4, 4, 2, 2, word=8, tile_rows=2, slices=2),
    ),
    "lstm-projected-mixed": Design(
        {
            "cell": "lstm",
            "hidden": 16,
            "features": 8,
            "blocks": {"input": 4, "recurrent": 1, "projection": 2},
            "layers": 2,
            "projection": 8,
        },
        Sizes(4, 1, 2, 2),
        streams=3,
    ),
    "gru_after-one-pass": Design(
        {"cell": "gru_after", "hidden": 12, "blocks": 4, "labels": 0}, Sizes(9, 1, 1, 1), streams=1
    ),
}


def drawn(design: Design) -> IntegerModel:
    return random_integer_model(np.random.default_rng(design.seed), design.bits, **design.model)


def plan_of(design: Design, model: IntegerModel) -> HardwarePlan:
    return build_plan(model, design.sizes, Target("test", "xc7a35t", 200.0, design.streams))


def written(design: Design, model: IntegerModel, folder: Path) -> Accelerator:
    plan = plan_of(design, model)
    write_project(plan, model, folder / "project")
    return Accelerator(plan, model, folder)


def require_exact(name: str, share: float, simulator: str, folder: Path) -> None:
    design = DESIGNS[name]
    every, model = drawn(design), masked(drawn(design), share, (2, 1))
    made = written(design, model, folder)
    assert made.plan.gather
    whole = replace(design, sizes=replace(design.sizes, word=None, tile_rows=0, slices=0))
    assert made.plan.steps < plan_of(whole, every).steps
    made.run(*[(3, 2), (4,), (1, 1, 2)][: design.streams], simulator=simulator)
    alone = made.run((2, 1), simulator=simulator, mode="single")
    assert alone.latency_cycles == rate(made.plan).latency_cycles


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("share", [0.3, 0.1])
def test_every_word_and_cycle(name, share, folder):
    require_exact(name, share, "icarus", folder)


@pytest.mark.needs("verilator")
def test_verilator_agrees(folder):
    require_exact("gru_before", 0.3, "verilator", folder)


def test_a_mask_that_keeps_all_changes_nothing():
    """Not a register, and not a byte of the plan."""
    design = DESIGNS["gru_before"]
    every = drawn(design)
    assert plan_of(design, masked(every, 1.0, (2, 1))) == plan_of(design, every)


@pytest.mark.needs("iverilog")
def test_another_model_is_loaded_if_its_blocks_are_the_same(folder):
    design = DESIGNS["gru_before"]
    model = masked(drawn(design), 0.5, (2, 1))
    made = written(design, model, folder)
    products = tuple(
        replace(p, segments=tuple(replace(s, spectra=-s.spectra) for s in p.segments))
        for p in model.products
    )
    Accelerator(made.plan, replace(model, products=products), folder).run(
        (2,), simulator="icarus", load=True
    )
    other = Accelerator(made.plan, turned(drawn(design)), folder)
    with pytest.raises(PlanError, match="differ from those that the accelerator was built for"):
        other.run((2,), simulator="icarus", load=True)


# Planted bugs: file, text, what it becomes.
MUTATIONS = {
    "a token of a word that nobody waits for": (
        "ernn_vector_copies.v",
        " && !SILENT[offset]",
        "",
    ),
    "looks at the step before": (
        "ernn_sequencer.v",
        "control_addr_q <= next_control_addr_q + 1'b1;",
        "control_addr_q <= next_control_addr_q;",
    ),
    "the step memory is not read at a load": (
        "ernn_sequencer.v",
        ".re_i   (load || step),",
        ".re_i   (step),",
    ),
    "waits for one vector only": (
        "ernn_sequencer.v",
        "(!control_q[1] || have_i[memory1_q])",
        "1'b1",
    ),
    "takes one token of two": (
        "ernn_sequencer.v",
        "(control_q[1] && memory1_q ==",
        "(control_q[0] && memory1_q ==",
    ),
    "the other vector counts as zero": (
        "ernn_array.v",
        "= step_mask[vector]",
        "= step_mask[~vector]",
    ),
    "the other vector's frame": (
        "ernn_array.v",
        "= step_parity[vector]",
        "= step_parity[0]",
    ),
    "the place of the block behind": (
        "ernn_operands.v",
        "choice_q2   <= choice_q;",
        "choice_q2   <= path_choice_i;",
    ),
    "a slice of all": (
        "ernn_vector_copies.v",
        "slices[p%SLICES*SLICE_W+:SLICE_W]",
        "slices[0+:SLICE_W]",
    ),
    "operands of another group": (
        "ernn_pe_array.v",
        "operands[r/GROUP_ROWS*GROUP_LEAVES+r%GROUP_ROWS/FANOUT]",
        "operands[0]",
    ),
}


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_planted_bug_is_found(name, tmp_path):
    file, before, after = MUTATIONS[name]
    design = DESIGNS["gru_before-slices"]
    made = written(design, masked(drawn(design), 0.3, (2, 1)), tmp_path)
    text = (made.rtl / file).read_text()
    assert before in text, f"{file} has no {before!r} to mutate"
    (made.rtl / file).write_text(text.replace(before, after))
    with pytest.raises((MismatchError, ToolError)):
        made.run((2, 3), (4,), simulator="icarus")
