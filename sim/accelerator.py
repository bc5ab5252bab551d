"""Testbench of a whole accelerator: sends packets, receives packets, and computes nothing.

``ERNN_VECTORS`` names a file of lines, each a name and its values:

    packet STREAM FRESH WORD...: one to send, in hex; in this order
    expected COUNT: how many packets must come back
    mode: "saturated": packets back to back; "single": each when the one before is answered
    gap_cycles: from the last beat of an output packet to the next input packet, in mode "single"
    idle, stall: probability of a cycle without a beat at the input, without ready at the output
    seed: of idle and stall
    reset_cycle: when to reset and to send everything again; not there: never
    reset_cycles: how long a reset is
    hold FIRST COUNT: cycles without ready at the output; not there: none
    begin: "tuser": TUSER tells the begin of an utterance; "register": a write to state_reset does
    state_reset: that register's address
    write ADDRESS VALUE: a register, before the first packet
    read NAME ADDRESS: a register, behind the last packet
    quiet_cycles: time-out, cycles without a packet

``ERNN_RESULTS`` names the file to write: {packets: [[stream, words in hex]], registers: {name:
value}}. sim/accelerator.cpp does the same without Python.
"""

import json
import logging
import os
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, First, RisingEdge, with_timeout
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)

CLOCK_NS = 10
SOON = 1000 * CLOCK_NS, "ns"  # time-out of a register access
SEND_CYCLES = 2  # from handing a packet to the source until its first beat can be taken


@cocotb.test()
async def answers_every_packet(dut):
    """As many packets as expected come out, each within the time-out, and no output is unknown."""
    traffic = read_traffic(Path(os.environ["ERNN_VECTORS"]))
    results = Path(os.environ["ERNN_RESULTS"])
    logging.getLogger("cocotb").setLevel(logging.WARNING)  # a line per packet otherwise
    dut.rst_i.value = 1
    Clock(dut.clk_i, CLOCK_NS, unit="ns").start()
    testbench = Testbench(dut, traffic)
    await testbench.reset()
    if traffic["reset_cycle"] is not None:
        sending = cocotb.start_soon(testbench.exchange())
        await First(sending, ClockCycles(dut.clk_i, traffic["reset_cycle"]))
        sending.cancel()
        await testbench.reset()
    packets = await testbench.exchange()
    registers = {name: await testbench.read(at) for name, at in traffic["reads"]}
    assert not int(dut.unknown_o.value), "an output was unknown: an x without a reset"
    results.write_text(json.dumps({"packets": packets, "registers": registers}))


def read_traffic(path: Path) -> dict:
    """Return values by name; packets, writes and reads are lists."""
    traffic = {"reset_cycle": None, "hold": None, "packets": [], "writes": [], "reads": []}
    with path.open() as lines:
        for name, *values in map(str.split, lines):
            if name == "packet":
                stream, fresh, *words = values
                words = [int(word, 16) for word in words]
                traffic["packets"].append((int(stream), fresh == "1", words))
            elif name == "write":
                traffic["writes"].append([int(value) for value in values])
            elif name == "read":
                traffic["reads"].append((values[0], int(values[1])))
            elif name == "hold":
                traffic[name] = [int(value) for value in values]
            else:
                kind = {"mode": str, "begin": str, "idle": float, "stall": float}.get(name, int)
                traffic[name] = kind(values[0])
    return traffic


class Testbench:
    """A source and a sink around the design."""

    def __init__(self, dut, traffic: dict):
        self.dut, self.traffic = dut, traffic
        self.master = None  # of the registers; it takes time in every cycle
        for name in ("awvalid", "wvalid", "bready", "arvalid", "rready"):
            getattr(dut, f"s_axil_{name}").value = 0
        ends = {"clock": dut.clk_i, "reset": dut.rst_i, "byte_lanes": 1}
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), **ends)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), **ends)
        if traffic["idle"]:
            self.source.set_pause_generator(pauses(2 * traffic["seed"], traffic["idle"]))
        if traffic["stall"]:
            self.sink.set_pause_generator(pauses(2 * traffic["seed"] + 1, traffic["stall"]))

    async def reset(self) -> None:
        """Forget everything, on both sides."""
        self.dut.rst_i.value = 1
        await ClockCycles(self.dut.clk_i, self.traffic["reset_cycles"])
        self.source.clear()
        self.sink.clear()
        self.open = 0  # packets sent and not answered
        self.dut.rst_i.value = 0
        await RisingEdge(self.dut.clk_i)

    async def exchange(self) -> list:
        """Send all packets; return [stream, words] of those that come back."""
        for address, value in self.traffic["writes"]:
            await self.write(address, value)
        if self.traffic["hold"]:
            cocotb.start_soon(self.hold(*self.traffic["hold"]))
        if self.traffic["mode"] == "single":
            received = []
            for packet in self.traffic["packets"]:
                await self.send(packet)
                received.append(await self.receive())
                await ClockCycles(self.dut.clk_i, self.traffic["gap_cycles"] - SEND_CYCLES)
        else:
            sending = cocotb.start_soon(self.send_all())
            received = [await self.receive() for _ in range(self.traffic["expected"])]
            await sending
        await ClockCycles(self.dut.clk_i, self.traffic["gap_cycles"])
        assert self.sink.empty() and self.sink.idle(), "a packet too many came back"
        return received

    async def send_all(self) -> None:
        """Put all packets into the source's queue."""
        for packet in self.traffic["packets"]:
            await self.send(packet)

    async def send(self, packet: list) -> None:
        """Put a packet into the source's queue, as soon as its begin is told."""
        stream, fresh, words = packet
        if fresh and self.traffic["begin"] == "register":
            fresh = False
            while self.open:  # a packet that waits at the input would be the next one
                await RisingEdge(self.dut.clk_i)
            await self.write(self.traffic["state_reset"], 1 << stream)
        self.open += 1
        self.source.send_nowait(AxiStreamFrame(words, tid=stream, tuser=int(fresh)))

    async def write(self, address: int, value: int) -> None:
        """Write a register."""
        await with_timeout(self.registers.write(address, value.to_bytes(4, "little")), *SOON)

    async def read(self, address: int) -> int:
        """Read a register."""
        found = await with_timeout(self.registers.read(address, 4), *SOON)
        return int.from_bytes(found.data, "little")

    @property
    def registers(self) -> AxiLiteMaster:
        """What drives the AXI4-Lite port, from its first use on."""
        if self.master is None:
            bus = AxiLiteBus.from_prefix(self.dut, "s_axil")
            self.master = AxiLiteMaster(bus, self.dut.clk_i, self.dut.rst_i)
        return self.master

    async def receive(self) -> list:
        """Wait for the next packet."""
        quiet = self.traffic["quiet_cycles"] * CLOCK_NS
        frame = await with_timeout(self.sink.recv(), quiet, "ns")
        self.open -= 1
        return [frame.tid, [f"{word:x}" for word in frame.tdata]]

    async def hold(self, first: int, count: int) -> None:
        """Refuse output for a while."""
        await ClockCycles(self.dut.clk_i, first)
        self.sink.pause = True
        await ClockCycles(self.dut.clk_i, count)
        self.sink.pause = False


def pauses(seed: int, probability: float):
    """Yield whether to pause, cycle by cycle: Knuth's generator, two lines in any language."""
    while True:
        seed = (seed * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        yield seed >> 32 < int(probability * (1 << 32))
