"""Exports of torch (both exporters) and Keras, frame by frame or whole, with parts on the host."""

import logging
import warnings

import numpy as np
import onnxruntime
import pytest
import torch
from missing import missing
from onnx_cases import imported_outputs
from torch import nn

from ernn.errors import ModelFileError
from ernn.importers.onnx.network import from_onnx

torch.set_num_threads(1)


class Net(nn.Module):
    """Layers that return a sequence and a state, and what stands behind."""

    def __init__(self, *layers, last=False):
        super().__init__()
        self.layers, self.last = nn.ModuleList(layers), last

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
            x = x[0] if isinstance(x, tuple) else x
        return x[:, -1] if self.last else x


class Loop(nn.Module):
    """A cell in a loop of Python."""

    def __init__(self, kind):
        super().__init__()
        self.cell, self.head = kind(5, 4), nn.Linear(4, 3)

    def forward(self, x):
        state, made = (torch.zeros(1, 4),) * 2, []
        for step in x.unbind(1):
            now = self.cell(step, state if isinstance(self.cell, nn.LSTMCell) else state[0])
            state = now if isinstance(now, tuple) else (now,)
            made.append(state[0])
        return self.head(torch.stack(made, 1))


class Stream(nn.Module):
    """One step of a cell; its state goes in and out, in one tensor or apart."""

    def __init__(self, kind, together):
        super().__init__()
        self.cell, self.head, self.together = kind(5, 4), nn.Linear(4, 3), together

    def forward(self, x, *state):
        if self.together:
            state = state[0].unbind(0)
        now = self.cell(x, state if isinstance(self.cell, nn.LSTMCell) else state[0])
        now = now if isinstance(now, tuple) else (now,)
        out = self.head(now[0])
        return (out, torch.stack(now)) if self.together else (out, *now)


def export(module, example, path, dynamo=False, **options):
    module.eval()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    more = {"external_data": False, "verbose": False} if dynamo else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, example, path, dynamo=dynamo, **more, **options)
    return path


def expected(module, frames):
    with torch.no_grad():
        return module(torch.tensor(frames, dtype=torch.float32)[None])[0].numpy()


MODULES = {
    "lstm": lambda: Net(nn.LSTM(5, 4, 2, batch_first=True), nn.Linear(4, 3)),
    "gru-last": lambda: Net(
        nn.Linear(5, 6), nn.ReLU(), nn.GRU(6, 4, batch_first=True), nn.Linear(4, 2), last=True
    ),
    "rnn-unrolled": lambda: Net(nn.RNN(5, 4, 2, batch_first=True, nonlinearity="relu")),
    "loop-lstm": lambda: Loop(nn.LSTMCell),
    "loop-gru": lambda: Loop(nn.GRUCell),
    "loop-rnn": lambda: Loop(nn.RNNCell),
}


@pytest.mark.parametrize("dynamo", [True, False])
@pytest.mark.parametrize("name", MODULES)
def test_exports_of_torch(name, dynamo, tmp_path):
    torch.manual_seed(1)
    module = MODULES[name]()
    path = export(module, (torch.randn(1, 6, 5),), tmp_path / "net.onnx", dynamo)
    network = from_onnx(path)
    assert not network.outside
    assert not network.host
    frames = np.random.default_rng(0).standard_normal((6, 5))
    wanted = np.atleast_2d(expected(module, frames))
    assert imported_outputs(network, frames) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("batch", ["free", "fixed"])
def test_several_sequences_at_a_time_are_taken_one_by_one(batch, tmp_path):
    module = Net(nn.GRU(5, 4, batch_first=True), nn.Linear(4, 3))
    axes = {0: "batch", 1: "time"} if batch == "free" else {1: "time"}
    names = {"input_names": ["x"], "dynamic_axes": {"x": axes}}
    path = export(module, (torch.randn(3, 6, 5),), tmp_path / "net.onnx", **names)
    frames = np.random.default_rng(0).standard_normal((9, 5))
    made = imported_outputs(from_onnx(path), frames)
    assert made == pytest.approx(expected(module, frames), abs=1e-5)


def test_a_batch_that_the_shapes_hold_is_refused(tmp_path):
    path = export(nn.LSTM(5, 4, 2), (torch.randn(6, 3, 5),), tmp_path / "net.onnx", dynamo=True)
    with pytest.raises(ModelFileError, match="exported for 3 sequences at a time"):
        from_onnx(path)


STREAMS = [(nn.LSTMCell, False), (nn.LSTMCell, True), (nn.GRUCell, False), (nn.RNNCell, False)]


@pytest.mark.parametrize("dynamo", [True, False])
@pytest.mark.parametrize(("kind", "together"), STREAMS)
def test_states_that_are_inputs_and_outputs(kind, together, dynamo, tmp_path):
    torch.manual_seed(2)
    module = Stream(kind, together)
    count = 2 if kind is nn.LSTMCell else 1
    state = [torch.zeros(2, 1, 4)] if together else [torch.zeros(1, 4) for _ in range(count)]
    path = export(module, (torch.randn(1, 5), *state), tmp_path / "net.onnx", dynamo)
    network = from_onnx(path)
    frames, wanted = np.random.default_rng(0).standard_normal((9, 5)), []
    for frame in frames:
        with torch.no_grad():
            out, *state = module(torch.tensor(frame, dtype=torch.float32)[None], *state)
        wanted.append(out[0].numpy())
    assert imported_outputs(network, frames) == pytest.approx(np.array(wanted), abs=1e-5)
    assert sum("stays in the accelerator" in note for note in network.notes) == len(state)


def test_a_state_that_is_not_returned_has_to_be_given(tmp_path):
    path = export(
        nn.GRU(5, 4, batch_first=True),
        (torch.randn(1, 6, 5), torch.zeros(1, 1, 4)),
        tmp_path / "net.onnx",
        input_names=["x", "h"],
    )
    import onnx

    model = onnx.load(path)
    del model.graph.output[1:]
    onnx.save(model, path)
    with pytest.raises(ModelFileError, match=r"inputs=\{'h': 0\}"):
        from_onnx(path)
    assert from_onnx(path, inputs={"h": 0}).differences[0].value < 1e-5


class Denoiser(nn.Module):
    """A convolution, a recurrent mask on what it gives, and a softmax that ernn has not."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv1d(4, 6, 3, padding=1), nn.BatchNorm1d(6)
        self.gru, self.mask = nn.GRU(6, 5, batch_first=True), nn.Linear(5, 6)

    def forward(self, x):
        features = self.norm(torch.abs(self.conv(x))).transpose(1, 2)
        mask = torch.sigmoid(self.mask(self.gru(features)[0]))
        return torch.softmax(features * mask, -1)


def run(model: bytes, feeds):
    session = onnxruntime.InferenceSession(model)
    names = [one.name for one in session.get_outputs()]
    wanted = {one.name for one in session.get_inputs()}
    made = session.run(names, {name: feeds[name] for name in wanted})
    return dict(zip(names, made, strict=True))


@pytest.mark.parametrize("dynamo", [True, False])
def test_host_accelerator_and_host_are_the_original(dynamo, tmp_path):
    torch.manual_seed(3)
    module = Denoiser()
    nn.init.normal_(module.norm.running_mean)
    example = torch.randn(1, 4, 8)
    axes = {} if dynamo else {"dynamic_axes": {"x": {2: "time"}}}
    path = export(module, (example,), tmp_path / "net.onnx", dynamo, input_names=["x"], **axes)
    network = from_onnx(path)
    x = np.random.default_rng(0).standard_normal((1, 4, 8 if dynamo else 13)).astype("f4")
    (wanted,) = run(path.read_bytes(), {"x": x}).values()
    tensors = {"x": x} | run(network.host["before.onnx"], {"x": x})
    frames = tensors[network.entering].reshape(-1, network.model.features)
    made = imported_outputs(network, frames).astype("f4")
    tensors[network.leaving] = made.reshape(1, *made.shape)
    (ours,) = run(network.host["after.onnx"], tensors).values()
    assert ours == pytest.approx(wanted, abs=1e-6)
    kinds = {one.operation.rpartition("(")[2] for one in network.outside}
    assert {"Conv)", "Abs)", "Softmax)", "Mul)"} <= kinds
    assert all(one.reason for one in network.outside)


class Parallel(nn.Module):
    """Two layers that read the same frames."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.GRU(5, 4, batch_first=True), nn.LSTM(5, 6, batch_first=True)

    def forward(self, x):
        return torch.cat([self.one(x)[0], self.two(x)[0]], -1)


def test_of_two_candidates_the_larger_is_taken_and_the_other_can_be_chosen(tmp_path):
    path = export(Parallel(), (torch.randn(1, 6, 5),), tmp_path / "net.onnx")
    larger = from_onnx(path)
    assert larger.model.layers[0].cell == "lstm"
    (told,) = [note for note in larger.notes if note.startswith("also possible")]
    start, end = (told.partition(f"{key}='")[2].partition("'")[0] for key in ("start", "end"))
    other = from_onnx(path, start=start, end=end)
    assert other.model.layers[0].cell == "gru_after"
    assert (other.entering, other.leaving) == (start, end)
    with pytest.raises(ModelFileError, match="no tensor of the graph"):
        from_onnx(path, start="nowhere")


class Twice(nn.Module):
    """A second layer that reads the last step of the first, again and again."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.GRU(5, 4, batch_first=True), nn.GRU(4, 3, batch_first=True)

    def forward(self, x):
        return self.two(self.one(x)[0][:, -1:])[0]


def test_a_layer_behind_the_last_step_is_a_part_of_its_own(tmp_path):
    path = export(Twice(), (torch.randn(1, 6, 5),), tmp_path / "net.onnx")
    network = from_onnx(path)
    assert [layer.hidden for layer in network.model.layers] == [4]
    assert network.last
    assert list(network.host) == ["after.onnx"]


class Rated(nn.Module):
    """A network for two sampling rates."""

    def __init__(self):
        super().__init__()
        self.high, self.low = nn.GRU(5, 4, batch_first=True), nn.GRU(5, 3, batch_first=True)

    def forward(self, x, rate: int):
        if rate == 16000:
            y = self.high(x)[0].sum(-1)
        else:
            y = self.low(x)[0].sum(-1)
        return y


def test_the_branch_of_an_if_is_chosen_by_an_input(tmp_path):
    module = torch.jit.script(Rated().eval())
    names = {"input_names": ["x", "rate"]}
    path = export(module, (torch.randn(1, 6, 5), 16000), tmp_path / "net.onnx", **names)
    with pytest.raises(ModelFileError, match=r"depends on rate.*inputs=\{'rate'"):
        from_onnx(path)
    assert from_onnx(path, inputs={"rate": 16000}).model.layers[0].hidden == 4
    assert from_onnx(path, inputs={"rate": 8000}).model.layers[0].hidden == 3


KERAS = {"lstm": "LSTM", "gru": "GRU", "gru-before": "GRU", "rnn": "SimpleRNN"}


@pytest.mark.parametrize("name", KERAS)
def test_exports_of_keras(name, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    if keras.backend.backend() != "torch":
        missing("Keras runs on another backend than torch")
    more = {"reset_after": False} if name == "gru-before" else {}
    layers = [
        keras.layers.Input((6, 5)),
        getattr(keras.layers, KERAS[name])(4, return_sequences=True, **more),
        keras.layers.Dense(3, "relu"),
    ]
    model = keras.Sequential(layers)
    model(np.zeros((1, 6, 5), "f4"))
    path = tmp_path / "net.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.export(path, format="onnx", verbose=False)
    frames = np.random.default_rng(0).standard_normal((6, 5))
    wanted = np.asarray(model.predict(frames[None], verbose=0))[0]
    network = from_onnx(path)
    assert imported_outputs(network, frames) == pytest.approx(wanted, abs=1e-5)
    assert not network.outside
