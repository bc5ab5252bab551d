"""Formats, activation units and sources that the tests of the cell lanes share."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from pipelines import Case, compare, library, mutate

from ernn.errors import ToolError
from ernn.fixed import QFormat
from ernn.hdl.datapath import activation
from ernn.hw.latency import ACTIVATION_CYCLES
from ernn.quant.activation import Piecewise, design
from ernn.run.bench import lint


@dataclass(frozen=True)
class LaneFormats:
    """What ernn.quant.cells needs to know of a model."""

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
    def parameters(self) -> dict[str, int]:
        """Every parameter that all lanes have."""
        return {
            "ROW_W": self.row.width,
            "GATE_W": self.gate.width,
            "STATE_W": self.state.width,
            "STATE_FRAC": self.state.frac_bits,
            "VECTOR_W": self.vector.width,
            "VECTOR_FRAC": self.vector.frac_bits,
            "ACT_CYCLES": ACTIVATION_CYCLES,
        }

    def module(self, name: str) -> str:
        """Return the name of one of this set's modules."""
        return f"{self.name}_{name}"

    def activations(self, folder: Path) -> list[Path]:
        """Write the activation units and return their files."""
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for function in (self.sigmoid, self.tanh):
            files.append(folder / f"ernn_{function.name}.v")
            files[-1].write_text(activation(function))
        return files


def formats(name: str, error: float, *texts: str) -> LaneFormats:
    """Return a set of formats: row, gate, state, vector and peephole as text."""
    return LaneFormats(name, *map(QFormat.parse, texts), error)


# The usual widths; narrow ones; wide ones with a state as fine as the gates.
LSTM_SETS = [
    formats("usual", 1e-3, "Q3.12", "Q0.15", "Q3.12", "Q0.11", "Q0.11"),
    formats("narrow", 4e-3, "Q4.7", "Q0.11", "Q4.7", "Q0.7", "Q2.5"),
    formats("wide", 2e-4, "Q5.12", "Q0.17", "Q0.17", "Q0.13", "Q-1.14"),
]
GRU_SETS = [
    formats("usual", 1e-3, "Q3.12", "Q0.15", "Q0.15", "Q0.11", "Q0.11"),
    formats("narrow", 4e-3, "Q4.7", "Q0.11", "Q0.9", "Q0.7", "Q0.11"),
    formats("wide", 2e-4, "Q5.12", "Q0.17", "Q0.17", "Q0.13", "Q0.11"),
]


def compare_lanes(
    cases: Sequence[Case],
    sets: Sequence[LaneFormats],
    files: Sequence[Path],
    folder: Path,
    simulator: str,
) -> None:
    """Simulate cases of several sets at once, each with its own copy of the modules."""
    sources = []
    for form in sets:
        for file in [*files, *form.activations(folder / form.name)]:
            copy = folder / form.name / file.name.replace("ernn", form.name)
            copy.write_text(file.read_text().replace("ernn_", f"{form.name}_"))
            sources.append(copy)
    compare(cases, sources, folder, simulator)


def expect_found(
    case: Case,
    form: LaneFormats,
    files: Sequence[Path],
    mutation: tuple[str, str, str],
    folder: Path,
) -> None:
    """Plant a bug in one file and see the bench find it."""
    name, before, after = mutation
    planted = [
        mutate(file, before, after, folder) if file in library(name) else file for file in files
    ]
    with pytest.raises(ToolError, match="expected 0x"):
        compare_lanes([case], [form], planted, folder, "icarus")


def lint_lane(
    name: str, case: Case, form: LaneFormats, files: Sequence[Path], folder: Path
) -> None:
    """Lint a lane with one set of parameters."""
    lint([*files, *form.activations(folder)], f"ernn_{name}", case.parameters)
