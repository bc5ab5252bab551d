"""AMD's parts: counted by Yosys, placed and routed by Vivado."""

from ernn.backends.backend import Backend
from ernn.backends.vivado.build import VivadoOptions, build_vivado
from ernn.backends.vivado.synthesis import CELLS, hierarchical
from ernn.backends.vivado.timing import delays

BACKEND = Backend(
    name="vivado",
    tools="Vivado, where it is on PATH",
    options=VivadoOptions,
    build=build_vivado,
    synthesis=hierarchical,
    cells=CELLS,
    delays=delays,
)
