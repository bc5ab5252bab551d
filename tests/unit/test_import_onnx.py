"""ONNX files: every case of ONNX's own, exports of torch and Keras, streams, parts on the host."""

import numpy as np
import pytest
from onnx_cases import IMPORTED, OnnxCase, onnx_cases

from ernn.errors import ModelFileError
from ernn.importers.onnx_network import from_onnx
from ernn.quant.float_model import run_float


def ours(network, frames):
    """Return the outputs (T, n) of the float model for frames (T, F), the last step if so used."""
    model = network.model
    name = "logits" if model.output is not None else f"layer{len(model.layers) - 1}.h"
    made = run_float(model, np.asarray(frames, np.float64)[None], "dense", {name})[name][0]
    return made[-1:] if network.last else made


@pytest.mark.parametrize("case", onnx_cases(), ids=lambda case: case.name)
def test_cases_of_onnx(case: OnnxCase, tmp_path):
    path = tmp_path / "case.onnx"
    path.write_bytes(case.model)
    if case.expected != IMPORTED:
        with pytest.raises(ModelFileError, match=case.expected):
            from_onnx(path)
        return
    network = from_onnx(path)
    for frames, wanted in zip(case.sequences, case.outputs, strict=True):
        assert ours(network, frames) == pytest.approx(wanted, abs=1e-5)
