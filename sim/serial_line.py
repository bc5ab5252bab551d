"""Testbench of a board shell: speaks to it over its serial line, bit by bit, and computes nothing.

``ERNN_VECTORS`` names a JSON file:

    bit_clocks: clock cycles of a bit
    steps: [kind, value], in order: "send" bytes (hex), "expect" bytes (hex), "gap" cycles of rest,
        "broken" a byte without a stop bit, "glitch" cycles of a low line, "reset" cycles of the
        button, "quiet" cycles in which nothing may come, "contains" bytes (hex) among all that
        come until nothing more does
    stretch: the sender's bits are so many per thousand longer
    quiet_cycles: time-out of a byte
"""

import json
import os
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.queue import Queue
from cocotb.triggers import ClockCycles, FallingEdge, SimTimeoutError, Timer, with_timeout

CLOCK_NS = 10


@cocotb.test()
async def answers_as_expected(dut):
    """Every expected byte comes, in order, and no other."""
    vectors = json.loads(Path(os.environ["ERNN_VECTORS"]).read_text())
    dut.reset_i.value = 0
    dut.rx_i.value = 1
    Clock(dut.clk_i, CLOCK_NS, unit="ns").start()
    await ClockCycles(dut.clk_i, 64)
    bit_ns = vectors["bit_clocks"] * CLOCK_NS
    line = Line(dut, bit_ns, bit_ns * (1 + vectors["stretch"] / 1000), vectors["quiet_cycles"])
    for kind, value in vectors["steps"]:
        await getattr(line, kind)(value)
    await line.quiet(20 * vectors["bit_clocks"])


class Line:
    """The other end of the line."""

    def __init__(self, dut, bit_ns: int, send_ns: float, quiet_cycles: int):
        self.dut, self.bit_ns, self.send_ns = dut, bit_ns, round(send_ns)
        self.quiet_cycles, self.received = quiet_cycles, Queue()
        self.place = 0  # of the next byte that is expected
        cocotb.start_soon(self.listen())

    async def listen(self) -> None:
        """Take bytes off the line for ever."""
        while True:
            await FallingEdge(self.dut.tx_o)
            await Timer(self.bit_ns // 2, unit="ns")
            assert self.dut.tx_o.value == 0, "a start bit shorter than half a bit"
            byte = 0
            for bit in range(8):
                await Timer(self.bit_ns, unit="ns")
                byte |= int(self.dut.tx_o.value) << bit
            await Timer(self.bit_ns, unit="ns")
            assert self.dut.tx_o.value == 1, "a byte without its stop bit"
            self.received.put_nowait(byte)

    async def send(self, data: str, stop: int = 1) -> None:
        """Send bytes."""
        for byte in bytes.fromhex(data):
            for bit in (0, *((byte >> place) & 1 for place in range(8)), stop):
                self.dut.rx_i.value = bit
                await Timer(self.send_ns, unit="ns")
        self.dut.rx_i.value = 1

    async def broken(self, data: str) -> None:
        """Send bytes without stop bits."""
        await self.send(data, stop=0)
        await Timer(self.send_ns, unit="ns")

    async def expect(self, data: str) -> None:
        """Wait for bytes."""
        for byte in bytes.fromhex(data):
            wait = self.received.get()
            found = await with_timeout(wait, self.quiet_cycles * CLOCK_NS, "ns")
            assert found == byte, f"byte {self.place}: {found:#04x}, expected {byte:#04x}"
            self.place += 1

    async def gap(self, cycles: int) -> None:
        """Rest."""
        await ClockCycles(self.dut.clk_i, cycles)

    async def quiet(self, cycles: int) -> None:
        """Rest, and see that nothing comes."""
        await ClockCycles(self.dut.clk_i, cycles)
        assert self.received.empty(), "a byte too many came"

    async def contains(self, data: str) -> None:
        """Take what comes until nothing more does; bytes have to be among it."""
        found = b""
        while True:
            try:
                wait = self.received.get()
                found += bytes([await with_timeout(wait, self.quiet_cycles * CLOCK_NS, "ns")])
            except SimTimeoutError:
                break
        assert bytes.fromhex(data) in found, f"{data} is not in {found.hex()}"

    async def glitch(self, cycles: int) -> None:
        """Pull the line low for less than half a bit."""
        self.dut.rx_i.value = 0
        await ClockCycles(self.dut.clk_i, cycles)
        self.dut.rx_i.value = 1

    async def reset(self, cycles: int) -> None:
        """Press the button."""
        self.dut.reset_i.value = 1
        await ClockCycles(self.dut.clk_i, cycles)
        self.dut.reset_i.value = 0
        await ClockCycles(self.dut.clk_i, 64)
        while not self.received.empty():
            self.received.get_nowait()
