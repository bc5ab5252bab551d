"""Inputs and expected outputs of control and storage, cycle by cycle, for sim/clocked.py."""

import json
from pathlib import Path

import pytest
from conftest import ICARUS

from ernn.resources import folder as shipped
from ernn.run.testbench import run_testbench

LIB = shipped("hw_templates") / "lib"


class Vectors:
    """Inputs and expected outputs, a cycle at a time."""

    def __init__(self):
        self.inputs, self.outputs = {}, {}

    def cycle(self, inputs, outputs):
        for store, values in ((self.inputs, inputs), (self.outputs, outputs)):
            for port, value in values.items():
                store.setdefault(port, []).append(None if value is None else int(value))


def check(top, parameters, vectors, folder, simulator, sources=None, files=None):
    sources = sources or LIB
    path = Path(folder) / "vectors.json"
    path.write_text(json.dumps({"inputs": vectors.inputs, "outputs": vectors.outputs}))
    run_testbench(
        sorted(sources.glob("*.v")) if files is None else files,
        top,
        "clocked",
        folder,
        simulator=simulator,
        parameters=parameters,
        environment={"ERNN_VECTORS": str(path)},
    )


def verilog(*names):
    return [LIB / f"ernn_{name}.v" for name in names]


only_icarus = pytest.mark.parametrize("simulator", [ICARUS])
