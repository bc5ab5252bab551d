"""ONNX's own cases as hardware: what is imported is simulated, equal to its integer model."""

import numpy as np
import pytest
from accelerators import Accelerator
from conftest import ICARUS
from onnx_cases import OnnxCase, imported_cases

from ernn.hdl.project import write_project
from ernn.hw.build import Target, build_plan
from ernn.hw.layout import Sizes
from ernn.importers.onnx.network import from_onnx
from ernn.quant.quantize import quantize
from ernn.recipe import QuantizationRecipe


@pytest.mark.parametrize("simulator", [ICARUS])
@pytest.mark.parametrize("case", imported_cases(), ids=lambda case: case.name)
def test_cases_of_onnx(case: OnnxCase, simulator, folder):
    path = folder / "case.onnx"
    path.write_bytes(case.model)
    network = from_onnx(path)
    rng = np.random.default_rng(0)
    more = [rng.standard_normal((4, network.model.features)) for _ in range(4)]
    model = quantize(network.model, QuantizationRecipe(), [*case.sequences, *more])
    plan = build_plan(model, Sizes(1, 1, 1, 1), Target("case", "xc7a35t", 100.0, 2))
    write_project(plan, model, folder / "project")
    ran = Accelerator(plan, model, folder).simulate([case.sequences, more[:1]], simulator)
    assert ran.frames == sum(map(len, case.sequences)) + len(more[0])


@pytest.mark.parametrize("simulator", [ICARUS])
def test_sixteen_bits_and_the_finest_activations(simulator, folder):
    case = next(one for one in imported_cases() if one.name == "test_lstm_with_peepholes")
    path = folder / "case.onnx"
    path.write_bytes(case.model)
    network = from_onnx(path)
    rng = np.random.default_rng(0)
    frames = [rng.standard_normal((4, network.model.features)) for _ in range(4)]
    settings = QuantizationRecipe(
        weight_bits=16, activation_bits=16, state_bits=18, activation_error=1e-4
    )
    model = quantize(network.model, settings, frames)
    plan = build_plan(model, Sizes(1, 1, 1, 1), Target("case", "xc7a35t", 100.0, 2))
    write_project(plan, model, folder / "project")
    assert Accelerator(plan, model, folder).simulate([frames[:1], frames[1:2]], simulator).frames
