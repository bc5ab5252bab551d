"""The lanes of every cell: printed Verilog against the operations of ernn.quant.operations."""

from dataclasses import replace
from itertools import product

import pytest
from lanes import CIRCUITS, FORMATS, Lane, compare_lanes

from ernn.cells import CELLS
from ernn.errors import ToolError
from ernn.graphs.cell import Cell, Options
from ernn.hw.lane_plan import LanePlan
from ernn.run.testbench import lint


def variants(cell: Cell) -> list[Options]:
    """Return every choice of options that a cell has."""
    peepholes = (False, True) if "peepholes" in cell.parameters else (False,)
    projection = (False, True) if cell.projects else (False,)
    activations = cell.activations or ("tanh",)
    return [Options(*chosen) for chosen in product(activations, peepholes, projection)]


def lanes_of(cell: Cell, form) -> list[Lane]:
    return [
        Lane(form, cell, options, region)
        for options in variants(cell)
        for region in cell.regions(options)
    ]


@pytest.mark.parametrize("name", CELLS)
def test_matches_golden(name, simulator, folder):
    lanes = [lane for form in FORMATS for lane in lanes_of(CELLS[name], form)]
    compare_lanes(lanes, folder, simulator)


# Planted bugs of the schedule, and of the printed text


def _turned(lane: LanePlan) -> LanePlan:
    steps = [
        replace(step, operands=(*step.operands[1:], step.operands[0]))
        if step.circuit in ("lerp", "dot2")
        else step
        for step in lane.steps
    ]
    return replace(lane, steps=tuple(steps))


def _table(lane: LanePlan) -> LanePlan:
    other = {"sigmoid": "tanh", "tanh": "sigmoid"}
    steps = [replace(step, circuit=other.get(step.circuit, step.circuit)) for step in lane.steps]
    return replace(lane, steps=tuple(steps))


BUGS = [("lstm", _turned), ("gru_before", _turned), ("rnn", _table), ("mgu", _table)]


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize(("cell", "bug"), BUGS, ids=lambda value: getattr(value, "__name__", value))
def test_a_planted_bug_is_found(cell, bug, tmp_path):
    lane = next(one for one in lanes_of(CELLS[cell], FORMATS[0]) if bug(one.plan) != one.plan)
    with pytest.raises(ToolError, match="expected 0x"):
        compare_lanes([lane], tmp_path, "icarus", changed=bug)


TEXT_BUGS = [
    ("relu", "dense", "[ROW_W-1] ? {ROW_W{1'b0}} :", "[ROW_W-2] ? {ROW_W{1'b0}} :"),
    ("a value waits too short", "lstm", ".CYCLES(9)", ".CYCLES(8)"),
    ("binary point", "mgu", ".PRODUCT_FRAC(GATE_FRAC + STATE_FRAC)", ".PRODUCT_FRAC(GATE_FRAC)"),
    ("addend", "gru_after", ".add_i(row_nx_at4)", ".add_i(row_nx)"),
    ("output", "lstm", "assign c_next_o = c_next_at", "assign c_next_o = c; wire unused_at"),
]


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("bug", TEXT_BUGS, ids=lambda bug: bug[0])
def test_a_planted_bug_in_the_text_is_found(bug, tmp_path):
    _, cell, before, after = bug
    lanes = lanes_of(CELLS[cell], FORMATS[0])
    lane = next(one for one in lanes if before in one.text())
    with pytest.raises(ToolError, match="expected 0x"):
        compare_lanes([lane], tmp_path, "icarus", edited=(before, after))


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
@pytest.mark.parametrize("cell", CELLS)
def test_is_lint_clean(cell, form, tmp_path):
    for lane in lanes_of(CELLS[cell], form):
        lint([*lane.write(tmp_path), *CIRCUITS], lane.module)


@pytest.mark.parametrize("cell", CELLS)
def test_nothing_waits_longer_than_it_must(cell):
    """Every value is there when it is read, and no operation of several values is late."""
    for lane in lanes_of(CELLS[cell], FORMATS[0]):
        plan = lane.plan
        there = {(value.name, 0) for value in plan.inputs}
        there |= {(step.out, step.ready) for step in plan.steps}
        for wait in plan.waits:
            assert (wait.name, wait.cycle) in there and wait.cycles > 0
            there.add((wait.name, wait.until))
        assert {(one.name, one.cycle) for step in plan.steps for one in step.operands} <= there
        assert {(value.name, plan.cycles) for value in plan.outputs} <= there
        ready = {step.out: step.ready for step in plan.steps}
        for step in plan.steps:
            late = [one.cycle - ready.get(one.name, 0) for one in step.operands]
            assert min(late) == 0 or len(step.operands) == 1
