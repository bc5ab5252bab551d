"""Networks whose layers read concatenations and sums of earlier outputs."""

import warnings

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from ernn.errors import ModelFileError
from ernn.importers.assemble import assemble
from ernn.importers.layers import Added, Affine, Dropped, Joined, LastStep, linear, rnn
from ernn.importers.onnx.network import from_onnx
from ernn.importers.settings import model_settings
from ernn.importers.torch.module import from_torch
from ernn.quant.float_model import run_float
from ernn.recipe.model import ModelRecipe
from ernn.train.acoustic import AcousticModel

torch.set_num_threads(1)
T, F, H = 6, 3, 4


class Net(nn.Module):
    """A function of layers that are called by name."""

    def __init__(self, how):
        super().__init__()
        torch.manual_seed(1)
        self.how = how
        self.a, self.b = nn.GRU(F, H, batch_first=True), nn.LSTM(H, H, batch_first=True)
        self.wide = nn.GRU(F + H, H, batch_first=True)
        self.reads_all, self.square = nn.Linear(F + 2 * H, 5), nn.Linear(H, H)
        self.norm = nn.BatchNorm1d(H)
        self.norm.running_mean.copy_(torch.randn(H))
        self.norm.running_var.copy_(torch.rand(H) + 0.5)

    def forward(self, x):
        return self.how(self, x)


def dense_end(net, x):
    a = net.a(x)[0]
    return torch.sigmoid(net.reads_all(torch.cat([x, a, net.b(a)[0]], -1)))


def last_steps(net, x):
    a = net.a(x)[0]
    b = net.b(a)[0]
    return net.reads_all(torch.cat([x[:, -1], a[:, -1], b[:, -1]], -1))


def another_order(net, x):
    return net.wide(torch.cat([net.a(x)[0], x], 2))[0]


def residual(net, x):
    a = net.a(x)[0]
    return net.square(a + net.b(a)[0])


def residual_at_the_end(net, x):
    a = net.a(x)[0]
    return a - net.b(a)[0]


def twice_and_normed(net, x):
    a = net.a(x)[0]
    normed = net.norm((a + 2 * net.square(a)).transpose(1, 2)).transpose(1, 2)
    return torch.tanh(net.square(normed)) + a * 0.5


def linear_with_two_readers(net, x):
    """The function must not go into the linear layer, whose own output is read too."""
    a = net.square(net.a(x)[0])
    return net.b(torch.relu(a) + a)[0]


def only_joined(net, x):
    a = net.a(x)[0]
    return torch.cat([net.b(a)[0], a], -1)


# What is read by each layer of the stack; -1 the features.
AGREES = {
    dense_end: [(-1,), (0,), (-1, 0, 1)],
    last_steps: [(-1,), (0,), (-1, 0, 1)],
    another_order: [(-1,), (-1, 0)],
    residual: [(-1,), (0,), (0, 1)],
    residual_at_the_end: [(-1,), (0,), (0, 1)],
    twice_and_normed: [(-1,), (0,), (0, 1), (0, 2)],
    linear_with_two_readers: [(-1,), (0,), (1,), (1, 2)],
    only_joined: [(-1,), (0,), (0, 1)],
}


@pytest.mark.parametrize("how", AGREES, ids=lambda how: how.__name__)
def test_torch_modules(how):
    """Compared with the module itself by every import."""
    found = from_torch(Net(how), torch.zeros(1, T, F))
    read = [found.model.sources(index) for index in range(len(found.model.stack))]
    assert read == AGREES[how]
    assert found.differences[0].value < 1e-5


def test_what_is_read_is_told():
    told = str(from_torch(Net(dense_end), torch.zeros(1, T, F)))
    assert "reads_all: feed-forward layer, sigmoid, 5 values, reads the input, a, b" in told
    assert told.count("reads ") == 1  # the others read what is in front of them


REFUSED = {
    "other steps": (lambda net, x: torch.cat([net.a(x)[0][:, -1], x[:, 0]], -1), "different steps"),
    "a product": (
        lambda net, x: net.a(x)[0] * net.a(net.square(net.a(x)[0])[..., :3])[0],
        "takes 3",
    ),
    "outputs multiplied": (lambda net, x: net.a(x)[0] * net.b(net.a(x)[0])[0], "in another way"),
    "a constant beside": (
        lambda net, x: torch.cat([net.a(x)[0], torch.ones(1, T, 2)], -1),
        "beside something else",
    ),
    "half of a sum": (lambda net, x: torch.add(x, x, alpha=0.5), "in another way"),
    "a cell's state": (
        lambda net, x: torch.cat([net.b(net.a(x)[0])[1][1], net.a(x)[1]], -1),
        "different steps",
    ),
    "sizes that spread": (lambda net, x: net.a(x)[0] + x[..., :1], "features|values"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_put_together_is_refused(why):
    how, told = REFUSED[why]
    with pytest.raises(ModelFileError, match=told) as refused:
        from_torch(Net(how), torch.zeros(1, T, F))
    assert "\n" not in str(refused.value)


def layer(name, inputs):
    rng = np.random.default_rng(inputs)
    return rnn(name, rng.normal(size=(2, inputs)), rng.normal(size=(2, 2)), rng.normal(size=2))


def test_steps_of_different_kinds_are_not_put_together():
    items = [layer("a", 2), LastStep("end"), Joined("both", (0, 1))]
    with pytest.raises(ModelFileError, match="both: it puts every step"):
        assemble(items, 2)


def test_sums_of_other_sizes_are_refused():
    with pytest.raises(ModelFileError, match="sum: it adds outputs of 3 and 2 values"):
        assemble([layer("a", 3), Added("sum", (-1, 0), (1.0, 1.0))], 3)


def test_a_scale_goes_into_the_matrix_of_each_reader_alone():
    """The layer in front has another reader, and so keeps its weights."""
    scale = Affine("scale", np.array([2.0, 3.0]), np.array([0.5, 0.0]))
    front, weight = linear("front", np.eye(2)), np.ones((1, 4))
    items = [layer("a", 2), front, Dropped("idle", "nothing"), scale]
    items += [Joined("both", (3, 1)), linear("end", weight)]
    made = assemble(items, 2)
    assert np.array_equal(made.model.layers[1].matrices["input"].dense(), np.eye(2))
    assert np.array_equal(made.model.output.dense(), [[3.0, 4.0]])
    assert made.model.output_bias == [0.5]
    assert any("folded into end" in note for note in made.notes)


def keras_net(keras, how):
    layers, start = keras.layers, keras.Input((T, F))
    if how == "dense end":
        a = layers.GRU(H, return_sequences=True, name="a")(start)
        b = layers.LSTM(H, return_sequences=True, name="b")(a)
        made = layers.Dense(5, activation="sigmoid")(layers.Concatenate()([start, a, b]))
    elif how == "sums":
        a = layers.SimpleRNN(H, return_sequences=True, name="a")(start)
        b = layers.Dense(H, name="b")(layers.Dropout(0.1)(a))
        c = layers.LSTM(H, return_sequences=True, name="c")(layers.Add()([a, b, a]))
        made = layers.Subtract()([layers.BatchNormalization()(c), a])
    else:  # a model in a model, and the last steps of two layers
        inner_start = keras.Input((T, F))
        a = layers.GRU(H, return_sequences=True, name="a")(inner_start)
        inner = keras.Model(inner_start, layers.Concatenate(axis=2)([a, inner_start]))
        wide = inner(start)
        ends = [layers.LSTM(H, name="b")(wide), layers.GRU(H, name="c")(start)]
        made = layers.Dense(2)(layers.Concatenate(axis=1)(ends))
    model = keras.Model(start, made)
    rng = np.random.default_rng(1)
    drawn = [rng.uniform(0.2 * (w.ndim == 1), 0.8, w.shape) for w in model.get_weights()]
    model.set_weights(drawn)
    return model


@pytest.mark.parametrize(
    ("how", "read"),
    [
        ("dense end", [(-1,), (0,), (-1, 0, 1)]),
        ("sums", [(-1,), (0,), (0, 1), (0, 2)]),
        ("models", [(-1,), (-1,), (-1, 1), (0, 2)]),
    ],
)
def test_keras_models(how, read, tmp_path):
    from ernn.importers.keras.file import _keras, from_keras

    model = keras_net(_keras(), how)
    model.save(tmp_path / "net.keras")
    found = from_keras(tmp_path / "net.keras")
    assert [found.model.sources(index) for index in range(len(found.model.stack))] == read
    assert found.last == (how == "models")


@pytest.mark.parametrize("dynamo", [False, True])
@pytest.mark.parametrize("how", AGREES, ids=lambda how: how.__name__)
def test_onnx_exports(how, dynamo, tmp_path):
    """As the module itself is read; only what is put together at the end stays on the host."""
    path = exported(Net(how), tmp_path / "net.onnx", dynamo)
    found = from_onnx(path)
    if how is only_joined:
        assert set(found.host) >= {"after.onnx"}
        return
    read = [found.model.sources(index) for index in range(len(found.model.stack))]
    assert read == AGREES[how] and not found.host


def exported(module, path, dynamo):
    more = {"external_data": False, "verbose": False} if dynamo else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module.eval(), (torch.zeros(1, T, F),), path, dynamo=dynamo, **more)
    return path


def test_what_an_onnx_file_reads_is_told(tmp_path):
    told = str(from_onnx(exported(Net(dense_end), tmp_path / "net.onnx", False)))
    assert "sigmoid, 5 values, reads the input, /a/GRU, /b/LSTM" in told


def test_a_cut_inside_a_web_is_one_that_was_asked_for(tmp_path):
    path = exported(Net(residual), tmp_path / "net.onnx", False)
    (end,) = [n.output[0] for n in onnx.load(path).graph.node if n.name == "/Add"]
    found = from_onnx(path, end=end)
    assert [found.model.sources(n) for n in range(3)] == [(-1,), (0,), (0, 1)]
    assert found.leaving == end and set(found.host) == {"after.onnx"}


@pytest.mark.parametrize("block", [1, 4])
def test_the_recipe_of_an_import_reads_the_same(block):
    """Each vector is padded on its own, so that nothing of the network moves."""
    found = from_torch(Net(twice_and_normed), torch.zeros(1, T, F)).model
    settings = model_settings(found, block)
    assert settings["output_inputs" if found.output else "layers"]
    model = AcousticModel(ModelRecipe.from_dict(settings), found.features, found.labels)
    model.take(found)
    frames = np.random.default_rng(2).normal(size=(2, T, F))
    made = model(torch.from_numpy(frames).float()).detach().numpy()
    assert np.allclose(made, run_float(found, frames)[found.leaving], atol=1e-5)
