"""ECP5 in Yosys: its cells, and how it is synthesized to be counted and to be routed."""

from ernn.backends.netlist import BLOCK18, DSP, FF, FREE, LUT
from ernn.backends.yosys_commands import TOP, keep_leaves
from ernn.hw.cost import Resources

CELLS = {
    "LUT4": LUT,
    "CCU2C": Resources(lut=2),  # two LUTs with the carry between them
    "TRELLIS_DPR16X4": Resources(lut=4),  # FPGA-TN-02204: a slice pair; two more LUTs write
    "TRELLIS_FF": FF,
    "MULT18X18D": DSP,
    "DP16KD": BLOCK18,
    **dict.fromkeys(("PFUMX", "L6MUX21", "GND", "VCC", "GSR", "PUR"), FREE),
}


def hierarchical() -> list[str]:
    """Return synth_ecp5, with abc for abc9; only what the plan puts into block RAM goes there."""
    synth = f"synth_ecp5 -noflatten -nobram -top {TOP} -run"
    return [
        f"{synth} begin:coarse",
        *keep_leaves(),
        f"{synth} coarse:map_luts",
        "abc -lut 4:7 -dress",
        "clean",
        f"{synth} map_cells:",
    ]


def flat() -> list[str]:
    """Return synth_ecp5 as a router wants it: flat, mapped by abc9, which knows delays."""
    synth = f"synth_ecp5 -nobram -top {TOP} -run"  # block RAM only where the plan says
    return [f"{synth} begin:coarse", *keep_leaves(), f"{synth} coarse:"]
