"""Exports of TensorFlow by tf2onnx: an LSTM becomes a node, a GRU a Loop that is written out."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_cases import imported_outputs

from ernn.errors import ModelFileError
from ernn.importers.onnx.network import from_onnx

EXPORTS = Path(__file__).parents[1] / "exports"
TOLD = json.loads((EXPORTS / "tf2onnx.json").read_text())


@pytest.mark.parametrize("name, cell", [("lstm", "lstm"), ("gru", "gru_after")])
def test_exports_of_tf2onnx_are_what_tensorflow_says(name, cell):
    network = from_onnx(EXPORTS / f"tf2onnx_{name}.onnx")
    assert network.model.layers[0].cell == cell
    assert not network.outside and not network.host
    assert max(one.value for one in network.differences) <= 1e-5
    made = imported_outputs(network, np.array(TOLD["frames"]))
    assert made == pytest.approx(np.array(TOLD[name]), abs=1e-5)


def test_a_loop_that_was_written_out_is_told():
    told = str(from_onnx(EXPORTS / "tf2onnx_gru.onnx"))
    assert "was written out: 6 rounds" in told


def changed(tmp_path, change):
    """Return the file of the GRU with its loop changed."""
    model = onnx.load(EXPORTS / "tf2onnx_gru.onnx")
    (loop,) = (node for node in model.graph.node if node.op_type == "Loop")
    change(model.graph, loop, loop.attribute[0].g)
    path = tmp_path / "changed.onnx"
    onnx.save(model, path)
    return path


def steps_of_the_data(graph, loop, body):
    """Let the input say how often the loop runs."""
    graph.input.append(helper.make_tensor_value_info("steps", TensorProto.INT64, []))
    loop.input[0] = "steps"


def going_by_the_data(graph, loop, body):
    """Let what was computed say whether the loop goes on."""
    state, going = body.output[2].name, body.output[0].name
    more = [
        helper.make_node("ReduceMax", [state], ["largest"], keepdims=0),
        helper.make_node("Less", ["largest", "high"], ["by_data"]),
        helper.make_node("And", [going, "by_data"], ["both"]),
    ]
    body.node.extend(more)
    body.initializer.append(numpy_helper.from_array(np.array(9, np.float32), "high"))
    body.output[0].name = "both"


def never(graph, loop, body):
    """Let the loop not run at all."""
    graph.initializer.append(numpy_helper.from_array(np.array(0, np.int64), "none"))
    loop.input[0] = "none"


@pytest.mark.parametrize("change", [steps_of_the_data, going_by_the_data, never])
def test_a_loop_whose_rounds_are_not_known_is_refused(change, tmp_path):
    with pytest.raises(ModelFileError, match=r"Loop .* repeats a graph.*a fixed number of steps"):
        from_onnx(changed(tmp_path, change))


def test_a_body_that_is_not_the_same_in_every_round_is_refused(tmp_path):
    def later_steps_are_louder(graph, loop, body):
        counter, state = body.input[0].name, body.output[-1].name
        body.node.append(helper.make_node("Cast", [counter], ["number"], to=TensorProto.FLOAT))
        body.node.append(helper.make_node("Mul", [state, "number"], ["louder"]))
        body.output[-1].name = "louder"
        body.output[2].name = "louder"

    with pytest.raises(ModelFileError):
        from_onnx(changed(tmp_path, later_steps_are_louder))
