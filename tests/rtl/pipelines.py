"""Put fixed-latency modules side by side in one simulation and compare every output word."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np

from ernn.fixed import QFormat
from ernn.hdl.render import pe_array_verilog
from ernn.resources import folder as shipped
from ernn.run.testbench import run_testbench

LIBRARY = shipped("hw_templates") / "lib"
TOP = "ernn_pipelines"
_PRINTED = TemporaryDirectory()

Words = tuple[int, np.ndarray]  # width in bits, raw integers


@dataclass(frozen=True)
class Case:
    """One instance: words for its inputs, and what the golden model makes of them."""

    module: str
    inputs: dict[str, Words]
    outputs: dict[str, Words]
    latency_cycles: int
    parameters: dict[str, int] = field(default_factory=dict)
    clocked: bool = True


def compare(cases: Sequence[Case], sources: Sequence[Path], folder: Path, simulator: str) -> None:
    """Simulate all cases at once; a wrong bit or a wrong latency raises ToolError."""
    folder.mkdir(parents=True, exist_ok=True)
    top, vectors = folder / f"{TOP}.v", folder / "vectors.json"
    text, content = _gather(cases)
    top.write_text(text)
    vectors.write_text(json.dumps(content))
    environment = {"ERNN_VECTORS": str(vectors)}
    run_testbench(
        [top, *sources], TOP, "pipeline", folder, simulator=simulator, environment=environment
    )


def library(*names: str) -> list[Path]:
    """Return files of hw_templates/lib: ``library("requant")``; and of ``pe_array``, as printed."""
    return [pe_array() if name == "pe_array" else LIBRARY / f"ernn_{name}.v" for name in names]


@cache
def pe_array() -> Path:
    """Print ernn_pe_array as it is where weights are stored thrice."""
    path = Path(_PRINTED.name) / "ernn_pe_array.v"
    path.write_text(pe_array_verilog(SimpleNamespace(once_bits=0)))
    return path


def mutate(path: Path, before: str, after: str, folder: Path) -> Path:
    """Return a copy of a source with a planted bug."""
    text = path.read_text()
    assert before in text, f"{path.name} has no {before!r} to mutate"
    mutant = folder / path.name
    mutant.write_text(text.replace(before, after))
    return mutant


def draw(rng: np.random.Generator, count: int, *formats: QFormat) -> list[np.ndarray]:
    """Return one array of raw words per format: combinations of corners, then random words."""
    columns = []
    for form in formats:
        half = form.max_raw // 2
        corners = [form.min_raw, form.min_raw + 1, form.max_raw, 0, 1, -1, half, half + 1, -half]
        mixed = rng.choice(corners, count // 2)
        mixed[: len(corners)] = corners  # at the same time in every column
        small = rng.integers(form.min_raw, form.max_raw + 1, count // 2) >> rng.integers(
            0, form.width - 1, count // 2
        )
        columns.append(np.concatenate([mixed, small]))
    return columns


def _gather(cases: Sequence[Case]) -> tuple[str, dict]:
    """Return the top module with an instance per case, and the content of its vector file."""
    length = max(len(raw) for case in cases for _, raw in case.inputs.values())
    inputs, outputs, instances = [0] * length, [], []
    in_width = out_width = 0
    for number, case in enumerate(cases):
        ports = [".clk_i(clk_i)"] if case.clocked else []
        for port, (width, raw) in case.inputs.items():
            ports.append(f".{port}(in_i[{in_width} +: {width}])")
            for index, word in enumerate(_unsigned(width, raw)):
                inputs[index] |= word << in_width
            in_width += width
        for port, (width, raw) in case.outputs.items():
            ports.append(f".{port}(out_o[{out_width} +: {width}])")
            outputs.append(
                {
                    "name": f"{case.module} {number} {case.parameters} {port}",
                    "low": out_width,
                    "width": width,
                    "latency_cycles": case.latency_cycles,
                    "words": _unsigned(width, raw),
                }
            )
            out_width += width
        parameters = ", ".join(f".{name}({value})" for name, value in case.parameters.items())
        override = f" #({parameters})" if parameters else ""
        instances.append(f"  {case.module}{override} u_{number} ({', '.join(ports)});")
    text = [
        f"module {TOP} (",
        "  input  wire clk_i,",
        f"  input  wire [{in_width - 1}:0] in_i,",
        f"  output wire [{out_width - 1}:0] out_o",
        ");",
        *instances,
        "endmodule\n",
    ]
    return "\n".join(text), {"inputs": inputs, "outputs": outputs}


def _unsigned(width: int, raw: np.ndarray) -> list[int]:
    """Return two's complement words as the non-negative integers of the same bits."""
    return [int(value) & (1 << width) - 1 for value in raw]
