"""The circuits of ernn.hdl.datapath as Verilog, in the simulators, against the golden models."""

import re

import numpy as np
import pytest
from lanes import FORMATS
from pipelines import Case, compare

from ernn.errors import ToolError
from ernn.graphs.fourier import Transform, forward, inverse
from ernn.hdl.datapath import activation, transform
from ernn.hw.latency import ACTIVATION_CYCLES
from ernn.run.testbench import lint

SIZES = [2, 4, 8, 16]
TRANSFORMS = {f"ernn_fft_k{k}": forward(k, 12) for k in SIZES}
TRANSFORMS |= {f"ernn_ifft_k{k}": inverse(k, 12) for k in SIZES}
IN_WIDTH, OUT_WIDTH = 12, 18
PIECEWISE = {"ernn_sigmoid": FORMATS[0].sigmoid, "ernn_tanh": FORMATS[0].tanh}


def write(folder):
    """Write all circuits and return their files."""
    texts = {name: transform(net, IN_WIDTH, OUT_WIDTH, name) for name, net in TRANSFORMS.items()}
    texts |= {name: activation(piecewise) for name, piecewise in PIECEWISE.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.v").write_text(text)
    return [folder / f"{name}.v" for name in texts]


def flat(values: np.ndarray, width: int) -> np.ndarray:
    """Return rows of words as (wide) integers, word 0 in the low bits."""
    masked = (values & (1 << width) - 1).astype(object)
    return (masked << (width * np.arange(values.shape[-1]))).sum(-1)


def transform_case(name: str, graph: Transform) -> Case:
    half = 1 << (IN_WIDTH - 1)
    rng = np.random.default_rng(graph.size)
    values = rng.integers(-half, half, (300, graph.size))
    values[:100] = rng.choice([-half, half - 1], (100, graph.size))
    return Case(
        name,
        inputs={"in_i": (IN_WIDTH * graph.size, flat(values, IN_WIDTH))},
        outputs={"out_o": (OUT_WIDTH * graph.size, flat(graph.run(values), OUT_WIDTH))},
        latency_cycles=graph.latency_cycles,
    )


def activation_case(name: str, step: int) -> Case:
    piecewise = PIECEWISE[name]
    raw = np.arange(piecewise.row.max_raw, piecewise.row.min_raw - 1, -step)
    return Case(
        name,
        inputs={"in_i": (piecewise.row.width, raw)},
        outputs={"out_o": (piecewise.gate.width, piecewise.run(raw))},
        latency_cycles=ACTIVATION_CYCLES,
    )


def test_transforms(simulator, folder):
    cases = [transform_case(name, graph) for name, graph in TRANSFORMS.items()]
    compare(cases, write(folder)[: len(TRANSFORMS)], folder, simulator)


def test_activations(simulator, folder):
    """Every input there is in Verilator, every fifth in Icarus."""
    cases = [activation_case(name, 1 if simulator == "verilator" else 5) for name in PIECEWISE]
    compare(cases, write(folder)[len(TRANSFORMS) :], folder, simulator)


MUTATIONS = [
    ("ernn_fft_k8", r"d2048\b", "d0"),  # a rotation that truncates
    ("ernn_fft_k8", r"\} - \{", "} + {"),  # a rotation to the other side
    ("ernn_fft_k16", r"stage8_word15_q <= .*;", "stage8_word15_q <= 0;"),
    ("ernn_ifft_k8", r"\{\{(\d+) \{out_bits\d+\}\}", r"{{\1 {1'b0}}"),  # no sign extension
    ("ernn_sigmoid", r"(line\[40\] = 2\d'h\w*)(\w);", r"\g<1>0;"),
    ("ernn_tanh", r"turned = \(negative_q3 \?", "turned = (negative_q2 ?"),
    ("ernn_tanh", r"size_q2 <= size_q1", "size_q2 <= in_i"),
]


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize(("name", "pattern", "bug"), MUTATIONS)
def test_a_planted_bug_is_found(name, pattern, bug, tmp_path):
    file = next(file for file in write(tmp_path) if file.stem == name)
    text, count = re.subn(pattern, bug, file.read_text(), count=1)
    assert count, f"{name} has no {pattern} to mutate"
    file.write_text(text)
    case = activation_case(name, 5) if name in PIECEWISE else transform_case(name, TRANSFORMS[name])
    with pytest.raises(ToolError, match="expected 0x"):
        compare([case], [file], tmp_path, "icarus")


@pytest.mark.needs("verilator")
def test_is_lint_clean(tmp_path):
    for file in write(tmp_path):
        lint([file], file.stem)
