"""ernn_gru_reset_lane against ernn.quant.cells.gru_gates and gru_reset_step."""

import numpy as np
import pytest
from lanes import GRU_SETS, LaneFormats, compare_lanes, expect_found, lint_lane
from pipelines import Case, draw, library

from ernn.hw.latency import gru_reset_lane_cycles
from ernn.quant.cells import gru_gates, gru_reset_step

FILES = library("gru_reset_lane", "multiply", "requant", "delay")

MUTATIONS = [
    ("gru_reset_lane", ".in_i(row_r_i)", ".in_i(row_z_i)"),
    ("gru_reset_lane", ".CYCLES(ACT_CYCLES)", ".CYCLES(ACT_CYCLES - 1)"),
    ("gru_reset_lane", ".CYCLES(MULTIPLY_CYCLES)", ".CYCLES(0)"),
    ("gru_reset_lane", "GATE_W - 1 + STATE_FRAC", "GATE_W + STATE_FRAC"),
]


def case(form: LaneFormats) -> Case:
    row_z, row_r, h = draw(np.random.default_rng(0), 400, form.row, form.row, form.state)
    z, r = gru_gates(form, np.concatenate([row_z, row_r]))
    return Case(
        form.module("gru_reset_lane"),
        inputs={
            "row_z_i": (form.row.width, row_z),
            "row_r_i": (form.row.width, row_r),
            "state_i": (form.state.width, h),
        },
        outputs={
            "z_o": (form.gate.width, z),
            "value_o": (form.vector.width, gru_reset_step(form, r, h)),
        },
        latency_cycles=gru_reset_lane_cycles(),
        parameters=form.parameters,
    )


def test_matches_golden(simulator, folder):
    compare_lanes([case(form) for form in GRU_SETS], GRU_SETS, FILES, folder, simulator)


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation[2])
def test_a_planted_bug_is_found(mutation, tmp_path):
    expect_found(case(GRU_SETS[0]), GRU_SETS[0], FILES, mutation, tmp_path)


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("form", GRU_SETS, ids=lambda form: form.name)
def test_is_lint_clean(form, tmp_path):
    lint_lane("gru_reset_lane", case(form), form, FILES, tmp_path)
