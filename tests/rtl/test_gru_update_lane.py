"""ernn_gru_update_lane against ernn.quant.cells.gru_update_step."""

import numpy as np
import pytest
from lanes import GRU_SETS, LaneFormats, compare_lanes, expect_found, lint_lane
from pipelines import Case, draw, library

from ernn.hw.latency import gru_update_lane_cycles
from ernn.quant.cells import gru_update_step

FILES = library("gru_update_lane", "multiply", "requant", "delay")

MUTATIONS = [
    ("gru_update_lane", "n_wide - h_wide", "h_wide - n_wide"),
    ("gru_update_lane", "{(DIFF_W - STATE_W) {h[STATE_W-1]}}", "{(DIFF_W - STATE_W) {1'b0}}"),
    ("gru_update_lane", ": GATE_W) + 1;", ": GATE_W);"),  # no room for n - h
    ("gru_update_lane", "h} << H_SHIFT", "h}"),
    ("gru_update_lane", ".CYCLES(ACT_CYCLES + 1)", ".CYCLES(ACT_CYCLES)"),
    ("gru_update_lane", ".add_i(h_q)", ".add_i(h)"),
    ("gru_update_lane", "updated_q <= updated;", "updated_q <= h_q;"),
]


def case(form: LaneFormats) -> Case:
    """z is any word, although a sigmoid gives only half of them."""
    z, row_n, h = draw(np.random.default_rng(0), 400, form.gate, form.row, form.state)
    state, value = gru_update_step(form, row_n, z, h)
    return Case(
        form.module("gru_update_lane"),
        inputs={
            "z_i": (form.gate.width, z),
            "row_n_i": (form.row.width, row_n),
            "state_i": (form.state.width, h),
        },
        outputs={"state_o": (form.state.width, state), "value_o": (form.vector.width, value)},
        latency_cycles=gru_update_lane_cycles(),
        parameters=form.parameters,
    )


def test_matches_golden(simulator, folder):
    compare_lanes([case(form) for form in GRU_SETS], GRU_SETS, FILES, folder, simulator)


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation[2])
def test_a_planted_bug_is_found(mutation, tmp_path):
    form = GRU_SETS[1]  # its state is coarser than its gates
    expect_found(case(form), form, FILES, mutation, tmp_path)


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("form", GRU_SETS, ids=lambda form: form.name)
def test_is_lint_clean(form, tmp_path):
    lint_lane("gru_update_lane", case(form), form, FILES, tmp_path)
