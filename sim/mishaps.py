"""Testbench of an accelerator to which things happen: works through a script, computes nothing.

``ERNN_VECTORS`` names a JSON file:

    steps: done in order behind a reset of one cycle; a step is one of
        ["beats", [[tdata, tlast, tid, tuser], ...]]: each is offered until it is taken
        ["offer", [tdata, tlast, tid, tuser], cycles]: its answer is whether it was taken
        ["write", address, value]: its answer is the response
        ["read", address]: its answer is [response, data]
        ["take", packets]: its answer is [[tid, words], ...]
        ["hold", 0 or 1]: whether the output is refused
        ["reset", cycles], ["wait", cycles]
    results: file to write: the answers, in order
"""

import json
import logging
import os
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, ReadOnly, RisingEdge, with_timeout
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiStreamBus, AxiStreamSink

SOON = 5000, "ns"  # 500 cycles: time-out of a step


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def works_through_the_script(dut):
    """Every step ends within the time-out, and no output is unknown."""
    vectors = json.loads(Path(os.environ["ERNN_VECTORS"]).read_text())
    logging.getLogger("cocotb").setLevel(logging.WARNING)
    dut.rst_i.value = 1
    dut.s_axis_tvalid.value = 0
    Clock(dut.clk_i, 10, unit="ns").start()
    await RisingEdge(dut.clk_i)  # a reset of one cycle is enough
    testbench = Testbench(dut)
    dut.rst_i.value = 0
    answers = []
    for number, (kind, *values) in enumerate(vectors["steps"]):
        try:
            answer = await with_timeout(cocotb.start_soon(getattr(testbench, kind)(*values)), *SOON)
        except cocotb.triggers.SimTimeoutError:
            raise AssertionError(f"step {number} does not end: {kind} {values}") from None
        if answer is not None:
            answers.append(answer)
    assert not int(dut.unknown_o.value), "an output was unknown: an x without a reset"
    Path(vectors["results"]).write_text(json.dumps(answers))


class Testbench:
    """The ends of the streams and of the registers."""

    def __init__(self, dut):
        self.dut = dut
        self.master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk_i, dut.rst_i)
        bus = AxiStreamBus.from_prefix(dut, "m_axis")
        self.sink = AxiStreamSink(bus, dut.clk_i, dut.rst_i, byte_lanes=1)

    async def offer(self, beat: list, cycles: int) -> bool:
        for name, value in zip(("tdata", "tlast", "tid", "tuser"), beat, strict=True):
            getattr(self.dut, f"s_axis_{name}").value = value
        self.dut.s_axis_tvalid.value = 1
        taken = False
        while cycles and not taken:
            await ReadOnly()
            taken = bool(self.dut.s_axis_tready.value)
            await RisingEdge(self.dut.clk_i)
            cycles -= 1
        self.dut.s_axis_tvalid.value = 0
        return taken

    async def beats(self, beats: list) -> None:
        for beat in beats:
            assert await self.offer(beat, 400), f"a beat is not taken: {beat}"

    async def write(self, address: int, value: int) -> str:
        return (await self.master.write(address, value.to_bytes(4, "little"))).resp.name

    async def read(self, address: int) -> list:
        found = await self.master.read(address, 4)
        return [found.resp.name, int.from_bytes(found.data, "little")]

    async def take(self, packets: int) -> list:
        frames = [await self.sink.recv() for _ in range(packets)]
        return [[frame.tid, list(frame.tdata)] for frame in frames]

    async def hold(self, refused: int) -> None:
        self.sink.pause = bool(refused)

    async def reset(self, cycles: int) -> None:
        self.dut.rst_i.value = 1
        self.sink.clear()
        await ClockCycles(self.dut.clk_i, cycles)
        self.dut.rst_i.value = 0

    async def wait(self, cycles: int) -> None:
        await ClockCycles(self.dut.clk_i, cycles)
