"""Yosys reads every leaf module, infers no latch, and no multiplier in a transform."""

import subprocess
import sys
from pathlib import Path

import pytest
from lanes import CIRCUITS, FORMATS
from test_lanes import lanes_of

from ernn.cells import CELLS
from ernn.graphs.fourier import forward, inverse
from ernn.hdl.datapath import activation, transform
from ernn.tools import require

pytestmark = pytest.mark.needs("yosys")

PYOSYS = "import sys; from pyosys import libyosys as ys; ys.run_pass(sys.argv[1], ys.Design())"


def synthesize(files: list[Path], top: str, *checks: str) -> None:
    """Elaborate a design; fail on anything that is no circuit."""
    script = [
        f"read_verilog {' '.join(map(str, files))}",
        f"hierarchy -check -top {top}",
        "proc",
        "flatten",
        "opt",
        "check -assert",
        "select -assert-none t:$dlatch t:$_DLATCH_*",
        *checks,
    ]
    tool = require("yosys")
    if tool.origin == "system":
        command = [str(tool.path), "-q", "-p", "; ".join(script)]
    else:
        command = [sys.executable, "-c", PYOSYS, "; ".join(script)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout[-2000:] + told.stderr[-2000:]


@pytest.mark.parametrize("cell", CELLS)
def test_lane(cell, tmp_path):
    for lane in lanes_of(CELLS[cell], FORMATS[0]):
        synthesize([*lane.write(tmp_path), *CIRCUITS], lane.module)


@pytest.mark.parametrize("kind", [forward, inverse])
def test_transform(kind, tmp_path):
    file = tmp_path / "net.v"
    file.write_text(transform(kind(8, 12), 12, 18, "net"))
    synthesize([file], "net", "select -assert-none t:$mul")


def test_activation(tmp_path):
    file = tmp_path / "ernn_tanh.v"
    file.write_text(activation(FORMATS[0].tanh))
    synthesize([file], "ernn_tanh", "select -assert-count 1 t:$mul")
