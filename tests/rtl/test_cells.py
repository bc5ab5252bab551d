"""The cells of a flow's netlist (sim/cells) do what the Verilog did from which Yosys made them.

Everything that generated projects use is in one small circuit: multipliers that are signed, not
signed, in several pieces and between registers, block RAM of every width, LUT RAM, carry chains,
wide multiplexers, registers with enable, reset and set. Verilog and netlist run side by side.
"""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from vectors import Vectors, check, only_icarus

from ernn.backends.ecp5.registers import use_block_registers
from ernn.errors import ToolError
from ernn.resources import folder as shipped
from ernn.run.yosys import run_yosys

pytestmark = pytest.mark.needs("yosys")
CYCLES = 400
OTHER = {'SET"': 'RESET"', 'CLK0"': 'NONE"', 'OUTREG"': 'NOREG"'}
RAMS = [(36, 9), (18, 10), (9, 11), (4, 12), (2, 13), (1, 14), (7, 5)]  # bits, bits of address

PROBE = """
module probe (
  input clk_i, input rst_i, input we_i, input [13:0] waddr_i, input [13:0] raddr_i,
  input [35:0] data_i, input signed [23:0] a_i, input signed [23:0] b_i, output reg [274:0] out_o
);
  wire [35:0] r36; wire [17:0] r18; wire [8:0] r9; wire [3:0] r4; wire [1:0] r2; wire r1;
  wire [6:0] rl;
  ram #(36, 9, "block") u36 (clk_i, we_i, waddr_i[8:0], data_i, raddr_i[8:0], r36);
  ram #(18, 10, "block") u18 (clk_i, we_i, waddr_i[9:0], data_i[17:0], raddr_i[9:0], r18);
  ram #(9, 11, "block") u9 (clk_i, we_i, waddr_i[10:0], data_i[8:0], raddr_i[10:0], r9);
  ram #(4, 12, "block") u4 (clk_i, we_i, waddr_i[11:0], data_i[3:0], raddr_i[11:0], r4);
  ram #(2, 13, "block") u2 (clk_i, we_i, waddr_i[12:0], data_i[1:0], raddr_i[12:0], r2);
  ram #(1, 14, "block") u1 (clk_i, we_i, waddr_i, data_i[0], raddr_i, r1);
  ram #(7, 5, "distributed") ul (clk_i, we_i, waddr_i[4:0], data_i[6:0], raddr_i[4:0], rl);

  wire signed [17:0] a = a_i[17:0], b = b_i[17:0];
  reg signed [35:0] both; reg [35:0] neither; reg signed [35:0] one; reg signed [47:0] pieces;
  reg signed [16:0] operand; reg signed [11:0] weight; reg signed [28:0] product;
  reg signed [28:0] sum;
  reg [30:0] count; reg [7:0] chosen; reg [11:0] kept;
  wire [7:0] choice = b_i[7:0] >> 1;
  always @(posedge clk_i) begin
    both <= a * b;
    neither <= a_i[17:0] * b_i[17:0];
    one <= a * $signed({1'b0, b_i[16:0]});
    pieces <= a_i * b_i;
    operand <= a[16:0];
    weight <= b[11:0];
    product <= operand * weight;
    sum <= product + {28'd0, we_i};
    count <= count + {a_i[6:0], a_i} - {7'd0, b_i};
    if (we_i)
      chosen <= {a_i[b_i[3:0]], data_i[choice[4:0]], a_i < b_i, a_i == b_i, ^data_i, choice[2:0]};
    if (a_i[0]) kept <= kept ^ data_i[11:0];
    if (rst_i) begin count <= 31'd7; chosen <= 8'h5a; kept <= 12'hf0f; end
    out_o <= {r36, r18, r9, r4, r2, r1, rl, both, neither[35:30], one[35:20], pieces[47:8], count,
              chosen, kept, sum[28:10]};
  end
endmodule

module ram #(parameter W = 8, parameter A = 3, parameter STYLE = "block") (
  input clk, input we, input [A-1:0] wa, input [W-1:0] wd, input [A-1:0] ra, output reg [W-1:0] rd
);
  (* ram_style = STYLE, no_rw_check = 1 *) reg [W-1:0] mem [0:(1<<A)-1];
  localparam [31:0] TENS = 48 + A / 10, ONES = 48 + A % 10;
  initial $readmemh({"ram", TENS[7:0], ONES[7:0], ".mem"}, mem);
  always @(posedge clk) begin
    if (we) mem[wa] <= wd;
    rd <= mem[ra];
  end
endmodule
"""

TOP = """
module top (
  input clk_i, input rst_i, input we_i, input [13:0] waddr_i, input [13:0] raddr_i,
  input [35:0] data_i, input [23:0] a_i, input [23:0] b_i, output equal_o
);
  wire [274:0] meant, found;
  probe u_meant (clk_i, rst_i, we_i, waddr_i, raddr_i, data_i, a_i, b_i, meant);
  netlist u_found (
    .clk_i(clk_i), .rst_i(rst_i), .we_i(we_i), .waddr_i(waddr_i), .raddr_i(raddr_i),
    .data_i(data_i), .a_i(a_i), .b_i(b_i), .out_o(found)
  );
  assign equal_o = meant === found;
endmodule
"""


@dataclass(frozen=True)
class Flow:
    """How a flow synthesizes, and the cells that it has to make of the circuit."""

    synth: str
    models: str  # of sim/cells
    cells: frozenset[str]
    # One bit of a table, a word of a memory, what a register is reset to: a pattern of the netlist,
    # whose second group is a digit, and its bits that are turned; 0: a word in place of another
    faults: dict[str, tuple[str, int]]
    improve: Callable[[Path], None] | None = None  # of the netlist, which it finds as JSON


FLOWS = {
    "ecp5": Flow(
        "synth_ecp5 -nobram",
        "ecp5_*.v",
        frozenset("LUT4 PFUMX L6MUX21 CCU2C TRELLIS_FF TRELLIS_DPR16X4 DP16KD MULT18X18D".split()),
        {
            "LUT4": (r"(LUT4 #\(\s+\.INIT\(16'h\w\w\w)(\w)", 15),
            "CCU2C": (r"(CCU2C #\(\s+\.INIT0\(16'h)(\w)", 15),
            "DP16KD": (r"(INITVAL_00\(320'h\w{79})(\w)", 1),
            "TRELLIS_DPR16X4": (r"(INITVAL\(64'h\w{15})(\w)", 1),
            "TRELLIS_FF": (r"(\.REGSET\(\")(SET\")", 0),
        },
    ),
    "ecp5, block registers": Flow(
        "synth_ecp5 -nobram",
        "ecp5_*.v",
        frozenset("DP16KD MULT18X18D".split()),
        {
            name: (rf"({name}\(\")({used}\")", 0)
            for name, used in [
                ("REG_INPUTA_CLK", "CLK0"),
                ("REG_OUTPUT_CLK", "CLK0"),
                ("REGMODE_B", "OUTREG"),
            ]
        },
        use_block_registers,
    ),
    "gowin": Flow(
        "synth_gowin -family gw2a -nobram -noiopads",
        "gowin_*.v",
        frozenset(
            "LUT2 LUT3 LUT4 MUX2_LUT5 MUX2_LUT6 ALU DFF DFFR DFFSE RAM16SDP4 DPB DPX9B SDPX9B "
            "MULT18X18 MULT36X36".split()
        ),
        {
            "LUT4": (r"(LUT4 #\(\s+\.INIT\(16'h\w\w\w)(\w)", 15),
            "SDPX9B": (r"(SDPX9B #\((?:(?!INIT_RAM_00).)*INIT_RAM_00\(288'h\w{71})(\w)", 1),
            "DPB": (r"(DPB #\((?:(?!INIT_RAM_00).)*INIT_RAM_00\(256'h\w{63})(\w)", 1),
            "RAM16SDP4": (r"(RAM16SDP4 #\((?:(?!INIT_0).)*INIT_0\(16'h\w{3})(\w)", 1),
        },
    ),
}


def synthesized(flow, folder):
    """Write the circuit and its netlist, and what runs both."""
    (folder / "probe.v").write_text(PROBE)
    (folder / "top.v").write_text(TOP)
    rng = np.random.default_rng(6)
    for bits, address in RAMS:
        words = rng.integers(2**bits, size=2**address)
        text = "\n".join(f"{word:x}" for word in words) + "\n"
        (folder / f"ram{address:02}.mem").write_text(text)
    commands = ["read_verilog -defer probe.v", f"{flow.synth} -top probe", "rename probe netlist"]
    run_yosys([*commands, "write_json netlist.json"], folder, folder / "cells.ys")
    if flow.improve:
        flow.improve(folder / "netlist.json")
    commands = ["read_json netlist.json", "write_verilog -noattr netlist.v"]
    run_yosys(commands, folder, folder / "netlist.ys")
    return folder


@pytest.fixture(scope="module")
def probes(tmp_path_factory):
    """The circuit, its netlist and what runs both, of a flow."""
    return cache(lambda name: synthesized(FLOWS[name], tmp_path_factory.mktemp("probe")))


def vectors():
    rng, v = np.random.default_rng(5), Vectors()
    corners = [0, 1, -1, 2**17 - 1, -(2**17), 2**23 - 1, -(2**23)]
    for cycle in range(CYCLES):
        a, b = (
            int(rng.choice(corners) if rng.random() < 0.3 else rng.integers(-(2**23), 2**23))
            for _ in "ab"
        )
        write, read = (int(rng.integers(64)) * 251 % 2**14 for _ in "wr")
        inputs = {
            "rst_i": cycle < 2 or cycle % 40 == 39,
            "we_i": rng.random() < 0.5,
            "waddr_i": write,
        }
        inputs["raddr_i"] = read if read != write else (read + 1) % 2**14
        inputs |= {"data_i": int(rng.integers(2**36)), "a_i": a % 2**24, "b_i": b % 2**24}
        v.cycle(inputs, {"equal_o": 1 if cycle > 5 else None})
    return v


def simulate(flow, folder, simulator, netlist="netlist.v", at=None):
    if at is not None:
        for file in folder.glob("ram*.mem"):
            shutil.copy(file, at)
    models = sorted((shipped("sim") / "cells").glob(flow.models))
    files = [folder / "probe.v", folder / netlist, folder / "top.v", *models]
    check("top", {}, vectors(), at or folder, simulator, files=files)


@only_icarus
@pytest.mark.parametrize("name", FLOWS)
def test_the_netlist_does_what_the_verilog_does(simulator, probes, name):
    netlist = (probes(name) / "netlist.v").read_text()
    used = set(re.findall(r"^  (\w+) #?\(?", netlist, re.MULTILINE))
    assert used >= FLOWS[name].cells
    simulate(FLOWS[name], probes(name), simulator)


@only_icarus
@pytest.mark.parametrize(
    ("name", "cell"), [(name, cell) for name, flow in FLOWS.items() for cell in flow.faults]
)
def test_a_wrong_bit_in_a_cell_is_found(simulator, probes, tmp_path, name, cell):
    pattern, flip = FLOWS[name].faults[cell]
    text = (probes(name) / "netlist.v").read_text()

    def turned(found):
        return found[1] + (f"{int(found[2], 16) ^ flip:x}" if flip else OTHER[found[2]])

    bad = re.sub(pattern, turned, text, count=1, flags=re.DOTALL)
    assert bad != text
    (probes(name) / "bad.v").write_text(bad)
    with pytest.raises(ToolError, match=r"equal_o is 0|is not modelled"):
        simulate(FLOWS[name], probes(name), simulator, "bad.v", tmp_path)
