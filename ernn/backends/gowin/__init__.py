"""Gowin GW2A: Yosys, nextpnr and gowin_pack (Project Apicula)."""

from ernn.backends.backend import Backend
from ernn.backends.gowin.build import build_gowin
from ernn.backends.gowin.synthesis import CELLS, hierarchical
from ernn.backends.shell import OpenOptions

BACKEND = Backend(
    name="gowin",
    tools="Yosys, nextpnr and gowin_pack",
    options=OpenOptions,
    build=build_gowin,
    synthesis=hierarchical,
    cells=CELLS,
    netlist_cells="gowin_*.v",
)
