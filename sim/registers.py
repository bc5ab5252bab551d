"""Testbench of the registers: works through scripts on the bus, tells what it saw, no more.

``ERNN_VECTORS`` names a JSON file:

    scripts: lists of steps that are done side by side, each list in order; a step is one of
        ["read", address]: its answer is [response, data]
        ["write", address, data, bytes]: of that many bytes; its answer is the response
        ["set", {input: value}]
        ["pulse", {input: value}, cycles]: these values for some cycles, then 0
        ["see", [output, ...]]: its answer is their values
        ["together", steps]: all at once, as far as the bus allows; its answer is theirs
        ["reset", after cycles, steps]: reset while the steps are under way
    idle, stall: probability of a cycle without a beat to the registers, without ready for theirs
    seed: of idle and stall
    results: file to write:
        answers: of each script, in order
        loads: [target, address, data] of each write to a memory
        state_resets: the pulses of state_reset_o
        read_cycles: the cycle, counted from the last reset, of each address accepted for a read

What must hold whatever the script: an answer stays until it is taken.
"""

import json
import logging
import os
import random
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, ReadOnly, RisingEdge
from cocotbext.axi import AxiLiteBus, AxiLiteMaster

SETTLE_CYCLES = 4  # from an event until every register shows it
INPUTS = (
    "idle_i",
    "packet_error_i",
    "frame_i",
    "input_stall_i",
    "output_stall_i",
    "step_i",
    "saturated_rows_i",
    "saturated_states_i",
    "saturated_vectors_i",
)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def works_through_the_scripts(dut):
    """Every step is answered within the time-out."""
    vectors = json.loads(Path(os.environ["ERNN_VECTORS"]).read_text())
    logging.getLogger("cocotb").setLevel(logging.WARNING)  # two lines per access otherwise
    for name in INPUTS:
        getattr(dut, name).value = 0
    dut.rst_i.value = 1
    Clock(dut.clk_i, 10, unit="ns").start()
    testbench = Testbench(dut, vectors)
    cocotb.start_soon(testbench.watch())
    await testbench.reset()
    running = [cocotb.start_soon(testbench.work_through(script)) for script in vectors["scripts"]]
    answers = [await script for script in running]
    await ClockCycles(dut.clk_i, SETTLE_CYCLES)
    Path(vectors["results"]).write_text(json.dumps({"answers": answers} | testbench.seen))


class Testbench:
    """A master on the bus, and a watch on the outputs."""

    def __init__(self, dut, vectors: dict):
        self.dut = dut
        self.seen = {"loads": [], "state_resets": [], "read_cycles": []}
        self.master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk_i, dut.rst_i)
        write, read = self.master.write_if, self.master.read_if
        chance = random.Random(vectors["seed"])
        for channel in (write.aw_channel, write.w_channel, read.ar_channel):
            channel.set_pause_generator(pauses(chance, vectors["idle"]))
        for channel in (write.b_channel, read.r_channel):
            channel.set_pause_generator(pauses(chance, vectors["stall"]))

    async def reset(self) -> None:
        """Hold the reset for some cycles."""
        self.dut.rst_i.value = 1
        await ClockCycles(self.dut.clk_i, SETTLE_CYCLES)
        self.dut.rst_i.value = 0
        await RisingEdge(self.dut.clk_i)

    async def work_through(self, script: list) -> list:
        """Do a script's steps; return the answers."""
        answers = []
        for kind, *values in script:
            answer = await getattr(self, f"do_{kind}")(*values)
            if answer is not None:
                answers.append(answer)
        return answers

    async def do_read(self, address: int) -> list:
        found = await self.master.read(address, 4)
        return [found.resp.name, int.from_bytes(found.data, "little")]

    async def do_write(self, address: int, data: int, size: int) -> str:
        told = await self.master.write(address, data.to_bytes(4, "little")[:size])
        return told.resp.name

    async def do_set(self, values: dict) -> None:
        for name, value in values.items():
            getattr(self.dut, name).value = value
        await ClockCycles(self.dut.clk_i, SETTLE_CYCLES)

    async def do_pulse(self, values: dict, cycles: int) -> None:
        for name, value in values.items():
            getattr(self.dut, name).value = value
        await ClockCycles(self.dut.clk_i, cycles)
        await self.do_set(dict.fromkeys(values, 0))

    async def do_see(self, names: list) -> list:
        await ClockCycles(self.dut.clk_i, SETTLE_CYCLES)
        return [int(getattr(self.dut, name).value) for name in names]

    async def do_together(self, steps: list) -> list:
        running = [cocotb.start_soon(self.work_through([step])) for step in steps]
        return [await step for step in running]

    async def do_reset(self, cycles: int, steps: list) -> None:
        under_way = [cocotb.start_soon(self.work_through([step])) for step in steps]
        await ClockCycles(self.dut.clk_i, cycles)
        for step in under_way:
            step.cancel()
        await self.reset()

    async def watch(self) -> None:
        """Note what happens in each cycle."""
        dut, cycle, read, response = self.dut, 0, None, None
        while True:
            await ReadOnly()
            if dut.rst_i.value == 1:
                cycle, read, response = 0, None, None
            else:
                if dut.load_we_o.value == 1:
                    load = (dut.load_target_o, dut.load_address_o, dut.load_data_o)
                    self.seen["loads"].append([int(port.value) for port in load])
                if int(dut.state_reset_o.value):
                    self.seen["state_resets"].append(int(dut.state_reset_o.value))
                if dut.s_axil_arvalid.value == 1 and dut.s_axil_arready.value == 1:
                    self.seen["read_cycles"].append(cycle)
                read = kept(read, dut.s_axil_rvalid, dut.s_axil_rready, dut.s_axil_rdata)
                response = kept(response, dut.s_axil_bvalid, dut.s_axil_bready, dut.s_axil_bresp)
                cycle += 1
            await RisingEdge(dut.clk_i)


def kept(before: str | None, valid, ready, data) -> str | None:
    """Return data that waits to be taken; it must be what waited in the cycle before."""
    if before is not None:
        assert valid.value == 1, f"{valid._name} fell before its answer was taken"
        assert str(data.value) == before, f"{data._name} changed before it was taken"
    waits = valid.value == 1 and ready.value == 0
    return str(data.value) if waits else None


def pauses(chance: random.Random, probability: float):
    """Yield whether to pause, cycle by cycle."""
    while True:
        yield chance.random() < probability
