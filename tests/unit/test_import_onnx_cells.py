"""Cells that were taken apart, in the many ways of exporters: steps of a stream, or unrolled."""

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx_cases import imported_outputs

from ernn.errors import ModelFileError
from ernn.importers.onnx.network import from_onnx


class Writer:
    """Writes a graph, a line per operation."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.weights, self.inputs, self.outputs = [], {}, {}, {}

    def __call__(self, kind, *inputs, count=1, **attributes):
        names = [f"t{len(self.nodes)}_{index}" for index in range(count)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if count == 1 else names

    def constant(self, array):
        name = f"w{len(self.weights)}"
        self.weights[name] = np.asarray(array)
        return name

    def drawn(self, *shape):
        values = self.rng.standard_normal(shape) / np.sqrt(shape[0])
        return self.constant(values.astype("f4"))

    def save(self, path):
        info = [
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in which.items()]
            for which in (self.inputs, self.outputs)
        ]
        held = [numpy_helper.from_array(array, name) for name, array in self.weights.items()]
        graph = helper.make_graph(self.nodes, "net", *info, held)
        opsets = [helper.make_opsetid("", 13)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)


class Cell:
    """A cell with weights, written step after step; every choice is an exporter's."""

    def __init__(self, write, kind, features, hidden, joined, order):
        self.write, self.kind, self.size, self.joined = write, kind, hidden, joined
        gates = {"lstm": 4, "rnn": 1}.get(kind, 2)
        self.order, rows = order, gates * hidden
        if joined:
            self.both = write.drawn(features + hidden, rows)
        else:
            self.w, self.r = write.drawn(features, rows), write.drawn(hidden, rows)
        self.b = write.drawn(rows)
        if kind.startswith("gru"):
            self.wn, self.rn = write.drawn(features, hidden), write.drawn(hidden, hidden)
            self.bn, self.inner = write.drawn(hidden), write.drawn(hidden)
        self.peepholes = [write.drawn(hidden) for _ in range(3)]
        self.one = write.constant(np.ones(1, "f4"))

    def gates(self, x, h):
        write = self.write
        if self.joined:
            made = write("MatMul", write("Concat", x, h, axis=-1), self.both)
        else:
            made = write("Add", write("MatMul", h, self.r), write("MatMul", x, self.w))
        return write("Add", self.b, made) if self.order % 2 else write("Add", made, self.b)

    def step(self, x, h, c):
        write, made = self.write, self.gates(x, h)
        if self.kind == "rnn":
            return write("Tanh", made), c
        if self.kind.startswith("lstm"):
            return self.lstm(write("Split", made, count=4, axis=-1), c)
        z, r = write("Split", write("Sigmoid", made), count=2, axis=-1)
        new = write("Add", write("MatMul", x, self.wn), self.bn)
        if self.kind == "gru_after":
            inner = write("Add", write("MatMul", h, self.rn), self.inner)
            new = write("Add", new, write("Mul", inner, r))
        else:
            new = write("Add", write("MatMul", write("Mul", r, h), self.rn), new)
        n = write("Tanh", new)
        keep, take = (h, n) if self.order % 3 else (n, h)
        if self.order % 2:
            turned = write("Sub", self.one, z)
            return write("Add", write("Mul", turned, take), write("Mul", z, keep)), c
        return write("Add", take, write("Mul", z, write("Sub", keep, take))), c

    def lstm(self, parts, c):
        write, peeped = self.write, self.order % 2
        i, f, g, o = np.roll(parts, self.order).tolist()
        if peeped:
            i = write("Add", i, write("Mul", c, self.peepholes[0]))
            f = write("Add", write("Mul", self.peepholes[1], c), f)
        kept = write("Mul", write("Sigmoid", f), c)
        c = write("Add", write("Mul", write("Tanh", g), write("Sigmoid", i)), kept)
        if peeped:
            o = write("Add", o, write("Mul", c, self.peepholes[2]))
        return write("Mul", write("Tanh", c), write("Sigmoid", o)), c


KINDS = ("lstm", "gru_after", "gru_before", "rnn")
cells = st.tuples(st.sampled_from(KINDS), st.integers(1, 5), st.booleans(), st.integers(0, 5))


@settings(max_examples=60, deadline=None)
@given(st.lists(cells, min_size=1, max_size=2), st.integers(1, 5), st.integers(0, 999))
def test_a_stream(tmp_path_factory, layers, features, seed):
    path = tmp_path_factory.mktemp("net") / "net.onnx"
    write = Writer(seed)
    write.inputs["x"], here, states = (1, features), "x", {}
    for index, (kind, hidden, joined, order) in enumerate(layers):
        cell = Cell(write, kind, features, hidden, joined, order)
        names = (f"h{index}", f"c{index}") if kind == "lstm" else (f"h{index}", "")
        after = cell.step(here, *names)
        for name, now in zip(names, after, strict=True):
            if name:
                write.inputs[name] = (1, hidden)
                write.nodes.append(helper.make_node("Identity", [now], [f"{name}_next"]))
                states[name] = f"{name}_next"
        here, features = after[0], hidden
    write.nodes.append(helper.make_node("MatMul", [here, write.drawn(features, 2)], ["y"]))
    write.outputs = {"y": (1, 2)} | {states[name]: write.inputs[name] for name in states}
    write.save(path)
    network = from_onnx(path)
    assert [layer.cell for layer in network.model.layers] == [kind for kind, *_ in layers]
    assert not network.outside
    frames = np.random.default_rng(seed).standard_normal((7, write.inputs["x"][1])).astype("f4")
    session = onnxruntime.InferenceSession(path)
    held = {name: np.zeros(write.inputs[name], "f4") for name in states}
    for frame, ours in zip(frames, imported_outputs(network, frames), strict=True):
        made = session.run(None, {"x": frame[None], **held})
        now = dict(zip(write.outputs, made, strict=True))
        held = {name: now[after] for name, after in states.items()}
        assert ours == pytest.approx(now["y"][0], abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.lists(cells, min_size=1, max_size=2), st.integers(1, 5), st.integers(0, 999))
def test_unrolled(tmp_path_factory, layers, features, seed):
    path = tmp_path_factory.mktemp("net") / "net.onnx"
    write, steps = Writer(seed), 4
    write.inputs["x"] = (1, steps, features)
    axis = write.constant(np.array([1]))
    parts = write("Split", "x", count=steps, axis=1)
    sequence = [write("Squeeze", part, axis) for part in parts]
    for kind, hidden, joined, order in layers:
        cell = Cell(write, kind, features, hidden, joined, order)
        h = c = write.constant(np.zeros((1, hidden), "f4"))
        made = []
        for x in sequence:
            h, c = cell.step(x, h, c)
            made.append(h)
        sequence, features = made, hidden
    stacked = [write("Unsqueeze", h, axis) for h in sequence]
    write.nodes.append(helper.make_node("Concat", stacked, ["y"], axis=1))
    write.outputs["y"] = (1, steps, features)
    write.save(path)
    network = from_onnx(path)
    assert [layer.cell for layer in network.model.layers] == [kind for kind, *_ in layers]
    assert not network.outside
    assert network.differences[0].value < 1e-5


def test_other_weights_in_one_step_are_no_layer(tmp_path):
    write = Writer(0)
    write.inputs["x"] = (1, 3, 2)
    axis = write.constant(np.array([1]))
    parts = write("Split", "x", count=3, axis=1)
    h = write.constant(np.zeros((1, 2), "f4"))
    one, other = (Cell(write, "rnn", 2, 2, False, 0) for _ in range(2))
    for part, cell in zip(parts, (one, one, other), strict=True):
        h, _ = cell.step(write("Squeeze", part, axis), h, "")
    write.nodes.append(helper.make_node("Identity", [h], ["y"]))
    write.outputs["y"] = (1, 2)
    write.save(tmp_path / "net.onnx")
    with pytest.raises(ModelFileError):
        from_onnx(tmp_path / "net.onnx")
