"""Lattice ECP5: Yosys, nextpnr and ecppack."""

from ernn.backends.backend import Backend
from ernn.backends.ecp5.build import Ecp5Options, build_ecp5
from ernn.backends.ecp5.registers import use_block_registers
from ernn.backends.ecp5.synthesis import CELLS, hierarchical
from ernn.backends.ecp5.timing import Ecp5

BACKEND = Backend(
    name="ecp5",
    tools="Yosys, nextpnr and ecppack",
    options=Ecp5Options,
    build=build_ecp5,
    synthesis=hierarchical,
    cells=CELLS,
    delays=Ecp5,
    registers=use_block_registers,
    netlist_cells="ecp5_*.v",
)
