"""The ports of an accelerator: what templates declare and what a package tells of them."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from ernn.hdl.register_map import RegisterMap
from ernn.hw.plan import HardwarePlan

_IN: Literal["in"] = "in"
_OUT: Literal["out"] = "out"


class Port(NamedTuple):
    """A port of the top module."""

    name: str
    direction: Literal["in", "out"]
    width: int

    @property
    def range(self) -> str:
        """Verilog's range in front of the name, empty for one bit."""
        return f"[{self.width - 1}:0] " if self.width > 1 else ""


def stream_ports(plan: HardwarePlan) -> list[Port]:
    """Return the ports of AXI4-Stream: features in, outputs out."""
    data = plan.word * plan.element_bits
    return [
        Port("s_axis_tdata", _IN, data),
        Port("s_axis_tvalid", _IN, 1),
        Port("s_axis_tready", _OUT, 1),
        Port("s_axis_tlast", _IN, 1),
        Port("s_axis_tid", _IN, 8),
        Port("s_axis_tuser", _IN, 1),
        Port("m_axis_tdata", _OUT, data),
        Port("m_axis_tvalid", _OUT, 1),
        Port("m_axis_tready", _IN, 1),
        Port("m_axis_tlast", _OUT, 1),
        Port("m_axis_tid", _OUT, 8),
    ]


def register_ports(registers: RegisterMap) -> list[Port]:
    """Return the ports of AXI4-Lite, a channel after the other."""
    address = registers.address_bits
    return [
        *_channel("aw", _IN, [("addr", address), ("prot", 3)]),
        *_channel("w", _IN, [("data", 32), ("strb", 4)]),
        *_channel("b", _OUT, [("resp", 2)]),
        *_channel("ar", _IN, [("addr", address), ("prot", 3)]),
        *_channel("r", _OUT, [("data", 32), ("resp", 2)]),
    ]


def top_ports(plan: HardwarePlan, registers: RegisterMap) -> list[Port]:
    """Return every port of `ernn_top`, in order."""
    return [
        Port("clk_i", _IN, 1),
        Port("rst_i", _IN, 1),
        *stream_ports(plan),
        *register_ports(registers),
        Port("interrupt_o", _OUT, 1),
    ]


def _channel(
    name: str, direction: Literal["in", "out"], payload: Iterable[tuple[str, int]]
) -> list[Port]:
    back: Literal["in", "out"] = _OUT if direction == _IN else _IN
    return [
        *(Port(f"s_axil_{name}{part}", direction, width) for part, width in payload),
        Port(f"s_axil_{name}valid", direction, 1),
        Port(f"s_axil_{name}ready", back, 1),
    ]
