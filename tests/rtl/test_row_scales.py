"""Block rows with binary points of their own: bit-exact, on the planned cycle, and loadable."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from accelerator_designs import NARROW
from accelerators import Accelerator, Design
from conftest import VERILATOR
from models import random_integer_model, turned, uneven

from ernn.errors import MismatchError, PlanError
from ernn.fixed import QFormat
from ernn.hdl.project import write_project
from ernn.hw.build import Target, build_plan
from ernn.hw.cycles import rate
from ernn.hw.layout import Sizes
from ernn.quant.integer_model import IntegerModel
from ernn.recipe import QuantizationRecipe

DESIGNS = {
    "dense": Design(
        {"cell": "gru_after", "hidden": 9, "features": 6, "blocks": 1, "scales": False},
        Sizes(4, 2, 2, 1, word=1),
    ),
    "blocks": Design(
        {"cell": "gru_before", "hidden": 24, "features": 9, "blocks": 8}, Sizes(4, 3, 4, 2)
    ),
    "projected-mixed": Design(
        {"cell": "lstm", "hidden": 16, "blocks": NARROW, "layers": 2, "projection": 8},
        Sizes(4, 2, 2, 2),
        streams=3,
    ),
    "few-bits": Design(
        {"cell": ["rnn", "mgu"], "hidden": 32, "features": 16, "blocks": 2, "labels": 0},
        Sizes(2, 2, 1, 4, word=16),
        bits=QuantizationRecipe(weight_bits=6, activation_bits=8),
    ),
}


def drawn(design: Design) -> IntegerModel:
    return random_integer_model(np.random.default_rng(design.seed), design.bits, **design.model)


def written(design: Design, model: IntegerModel, folder: Path, **changes) -> Accelerator:
    plan = build_plan(model, design.sizes, Target("test", "xc7a35t", 200.0, design.streams))
    style = changes.get("style")
    if style:
        rams = (replace(r, style=style) if r.name == "row_shifts" else r for r in plan.rams)
        plan = replace(plan, rams=tuple(rams))
    write_project(plan, model, folder / "project")
    return Accelerator(plan, model, folder)


def require_exact(made: Accelerator, simulator: str) -> None:
    lengths = [(3, 2), (4,), (1, 1, 2)][: made.plan.streams]
    made.run(*lengths, simulator=simulator)
    made.run(*lengths, simulator=simulator, idle=0.3, stall=0.4)
    alone = made.run((2, 1), simulator=simulator, mode="single")
    assert alone.latency_cycles == rate(made.plan).latency_cycles


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize(
    ("name", "most"), [("dense", 7), ("blocks", 1), ("projected-mixed", 3), ("few-bits", 7)]
)
def test_every_word_and_cycle(name, most, folder):
    design = DESIGNS[name]
    made = written(design, uneven(drawn(design), most), folder)
    assert made.plan.shift_bits == most.bit_length()
    require_exact(made, "icarus")


@pytest.mark.parametrize("simulator", [VERILATOR])
def test_verilator_agrees(simulator, folder):
    design = DESIGNS["projected-mixed"]
    require_exact(written(design, uneven(drawn(design)), folder), simulator)


@pytest.mark.needs("iverilog")
def test_weights_so_coarse_that_accumulators_move_left(folder):
    """Their bits would be dropped by the shift if they were not aligned before it."""
    design = replace(DESIGNS["blocks"], bits=QuantizationRecipe(weight_bits=4, activation_bits=12))
    model = drawn(design)
    coarse = tuple(
        replace(product, weight=QFormat(6 + index % 2, -3 - index % 2))
        for index, product in enumerate(model.products)
    )
    made = written(design, uneven(replace(model, products=coarse)), folder)
    assert min(made.plan.aligns) > 0
    require_exact(made, "icarus")


@pytest.mark.needs("iverilog")
def test_shifts_from_block_ram_meet_their_sums(tmp_path):
    """They are read a cycle sooner and wait in a register; the plan's cycles stay."""
    design, model = DESIGNS["blocks"], uneven(drawn(DESIGNS["blocks"]))
    before = written(design, model, tmp_path / "before")
    after = written(design, model, tmp_path / "after", style="block")
    assert (before.plan.read_wait("row_shifts"), after.plan.read_wait("row_shifts")) == (0, 1)
    counts = [one.run((3, 4), simulator="icarus").cycles for one in (before, after)]
    assert counts[0] == counts[1]


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("cycle", [70, 130])
def test_a_reset_forgets_everything(cycle, folder):
    design = DESIGNS["blocks"]
    made = written(design, uneven(drawn(design)), folder)
    made.run((3, 2), (4,), simulator="icarus", reset_cycle=cycle)


@pytest.mark.needs("iverilog")
def test_shifts_are_loaded_with_the_weights(folder):
    """Other ones and none; larger ones than the accelerator has are refused."""
    design = DESIGNS["blocks"]
    made = written(design, uneven(drawn(design), 3), folder)
    for model in (turned(made.model), drawn(design)):
        other = Accelerator(made.plan, model, made.folder)
        with pytest.raises(MismatchError):
            other.run((2,), simulator="icarus")  # it really is another model
        other.run((3, 2), (4,), simulator="icarus", load=True)
    larger = Accelerator(made.plan, uneven(drawn(design), 4), made.folder)
    with pytest.raises(PlanError, match=r"up to 7 bits \(allowed: .* shifts by at most 3\); gen"):
        larger.run((2,), simulator="icarus", load=True)


# Planted bugs: file, text, what it becomes.
MUTATIONS = {
    "a shift that forgets the sign": ("ernn_row_lane.v", "aligned_q >>> ", "aligned_q >> "),
    "the shift of the block row before": (
        "ernn_row_lane.v",
        "shifts_i[v/4*",
        "shifts_i[(v/4==0?0:v/4-1)*",
    ),
    "shifts a cycle late": ("ernn_rows.v", ".CYCLES(2)) u_shift_addr", ".CYCLES(3)) u_shift_addr"),
    "shifts that are not loaded": ("row_shifts.mem", "7", "6"),
}


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_planted_bug_is_found(name, tmp_path):
    file, before, after = MUTATIONS[name]
    design = Design({"cell": "lstm", "hidden": 8, "features": 8, "blocks": 4}, Sizes(4, 2, 1, 4, 8))
    made = written(design, uneven(drawn(design)), tmp_path)
    text = (made.rtl / file).read_text()
    assert before in text, f"{file} has no {before!r} to mutate"
    (made.rtl / file).write_text(text.replace(before, after))
    with pytest.raises(MismatchError, match=r"signal layer0\.gates\.row, element"):
        made.run((2, 3), (4,), simulator="icarus")
