"""Testbench of fixed-latency pipelines: one wide word in per cycle, one wide word out.

The top module gathers any number of modules under test: in_i and out_o are their inputs and
outputs side by side. ``ERNN_VECTORS`` names a JSON file:

    inputs: in_i of every cycle
    outputs: [{name, low, width, latency_cycles, words: expected value for every input}]
"""

import json
import os
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ReadOnly, RisingEdge


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def matches_golden(dut):
    """Every output equals the golden model's, exactly its latency behind the input."""
    vectors = json.loads(Path(os.environ["ERNN_VECTORS"]).read_text())
    inputs, outputs = vectors["inputs"], vectors["outputs"]
    longest = max(output["latency_cycles"] for output in outputs)
    Clock(dut.clk_i, 10, unit="ns").start()
    # Before the first word the same one long enough to fill every pipeline with known values.
    for cycle in range(-longest - 1, len(inputs) + longest):
        dut.in_i.value = inputs[min(max(cycle, 0), len(inputs) - 1)]
        await ReadOnly()
        if cycle >= 0:
            actual = int(dut.out_o.value)
            for output in outputs:
                check(output, cycle, actual)
        await RisingEdge(dut.clk_i)


def check(output: dict, cycle: int, actual: int) -> None:
    """Compare one output's bits of out_o in one cycle."""
    index = cycle - output["latency_cycles"]
    if 0 <= index < len(output["words"]):
        found = actual >> output["low"] & (1 << output["width"]) - 1
        expected = output["words"][index]
        assert found == expected, (
            f"{output['name']}, word {index}: {found:#x}, expected {expected:#x}"
        )
