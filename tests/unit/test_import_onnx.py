"""ONNX files: random networks, and what each attribute and input of a node asks for."""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from ernn.errors import MismatchError, ModelFileError
from ernn.importers.onnx import links
from ernn.importers.onnx import recurrent as nodes
from ernn.importers.onnx.network import from_onnx

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def value(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def saved(path, nodes, inputs, outputs, weights, opset=17):
    """Write a model; inputs and outputs are shapes by name, weights arrays by name."""
    graph = helper.make_graph(
        nodes,
        "net",
        [value(*one) for one in inputs.items()],
        [value(*one) for one in outputs.items()],
        [numpy_helper.from_array(np.asarray(w), name) for name, w in weights.items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def recurrent(path, kind, attributes=None, steps=4, features=3, hidden=5, extra=None, dtype="f4"):
    """Write one recurrent node of random weights; extra: arrays of its other inputs."""
    rng = np.random.default_rng(3)
    rows = GATES[kind] * hidden
    weights = {
        "W": rng.standard_normal((1, rows, features)).astype(dtype),
        "R": 0.3 * rng.standard_normal((1, rows, hidden)).astype(dtype),
        "B": rng.standard_normal((1, 2 * rows)).astype(dtype),
        **(extra or {}),
    }
    order = ("W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
    names = ["X", *(name if name in weights else "" for name in order)]
    while not names[-1]:
        names.pop()
    attributes = {"hidden_size": hidden, **(attributes or {})}
    node = helper.make_node(kind, names, ["Y"], name="layer", **attributes)
    shapes = {"X": (steps, 1, features)}, {"Y": (steps, 1, 1, hidden)}
    return saved(path, [node], *shapes, weights)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.onnx"


REFUSED = [
    ("LSTM", {"clip": 1.5}, None, "clip = 1.5"),
    ("LSTM", {"input_forget": 1}, None, "input_forget"),
    ("LSTM", {"activations": ["Sigmoid", "Relu", "Tanh"]}, None, r"\[Sigmoid, Relu, Tanh\]"),
    ("GRU", {"activations": ["HardSigmoid", "Tanh"]}, None, r"\[HardSigmoid, Tanh\]"),
    ("RNN", {"activations": ["Affine"], "activation_alpha": [2.0]}, None, "activation_alpha"),
    ("GRU", {"activations": ["Sigmoid", "Tanh"], "activation_beta": [2.0]}, None, "_beta"),
    ("RNN", {"direction": "reverse"}, None, "direction = reverse"),
    ("LSTM", {}, {"initial_h": np.ones((1, 1, 5), "f4")}, "initial_h"),
    ("LSTM", {}, {"initial_c": np.ones((1, 1, 5), "f4")}, "initial_c"),
    ("LSTM", {"hidden_size": 4}, None, "hidden_size = 4"),
    ("GRU", {}, {"sequence_lens": np.array([2], "i4")}, r"sequence_lens is \[2\]"),
]


@pytest.mark.parametrize(("kind", "attributes", "extra", "named"), REFUSED)
def test_what_is_not_built_is_named(kind, attributes, extra, named, path):
    with pytest.raises(ModelFileError, match=named):
        from_onnx(recurrent(path, kind, attributes, extra=extra))


HONOURED = [
    ("LSTM", {"activations": ["Sigmoid", "Sigmoid", "Tanh"]}, {}),
    ("LSTM", {}, {"P": np.linspace(-1, 1, 15, dtype="f4")[None]}),
    ("LSTM", {}, {"initial_h": np.zeros((1, 1, 5), "f4"), "initial_c": np.zeros((1, 1, 5), "f4")}),
    ("GRU", {"linear_before_reset": 1}, {}),
    ("GRU", {"linear_before_reset": 0}, {"sequence_lens": np.array([4], "i4")}),
    ("RNN", {"activations": ["Relu"]}, {}),
    ("RNN", {"direction": "forward", "layout": 0}, {}),
    ("RNN", {"activations": ["Relu"], "layout": 1}, {}),
]


@pytest.mark.parametrize(("kind", "attributes", "extra"), HONOURED)
def test_what_is_built_equals_onnxruntime(kind, attributes, extra, path):
    network = from_onnx(recurrent(path, kind, attributes, extra=extra))
    assert network.differences[0].value < 1e-5
    assert not network.outside
    assert not network.host


@pytest.mark.parametrize("dtype", ["f2", "f8"])
def test_weights_of_other_precisions_are_read_as_they_are(dtype, path):
    """onnxruntime has no such LSTM; onnx.reference takes its place."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    recurrent(path, "LSTM", dtype=dtype)
    model = onnx.load(path)
    for one in (*model.graph.input, *model.graph.output):
        one.type.tensor_type.elem_type = kind
    onnx.save(model, path)
    network = from_onnx(path, tolerance=5e-3 if dtype == "f2" else 1e-5)
    stored = numpy_helper.to_array(model.graph.initializer[0])[0]
    assert set(network.model.layers[0].matrices["input"].generators.ravel()) == set(
        stored.astype(float).ravel()
    )


def test_a_gru_from_torch_that_resets_before_the_product_is_doubted(path):
    recurrent(path, "GRU")
    assert not from_onnx(path).notes
    model = onnx.load(path)
    model.producer_name = "pytorch"
    onnx.save(model, path)
    (note,) = from_onnx(path).notes
    assert "2852" in note


def test_a_wrong_order_of_gates_is_found(path, monkeypatch):
    recurrent(path, "LSTM")
    monkeypatch.setitem(nodes.ONNX, "lstm", "ifog")
    with pytest.raises(MismatchError, match="differs from the source's own runtime"):
        from_onnx(path)


@st.composite
def networks(draw):
    """Draw layers: kind, size, and what carries the values to the next one."""
    kinds = st.sampled_from(["LSTM", "GRU", "RNN", "Linear", "Relu", "Scale"])
    layers = draw(st.lists(st.tuples(kinds, st.integers(1, 6)), min_size=1, max_size=5))
    layers.insert(draw(st.integers(0, len(layers))), ("GRU", draw(st.integers(1, 6))))
    seed, last = draw(st.integers(0, 2**16)), draw(st.booleans())
    return layers, draw(st.integers(1, 5)), seed, last, draw(st.booleans())


@settings(max_examples=40, deadline=None)
@given(networks())
def test_random_networks(tmp_path_factory, network):
    layers, features, seed, last, free = network
    rng = np.random.default_rng(seed)
    nodes, weights, here, size = [], {}, "x", features

    def add(kind, *more, out=None, **attributes):
        nonlocal here
        out = out or f"t{len(nodes)}"
        names = []
        for index, array in enumerate(more):
            names.append(f"w{len(nodes)}_{index}")
            weights[names[-1]] = array
        nodes.append(helper.make_node(kind, [here, *names], [out], **attributes))
        here = out

    def drawn(*shape):
        return (rng.standard_normal(shape) / np.sqrt(shape[-1])).astype("f4")

    add("Transpose", perm=[1, 0, 2])  # (T, B, F) inside, (B, T, F) outside
    for kind, outputs in layers:
        if kind in GATES:
            rows = GATES[kind] * outputs
            after = {"linear_before_reset": int(rng.integers(2))} if kind == "GRU" else {}
            weighted = drawn(1, rows, size), drawn(1, rows, outputs), drawn(1, 2 * rows)
            add(kind, *weighted, hidden_size=outputs, **after)
            add("Squeeze", np.array([1]))
            size = outputs
        elif kind == "Linear":
            add("MatMul", drawn(size, outputs))
            add("Add", drawn(outputs))
            size = outputs
        elif kind == "Scale":
            add("Mul", 1 + drawn(size))
            add("Sub", drawn(1, 1, size))
        else:
            add("Relu")
    if last:
        add("Gather", np.array(-1), axis=0, out="y")
    else:
        add("Transpose", perm=[1, 0, 2], out="y")
    steps = "T" if free else 7
    path = tmp_path_factory.mktemp("net") / "net.onnx"
    shape = (1, size) if last else (1, steps, size)
    read = from_onnx(saved(path, nodes, {"x": (1, steps, features)}, {"y": shape}, weights))
    assert not read.outside
    assert (read.entering, read.leaving, read.last) == ("x", "y", last)
    assert all(one.value <= 1e-5 * one.scale for one in read.differences)


def test_equal_origins_mean_equal_values(path, monkeypatch):
    """A transposed sequence is not taken for the sequence itself."""
    rng = np.random.default_rng(0)
    weights = {
        "W": rng.standard_normal((1, 12, 4)).astype("f4"),
        "R": rng.standard_normal((1, 12, 4)).astype("f4"),
        "K": rng.standard_normal((4, 4)).astype("f4"),
        "axes": np.array([0, 1]),
    }
    nodes = [
        helper.make_node("GRU", ["x", "W", "R"], ["Y"], hidden_size=4),
        helper.make_node("Transpose", ["Y"], ["turned"], perm=[1, 2, 3, 0]),
        helper.make_node("MatMul", ["turned", "K"], ["mixed"]),
    ]
    shapes = {"x": (4, 1, 4)}, {"mixed": (1, 1, 4, 4)}
    network = from_onnx(saved(path, nodes, *shapes, weights))
    assert [one.operation for one in network.outside] == ["mixed (MatMul)"]
    monkeypatch.setattr(links, "same", lambda one, other: one.shape == other.shape)
    with pytest.raises(MismatchError):
        from_onnx(path)
