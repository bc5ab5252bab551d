"""ONNX's own cases in float and in integers, and the table of them in the documents."""

from dataclasses import replace

import numpy as np
import pytest
from onnx_cases import EXPECTED, IMPORTED, OnnxCase, imported_cases, imported_outputs, onnx_cases
from pages import ROOT

from ernn.errors import ModelFileError
from ernn.importers.onnx.network import from_onnx
from ernn.quant.quantize import quantize
from ernn.recipe import QuantizationRecipe

BOUNDS = [  # of the largest error of an output, in integers
    (QuantizationRecipe(), 2e-2),
    (
        QuantizationRecipe(
            weight_bits=16, activation_bits=16, state_bits=18, activation_error=1e-4
        ),
        2e-3,
    ),
]


@pytest.mark.parametrize("case", onnx_cases(), ids=lambda case: case.name)
def test_in_float(case: OnnxCase, tmp_path):
    path = tmp_path / "case.onnx"
    path.write_bytes(case.model)
    if case.expected != IMPORTED:
        with pytest.raises(ModelFileError, match=case.expected):
            from_onnx(path)
        return
    network = from_onnx(path)
    for frames, wanted in zip(case.sequences, case.outputs, strict=True):
        assert imported_outputs(network, frames) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("case", imported_cases(), ids=lambda case: case.name)
def test_in_integers(case: OnnxCase, tmp_path):
    path = tmp_path / "case.onnx"
    path.write_bytes(case.model)
    network = replace(from_onnx(path), last=False)
    rng = np.random.default_rng(0)
    more = [rng.standard_normal((16, network.model.features)) for _ in range(8)]
    largest = []
    for settings, bound in BOUNDS:
        model, found = quantize(network.model, settings, [*case.sequences, *more]), 0.0
        for frames in [*case.sequences, *more]:
            made = model.run(frames[None]).to_float("layer0.h")[0]
            wanted = imported_outputs(network, frames)
            found = max(found, float(np.abs(made[:, : wanted.shape[1]] - wanted).max()))
        assert found < bound
        largest.append(found)
    assert largest[1] <= largest[0] / 10


def test_the_table_in_the_documents():
    page = (ROOT / "docs" / "import.md").read_text()
    for name, expected in EXPECTED.items():
        told = "imported" if expected == IMPORTED else f"refused: `{expected}`"
        assert f"| `{name}` | {told} |" in page
