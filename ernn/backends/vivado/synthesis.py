"""AMD's parts in Yosys: 7-series, whose cells stand in for those of UltraScale."""

from ernn.backends.netlist import BLOCK18, DSP, FF, FREE, LUT
from ernn.backends.yosys_commands import TOP, dissolve, keep_leaves
from ernn.hw.cost import Resources

_LUT_COSTS = "2:2,3,6:5,10,20"  # of 1 to 8 inputs, as synth_xilinx has them

CELLS = {
    **{f"LUT{inputs}": LUT for inputs in range(1, 7)},
    # A slice's LUT as memory or shift register: UG474, distributed RAM and shift registers
    "SRL16E": LUT,
    "SRLC32E": LUT,
    "RAM32M": Resources(lut=4),
    "RAM64M": Resources(lut=4),
    "RAM32X1S": LUT,
    "RAM64X1S": LUT,
    "RAM128X1S": Resources(lut=2),
    "RAM256X1S": Resources(lut=4),
    "RAM32X1D": Resources(lut=2),
    "RAM64X1D": Resources(lut=2),
    "RAM128X1D": Resources(lut=4),
    **dict.fromkeys(("FDRE", "FDSE", "FDCE", "FDPE", "LDCE", "LDPE"), FF),
    "DSP48E1": DSP,
    "RAMB18E1": BLOCK18,
    "RAMB36E1": Resources(bram36=1),
    **dict.fromkeys(("INV", "CARRY4", "MUXF7", "MUXF8", "GND", "VCC"), FREE),
}


def hierarchical() -> list[str]:
    """Return synth_xilinx, with abc for abc9: as small to 5 %, where abc9 takes minutes."""
    synth = f"synth_xilinx -family xc7 -noiopad -noclkbuf -top {TOP} -run"
    return [
        f"{synth} begin:prepare",
        *keep_leaves(),
        *dissolve("ernn_requant"),  # so that a DSP block's adder takes the rounding of its product
        f"{synth} prepare:map_luts",
        "opt_expr -mux_undef -noclkinv",
        f"abc -luts {_LUT_COSTS}",
        "clean",
        "xilinx_srl -fixed -minlen 3",
        "techmap -map +/xilinx/lut_map.v -map +/xilinx/cells_map.v -D LUT_WIDTH=6",
        "xilinx_dffopt",
        "opt_lut_ins -tech xilinx",
        f"{synth} finalize:",
    ]
