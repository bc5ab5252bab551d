"""What a reset leaves: nothing unknown, nothing of the time before, whatever was under way."""

import pytest
from accelerators import Accelerator, Design
from conftest import ICARUS, VERILATOR

from ernn.errors import MismatchError, ToolError
from ernn.hw.layout import Sizes

# Designs for a simulator of four states, in which what is not reset is x until it is written.
FOUR_STATES = {
    "lstm": Design({"cell": "lstm", "hidden": 8, "features": 5, "blocks": 4}, Sizes(4, 2, 1, 4)),
    "gru_before": Design(
        {"cell": "gru_before", "hidden": 6, "features": 5, "blocks": 2, "labels": 3},
        Sizes(2, 3, 1, 1),
        streams=1,
    ),
    "gru_after": Design(
        {"cell": "gru_after", "hidden": 6, "layers": 2, "blocks": {"input": 4, "recurrent": 2}},
        Sizes(4, 2, 2, 1),
    ),
    "ecp5": Design(
        {"cell": "gru_before", "hidden": 8, "features": 7, "blocks": 4, "labels": 0},
        Sizes(2, 3, 2, 2),
        part="LFE5U-85F",
    ),
}


@pytest.mark.parametrize("simulator", [ICARUS])
@pytest.mark.parametrize("name", FOUR_STATES)
def test_nothing_is_unknown(name, simulator, folder):
    """From the first cycle behind a reset of one cycle, cold or warm, every output is known.

    The testbench watches them in every cycle; counters are those of the integer model.
    """
    made = Accelerator.write(FOUR_STATES[name], folder)
    lengths = [(2, 1), (2,)][: made.plan.streams]
    made.run(*lengths, simulator=simulator, reset_cycles=1)
    made.run(*lengths, simulator=simulator, reset_cycles=1, reset_cycle=120, stall=0.2)


UNKNOWN = [  # file, text and what it becomes
    ("ernn_ram.v", "mem[word] = {WIDTH{1'b0}}", "mem[word] = {WIDTH{1'bx}}"),
    ("ernn_skid.v", "out_data_o    <= {WIDTH{1'b0}};", ";"),
    ("ernn_output.v", "beats[place] = {BEAT_W{1'b0}}", ""),
    ("ernn_registers.v", "s_axil_bresp             <= OKAY;", ""),
    ("ernn_registers.v", "      steps_q             <= 1'd0;", ""),
    ("ernn_monitor.v", "if (rst_i) saturated_vectors_o", "if (1'b0) saturated_vectors_o"),
]


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize(("file", "before", "after"), UNKNOWN)
def test_what_is_not_reset_is_found(file, before, after, tmp_path):
    made = Accelerator.write(FOUR_STATES["ecp5"], tmp_path)
    text = (made.rtl / file).read_text()
    assert before in text, f"{file} has no {before!r} to change"
    (made.rtl / file).write_text(text.replace(before, after))
    with pytest.raises((MismatchError, ToolError), match=r"unknown|non-0/1|signal"):
        made.run((2, 1), (2,), simulator="icarus", reset_cycles=1)


@pytest.mark.parametrize("simulator", [VERILATOR])
def test_a_reset_ends_a_drain(simulator, folder):
    """Of 64 rows, which would last longer than the next frame takes to reach the drain."""
    model = {"cell": "gru_after", "hidden": 32, "features": 1, "blocks": 1, "labels": 0}
    design = Design(model | {"scales": False}, Sizes(64, 1, 1, 1), streams=1)
    made = Accelerator.write(design, folder)
    for cycle in range(41, 60, 3):
        made.run((2, 2), simulator=simulator, reset_cycles=1, reset_cycle=cycle)
