"""Lanes of cell units as cases of a simulation: formats, activation circuits, expected words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from pipelines import Case, compare, draw, library

from ernn.fixed import QFormat
from ernn.graphs.activation import Piecewise, design
from ernn.graphs.cell import Cell, Options, Region
from ernn.hdl.datapath import activation
from ernn.hdl.render import lane_verilog
from ernn.hw.lane_plan import LanePlan, lane_plan
from ernn.quant.operations import IntegerOperations

Change = Callable[[LanePlan], LanePlan]

CIRCUITS = library("multiply", "dot2", "lerp", "move", "requant", "delay")


@dataclass(frozen=True)
class LaneFormats:
    """What a lane needs to know of a model."""

    name: str  # prefix of this set's modules, so that several fit into one simulation
    row: QFormat
    gate: QFormat
    state: QFormat
    vector: QFormat
    peephole: QFormat
    error: float

    @cached_property
    def sigmoid(self) -> Piecewise:
        return design("sigmoid", self.row, self.gate, self.error)

    @cached_property
    def tanh(self) -> Piecewise:
        return design("tanh", self.row, self.gate, self.error)

    @property
    def by_name(self) -> Mapping[str, QFormat]:
        names = ("row", "gate", "state", "vector", "peephole")
        return {name: getattr(self, name) for name in names}


def formats(name: str, error: float, *texts: str) -> LaneFormats:
    """Return a set of formats: row, gate, state, vector and peephole as text."""
    return LaneFormats(name, *map(QFormat.parse, texts), error)


# The usual widths; narrow ones; wide ones with a state as fine as the gates.
FORMATS = [
    formats("usual", 1e-3, "Q3.12", "Q0.15", "Q3.12", "Q0.11", "Q0.11"),
    formats("narrow", 4e-3, "Q4.7", "Q0.11", "Q4.4", "Q0.7", "Q2.5"),
    formats("wide", 2e-4, "Q5.12", "Q0.17", "Q0.17", "Q0.13", "Q-1.14"),
    formats("unlike", 1e-3, "Q3.10", "Q0.15", "Q1.17", "Q2.9", "Q0.11"),
]


@dataclass(frozen=True)
class Lane:
    """A lane of one cell's region, with one set of formats."""

    form: LaneFormats
    cell: Cell
    options: Options
    region: Region

    @property
    def module(self) -> str:
        """Its name, unlike any other lane's."""
        options = self.options
        more = "_peepholes" * options.peepholes + "_projected" * options.projection
        return f"{self.form.name}_lane_{self.region.unit}_{options.cell_activation}{more}"

    @property
    def names(self) -> Mapping[str, str]:
        """Format names of its values."""
        return self.cell.formats(self.options)

    @property
    def plan(self) -> LanePlan:
        return lane_plan(self.region, self.names, self.form.by_name)

    @property
    def case(self) -> Case:
        """Words for its inputs, and what the integer model's operations make of them."""
        forms = {name: self.form.by_name[to] for name, to in self.names.items()}
        rng = np.random.default_rng(len(self.module))
        drawn = draw(rng, 300, *(forms[name] for name in self.region.reads))
        values = dict(zip(self.region.reads, drawn, strict=True))
        IntegerOperations(self.form, forms).run(self.region.nodes, values)
        return Case(
            self.module,
            inputs={f"{name}_i": (forms[name].width, values[name]) for name in self.region.reads},
            outputs={f"{name}_o": (forms[name].width, values[name]) for name in self.region.writes},
            latency_cycles=self.plan.cycles,
        )

    def text(self, changed: Change | None = None) -> str:
        """Return its Verilog, perhaps of a plan with a planted bug."""
        plan = changed(self.plan) if changed else self.plan
        text = lane_verilog(self.module, self.region.unit, "A test.", plan)
        return self._renamed(text)

    def _renamed(self, text: str) -> str:
        for function in ("sigmoid", "tanh"):
            text = text.replace(f"ernn_{function}", f"{self.form.name}_{function}")
        return text

    def write(
        self, folder: Path, changed: Change | None = None, edited: tuple[str, str] = ("", "")
    ) -> list[Path]:
        """Write its Verilog and that of its activations, their names those of its formats."""
        folder.mkdir(parents=True, exist_ok=True)
        texts = {self.module: self.text(changed).replace(*edited)}
        for piecewise in (self.form.sigmoid, self.form.tanh):
            texts[f"{self.form.name}_{piecewise.name}"] = self._renamed(activation(piecewise))
        for name, text in texts.items():
            (folder / f"{name}.v").write_text(text)
        return [folder / f"{name}.v" for name in texts]


def compare_lanes(
    lanes: Sequence[Lane],
    folder: Path,
    simulator: str,
    changed: Change | None = None,
    edited: tuple[str, str] = ("", ""),
) -> None:
    """Simulate lanes side by side; a wrong bit or a wrong latency raises ToolError."""
    files = dict.fromkeys(file for lane in lanes for file in lane.write(folder, changed, edited))
    compare([lane.case for lane in lanes], [*files, *CIRCUITS], folder, simulator)
