"""Random graphs with operations that ernn has not: host, accelerator and host are the original."""

import numpy as np
import onnx
import onnxruntime
from hypothesis import example, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx_cases import imported_outputs

from ernn.importers.onnx.network import from_onnx

KINDS = ("GRU", "Linear", "Relu", "Abs", "Scale", "Turn", "Skip", "Softmax")


def run(model: bytes, feeds):
    onnx.checker.check_model(onnx.load_model_from_string(model))
    session = onnxruntime.InferenceSession(model)
    names = [one.name for one in session.get_outputs()]
    wanted = [one.name for one in session.get_inputs()]
    made = session.run(names, {name: feeds[name] for name in wanted})
    return dict(zip(names, made, strict=True))


@st.composite
def graphs(draw):
    """Draw operations, one at least a layer, and which tensors leave besides the last."""
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=8))
    kinds.insert(draw(st.integers(0, len(kinds))), "GRU")
    taps = draw(st.lists(st.integers(0, len(kinds) - 1), max_size=2, unique=True))
    return kinds, taps, draw(st.booleans()), draw(st.integers(0, 999))


def written(kinds, taps, free, rng):
    """Return a model whose values are (1, T, 4) between operations, or (1, 4, T) when turned."""
    nodes, weights, here, turned, made = [], {}, "x", False, []

    def constant(array):
        weights[f"w{len(weights)}"] = array
        return f"w{len(weights) - 1}"

    def drawn(*shape):
        return constant((rng.standard_normal(shape) / 2).astype("f4"))

    def add(kind, *inputs, **attributes):
        nodes.append(helper.make_node(kind, list(inputs), [f"t{len(nodes)}"], **attributes))
        return nodes[-1].output[0]

    def turn(name):
        return add("Transpose", name, perm=[0, 2, 1])

    for kind in kinds:
        if turned and kind in ("GRU", "Linear", "Scale"):
            here, turned = turn(here), False
        if kind == "GRU":
            x = add("Transpose", here, perm=[1, 0, 2])
            nodes.append(
                helper.make_node(
                    "GRU",
                    [x, drawn(1, 12, 4), drawn(1, 12, 4)],
                    [f"t{len(nodes)}"],
                    hidden_size=4,
                )
            )
            y = add("Squeeze", nodes[-1].output[0], constant(np.array([1])))
            here = add("Transpose", y, perm=[1, 0, 2])
        elif kind == "Linear":
            here = add("Add", add("MatMul", here, drawn(4, 4)), drawn(4))
        elif kind == "Scale":
            here = add("Mul", here, drawn(4))
        elif kind == "Turn":
            here, turned = turn(here), not turned
        elif kind == "Skip":
            other, otherwise = made[rng.integers(len(made))] if made else ("x", False)
            here = add("Mul", here, other if turned == otherwise else turn(other))
        else:
            here = add(kind, here)
        made.append((here, turned))
    outputs = dict.fromkeys([made[tap][0] for tap in taps] + [here])
    steps = "T" if free else 6
    info = [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, steps, 4))]
    results = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None] * 3) for n in outputs]
    held = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "net", info, results, held)
    opsets = [helper.make_opsetid("", 13)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


@settings(max_examples=60, deadline=None)
@example((["GRU", "Turn", "Relu"], [], False, 0))
@given(graphs())
def test_host_accelerator_and_host(tmp_path_factory, drawn):
    kinds, taps, free, seed = drawn
    rng = np.random.default_rng(seed)
    model = written(kinds, taps, free, rng)
    path = tmp_path_factory.mktemp("net") / "net.onnx"
    path.write_bytes(model)
    network = from_onnx(path)
    tensors = {"x": rng.standard_normal((1, 9 if free else 6, 4)).astype("f4")}
    wanted = run(model, tensors)
    if "before.onnx" in network.host:
        tensors |= run(network.host["before.onnx"], tensors)
    entering = tensors[network.entering]
    made = imported_outputs(network, entering.reshape(-1, 4)).astype("f4")
    shapes = {(1, len(made), 4), (len(made), 1, 4)}
    if "after.onnx" in network.host:
        after = onnx.load_model_from_string(network.host["after.onnx"])
        (info,) = [one for one in after.graph.input if one.name == network.leaving]
        sizes = [one.dim_value or len(made) for one in info.type.tensor_type.shape.dim]
        tensors[network.leaving] = made.reshape(sizes)
        tensors |= run(network.host["after.onnx"], tensors)
    else:
        (shape,) = shapes & {wanted[network.leaving].shape}
        tensors[network.leaving] = made.reshape(shape)
    for name, values in wanted.items():
        assert np.abs(tensors[name] - values).max() < 1e-5 * max(1, np.abs(values).max())
