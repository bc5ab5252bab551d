"""GW2A in Yosys: its cells, and how it is synthesized to be counted and to be routed."""

from ernn.backends.netlist import BLOCK18, DSP, FF, FREE, LUT
from ernn.backends.yosys_commands import TOP, keep_leaves
from ernn.hw.cost import Resources

SYNTH = "synth_gowin -family gw2a"
_REGISTERS = [f"DFF{kind}{enable}" for kind in ("", "R", "S", "C", "P") for enable in ("", "E")]

CELLS = {
    **{f"LUT{inputs}": LUT for inputs in range(1, 5)},
    "ALU": LUT,  # a LUT with its carry
    **{f"RAM16SDP{bits}": Resources(lut=4) for bits in (1, 2, 4)},  # half a CLU, whatever is used
    **dict.fromkeys(_REGISTERS, FF),
    "MULT18X18": DSP,
    "MULT9X9": DSP,  # half of one, but none shares it
    "MULT36X36": Resources(dsp=4),
    **dict.fromkeys(("DPB", "DPX9B", "SDPB", "SDPX9B"), BLOCK18),
    **{f"MUX2_LUT{inputs}": FREE for inputs in range(5, 9)},
    **dict.fromkeys(("INV", "GND", "VCC"), FREE),
}


def hierarchical() -> list[str]:
    """Return synth_gowin, with abc for abc9; only what the plan puts into block RAM goes there."""
    synth = f"{SYNTH} -noflatten -nobram -noiopads -top {TOP} -run"
    return [
        f"{synth} begin:coarse",
        *keep_leaves(),
        f"{synth} coarse:map_luts",
        "abc -lut 4:8",
        "clean",
        f"{synth} map_cells:",
    ]


def flat() -> list[str]:
    """Return synth_gowin as a router wants it: flat, mapped by abc9, which knows delays."""
    synth = f"{SYNTH} -nobram -noiopads -top {TOP} -run"  # block RAM only where the plan says
    return [f"{synth} begin:coarse", *keep_leaves(), f"{synth} coarse:"]
