"""Testbench for control and storage: sets every input and compares every output, cycle by cycle.

Reads ERNN_VECTORS: {"inputs": {port: values}, "outputs": {port: values}}, one value per cycle; null
as an output says that nothing is expected. Inputs change after the rising edge; outputs are read
before the next one. It computes no expectation.
"""

import json
import os
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ReadOnly, RisingEdge


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def matches_vectors(dut):
    """Every output equals its vector in every cycle."""
    vectors = json.loads(Path(os.environ["ERNN_VECTORS"]).read_text())
    inputs, outputs = vectors["inputs"], vectors["outputs"]
    cycles = len(next(iter(inputs.values())))
    Clock(dut.clk_i, 10, unit="ns").start()
    for cycle in range(cycles):
        await RisingEdge(dut.clk_i)
        for port, values in inputs.items():
            getattr(dut, port).value = values[cycle]
        await ReadOnly()
        for port, values in outputs.items():
            if values[cycle] is not None:
                found = getattr(dut, port).value
                assert str(found) == format(values[cycle], f"0{len(found)}b"), (
                    f"cycle {cycle}: {port} is {found}, expected {values[cycle]:b}"
                )
