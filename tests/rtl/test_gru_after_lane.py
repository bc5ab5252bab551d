"""ernn_gru_after_lane against ernn.quant.cells.gru_candidate_row and gru_update_step."""

import numpy as np
import pytest
from lanes import GRU_SETS, LaneFormats, compare_lanes, expect_found, lint_lane
from pipelines import Case, draw, library

from ernn.hw.latency import gru_after_lane_cycles
from ernn.quant.cells import gru_candidate_row, gru_gates, gru_update_step

FILES = library("gru_after_lane", "gru_update_lane", "multiply", "requant", "delay")

MUTATIONS = [
    ("gru_after_lane", "{row_nh_i, row_nx_i}", "{row_nx_i, row_nh_i}"),
    ("gru_after_lane", "GATE_W - 1 + ROW_FRAC", "GATE_W + ROW_FRAC"),
    ("gru_after_lane", ".CYCLES(MULTIPLY_CYCLES)", ".CYCLES(MULTIPLY_CYCLES + 1)"),
    ("gru_after_lane", ".CYCLES(CANDIDATE_CYCLES)", ".CYCLES(ACT_CYCLES)"),
    ("gru_after_lane", ".a_i  (r)", ".a_i  (z)"),
]


def case(form: LaneFormats) -> Case:
    row = form.row
    row_z, row_r, row_nh, row_nx, h = draw(
        np.random.default_rng(0), 400, row, row, row, row, form.state
    )
    z, r = gru_gates(form, np.concatenate([row_z, row_r]))
    state, value = gru_update_step(form, gru_candidate_row(form, row_nx, row_nh, r), z, h)
    rows = {"row_z_i": row_z, "row_r_i": row_r, "row_nh_i": row_nh, "row_nx_i": row_nx}
    return Case(
        form.module("gru_after_lane"),
        inputs={
            **{port: (row.width, raw) for port, raw in rows.items()},
            "state_i": (form.state.width, h),
        },
        outputs={"state_o": (form.state.width, state), "value_o": (form.vector.width, value)},
        latency_cycles=gru_after_lane_cycles(),
        parameters={**form.parameters, "ROW_FRAC": row.frac_bits},
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
    lint_lane("gru_after_lane", case(form), form, FILES, tmp_path)
