"""Testbench of the board's end of a link: bytes in, packets out; it computes nothing.

``ERNN_VECTORS`` names a JSON file:

    bytes: to send, in order
    beats: [data, tlast, tid, tuser] to come back, in order
    good, bad: what the counters say in the end
    idle, stall: probability of a cycle without a byte, without ready at the output
    seed: of both
    reset_cycle: when to reset and to send everything again; null: never
    quiet_cycles: time-out, cycles without a beat or a taken byte
"""

import json
import os
import random
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ReadOnly, RisingEdge


@cocotb.test()
async def restores_every_frame(dut):
    """The beats and the counts are those of the vectors; no output is unknown."""
    vectors = json.loads(Path(os.environ["ERNN_VECTORS"]).read_text())
    Clock(dut.clk_i, 10, unit="ns").start()
    dut.s_axis_tvalid.value = 0
    dut.s_axis_tdata.value = 0
    dut.m_axis_tready.value = 0
    await reset(dut)
    if vectors["reset_cycle"] is not None:
        await run(dut, vectors, vectors["reset_cycle"])
        await reset(dut)
    found = await run(dut, vectors)
    for number, (beat, expected) in enumerate(zip(found, vectors["beats"], strict=False)):
        assert beat == expected, f"beat {number} is {beat}, expected {expected}"
    assert len(found) == len(vectors["beats"]), f"{len(found)} beats came"
    counts = [int(dut.good_count_o.value), int(dut.bad_count_o.value)]
    assert counts == [vectors["good"], vectors["bad"]], f"good and bad frames are {counts}"


async def reset(dut) -> None:
    """Hold the reset for two cycles."""
    dut.rst_i.value = 1
    dut.s_axis_tvalid.value = 0
    for _ in range(2):
        await RisingEdge(dut.clk_i)
    dut.rst_i.value = 0


async def run(dut, vectors: dict, cycles: int | None = None) -> list:
    """Send all bytes and return the beats, up to a cycle or until nothing moves any more."""
    chance = random.Random(vectors["seed"])
    line, sent, found, quiet, cycle = vectors["bytes"], 0, [], 0, 0
    offered, held = False, None
    while quiet < vectors["quiet_cycles"] and (cycles is None or cycle < cycles):
        # AXI4-Stream: what was offered stays until it is taken
        offered = sent < len(line) and (offered or chance.random() >= vectors["idle"])
        dut.s_axis_tvalid.value = offered
        dut.s_axis_tdata.value = line[sent] if offered else 0
        dut.m_axis_tready.value = ready = chance.random() >= vectors["stall"]
        await ReadOnly()
        taken = offered and int(dut.s_axis_tready.value)
        beat = None
        if int(dut.m_axis_tvalid.value):
            ports = ("tdata", "tlast", "tid", "tuser")
            beat = [int(getattr(dut, f"m_axis_{port}").value) for port in ports]
            assert held in (None, beat), f"a beat changed before it was taken: {held} to {beat}"
        else:
            assert held is None, "a beat went before it was taken"
        held = None if ready else beat
        if ready and beat:
            found.append(beat)
        quiet = 0 if taken or (ready and beat) else quiet + 1
        await RisingEdge(dut.clk_i)
        sent += bool(taken)
        offered = offered and not taken
        cycle += 1
    assert cycles is not None or sent == len(line), f"{len(line) - sent} bytes were not taken"
    return found
