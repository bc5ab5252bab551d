"""ernn_lstm_lane against ernn.quant.cells.lstm_step."""

import numpy as np
import pytest
from lanes import LSTM_SETS, LaneFormats, compare_lanes, expect_found, lint_lane
from pipelines import Case, draw, library

from ernn.hw.latency import lstm_lane_cycles
from ernn.quant.cells import lstm_step

FILES = library("lstm_lane", "multiply", "requant", "delay")
VARIANTS = [(True, "tanh"), (True, "sigmoid"), (False, "tanh"), (False, "sigmoid")]

MUTATIONS = [
    ("lstm_lane", "AT_STATE = AT_GATES + 3", "AT_STATE = AT_GATES + 2"),
    ("lstm_lane", "? MULTIPLY_CYCLES : 1)", "? MULTIPLY_CYCLES : 2)"),
    ("lstm_lane", "fc_wide + ig_wide", "fc_wide - ig_wide"),
    ("lstm_lane", "fc_q} << FC_SHIFT", "fc_q}"),
    ("lstm_lane", "{(SUM_W - IG_W) {ig_q[IG_W-1]}}", "{(SUM_W - IG_W) {1'b0}}"),
    ("lstm_lane", "SUM_W = 1 +", "SUM_W = -1 +"),
    ("lstm_lane", ".b_i  (updated_q)", ".b_i  (state_i)"),  # o peeps at the old state
    ("lstm_lane", ".a_i  (peep_f_i)", ".a_i  (peep_i_i)"),
    ("lstm_lane", "ernn_tanh u_g ", "ernn_sigmoid u_g "),
    ("lstm_lane", ".in_i(row_c_late)", ".in_i(row_c_q)"),
    ("lstm_lane", ".CYCLES(AT_END - AT_STATE)", ".CYCLES(AT_END - AT_STATE - 1)"),
    ("multiply", "a_i * b_i", "a_i * $unsigned(b_i)"),
]


def case(form: LaneFormats, peepholes: bool, cell_activation: str) -> Case:
    rng = np.random.default_rng(2 * peepholes + (cell_activation == "tanh"))
    row, weight = form.row, form.peephole
    *rows, c, p_i, p_f, p_o = draw(rng, 300, row, row, row, row, form.state, weight, weight, weight)
    weights = np.stack([p_i, p_f, p_o]) if peepholes else None
    state, value = lstm_step(form, np.concatenate(rows), c, weights, cell_activation)
    ports = dict(zip(("row_i_i", "row_f_i", "row_g_i", "row_o_i"), rows, strict=True))
    peeps = {"peep_i_i": p_i, "peep_f_i": p_f, "peep_o_i": p_o}
    return Case(
        form.module("lstm_lane"),
        inputs={
            **{port: (row.width, raw) for port, raw in ports.items()},
            "state_i": (form.state.width, c),
            **{port: (weight.width, raw) for port, raw in peeps.items()},
        },
        outputs={"state_o": (form.state.width, state), "value_o": (form.vector.width, value)},
        latency_cycles=lstm_lane_cycles(peepholes),
        parameters={
            **form.parameters,
            "ROW_FRAC": row.frac_bits,
            "PEEP_W": weight.width,
            "PEEP_FRAC": weight.frac_bits,
            "PEEPHOLES": int(peepholes),
            "G_TANH": int(cell_activation == "tanh"),
        },
    )


def test_matches_golden(simulator, folder):
    usual, narrow, wide = LSTM_SETS
    cases = [case(usual, *variant) for variant in VARIANTS]
    cases += [case(narrow, True, "tanh"), case(wide, True, "sigmoid")]
    compare_lanes(cases, LSTM_SETS, FILES, folder, simulator)


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation[2])
def test_a_planted_bug_is_found(mutation, tmp_path):
    peepholes = mutation[2] != "? MULTIPLY_CYCLES : 2)"
    form = LSTM_SETS[0]
    expect_found(case(form, peepholes, "tanh"), form, FILES, mutation, tmp_path)


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("form", LSTM_SETS, ids=lambda form: form.name)
@pytest.mark.parametrize("variant", VARIANTS)
def test_is_lint_clean(form, variant, tmp_path):
    lint_lane("lstm_lane", case(form, *variant), form, FILES, tmp_path)
