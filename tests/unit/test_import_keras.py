"""Keras models and files: what is understood agrees with Keras; no file is trusted."""

import os
import subprocess
import sys

import numpy as np
import pytest

import ernn.importers.keras.layers as keras_layers
from ernn.errors import MismatchError, ModelFileError
from ernn.importers.keras.file import _keras, from_keras

CHOSEN = os.environ.get("KERAS_BACKEND")
keras = _keras()
layers = keras.layers
T, F = 5, 3


def trained(model, seed=0):
    """Give a model weights that are not those of its start."""
    rng = np.random.default_rng(seed)
    model.set_weights(
        [rng.uniform(0.2 if one.ndim == 1 else -0.8, 0.8, one.shape) for one in model.get_weights()]
    )
    return model


def sequential(*parts, steps=None):
    return trained(keras.Sequential([keras.Input((steps, F)), *parts]))


def random_layer(rng, sequences):
    units, bias = int(rng.integers(2, 6)), bool(rng.integers(2))
    kind = rng.choice(["LSTM", "GRU", "SimpleRNN"])
    options = {"reset_after": bool(rng.integers(2))} if kind == "GRU" else {}
    if kind == "SimpleRNN":
        options["activation"] = str(rng.choice(["relu", "tanh"]))
    made = getattr(layers, kind)
    return made(units, use_bias=bias, return_sequences=sequences, dropout=0.1, **options)


def random_behind(rng, last):
    return [
        lambda: layers.Dense(int(rng.integers(1, 5)), activation="relu", use_bias=False),
        lambda: layers.TimeDistributed(layers.Dense(3, activation="sigmoid")),
        lambda: layers.BatchNormalization(
            scale=bool(rng.integers(2)), center=bool(rng.integers(2))
        ),
        lambda: layers.Activation("tanh"),
        lambda: layers.Dropout(0.2),
        lambda: layers.ReLU(),
    ][rng.integers(6)]()


@pytest.mark.parametrize("seed", range(12))
def test_any_network_of_known_layers_agrees_with_keras(seed, tmp_path):
    rng = np.random.default_rng(seed)
    last = bool(rng.integers(2))
    parts = [random_behind(rng, last) for _ in range(rng.integers(3))]
    parts += [random_layer(rng, True), random_behind(rng, last), random_layer(rng, not last)]
    parts += [layers.Dense(2, activation=str(rng.choice(["linear", "tanh", "sigmoid"])))]
    if seed % 2:
        model = sequential(*parts, steps=T if seed % 3 else None)
    else:
        start = x = keras.Input((T, F))
        for part in parts:
            x = part(x)
        model = trained(keras.Model(start, x))
    model.save(tmp_path / "net.keras")
    found = from_keras(tmp_path / "net.keras")
    assert found.last == last and found.model.features == F
    assert found.differences[0].frames == (4 * T if not seed % 2 or seed % 3 else 4 * 32)
    first, name = np.float32(rng.standard_normal((1, T, F))), found.model.leaving
    from ernn.quant.float_model import run_float

    mine = run_float(found.model, first.astype(np.float64), "dense", {name})[name]
    theirs = keras.ops.convert_to_numpy(model(first, training=False))
    assert np.abs(mine[:, -1] - (theirs if last else theirs[:, -1])).max() < 1e-5


def test_a_model_is_told_as_it_was_understood():
    model = sequential(
        layers.BatchNormalization(name="norm"),
        layers.LSTM(4, stateful=False, recurrent_dropout=0.2, name="memory"),
        layers.Flatten(),
        layers.Reshape((4,)),
        layers.GaussianNoise(0.1),
        keras.Sequential([layers.Dense(2, name="head")]),
    )
    found = from_keras(model)
    assert found.names == ("memory", "head") and found.last
    notes = "\n".join(found.notes)
    assert "norm folded into memory" in notes and "dropout in memory dropped" in notes
    assert "flatten" in notes and "GaussianNoise does nothing" in notes
    assert str(found).startswith(f"Keras model {model.name}: 3 values a frame")


def test_other_types_and_fixed_batches():
    half = keras.Sequential(
        [keras.Input((None, F)), layers.GRU(4, dtype="mixed_float16", return_sequences=True)]
    )
    assert "16-bit floats, computed in float32" in from_keras(half).notes
    double = keras.Sequential(
        [
            keras.Input(batch_shape=(2, 3, F), dtype="float64"),
            layers.LSTM(4, dtype="float64", stateful=True, return_sequences=True),
        ]
    )
    found = from_keras(double)
    assert found.differences[0].value < 1e-12 and found.differences[0].frames == 12
    assert "zeros" in found.notes[-1] and "stateful" in found.notes[-1]


def test_a_wrong_order_of_gates_is_found(monkeypatch):
    monkeypatch.setitem(keras_layers.KERAS, "gru", "rzn")
    with pytest.raises(MismatchError, match="differs from the source's own runtime by"):
        from_keras(sequential(layers.GRU(4)))


@keras.saving.register_keras_serializable("mine")
class Custom(layers.Layer):
    def call(self, x):
        return x


@keras.saving.register_keras_serializable("mine")
def swish_of_mine(x):
    return x


def functional(make):
    start = keras.Input((T, F))
    made = make(start)
    return trained(keras.Model(start, made))


def twice(start):
    shared = layers.GRU(F, return_sequences=True)
    return shared(shared(start))


def stateful(start):
    y, h = layers.GRU(4, return_sequences=True, return_state=True)(start)
    return layers.GRU(4)(y, initial_state=h)


def two_outputs(start):
    y = layers.GRU(4)(start)
    return [y, layers.Dense(2)(y)]


REFUSED = {
    "bidirectional": (
        lambda: sequential(layers.Bidirectional(layers.LSTM(4))),
        "bidirectional.* of the class Bidirectional: it reads the sequence backwards too",
    ),
    "masking": (lambda: sequential(layers.Masking(), layers.GRU(4)), "class Masking"),
    "lambda": (
        lambda: sequential(layers.GRU(4), layers.Lambda(lambda x: x)),
        "class Lambda: it is code of whoever wrote the file",
    ),
    "a class of one's own": (
        lambda: sequential(layers.GRU(4), Custom()),
        "it is mine>Custom, a class that is not Keras's",
    ),
    "a function of one's own": (
        lambda: sequential(layers.GRU(4), layers.Dense(2, activation=swish_of_mine)),
        "has the activation .*swish_of_mine",
    ),
    "layer norm": (
        lambda: sequential(layers.GRU(4), layers.LayerNormalization()),
        "class LayerNormalization: its mean and spread",
    ),
    "convolution": (lambda: sequential(layers.Conv1D(4, 3), layers.GRU(4)), "class Conv1D"),
    "hard sigmoid": (
        lambda: sequential(layers.LSTM(4, recurrent_activation="hard_sigmoid")),
        r"LSTM lstm\w* has recurrent_activation = hard_sigmoid \(allowed: sigmoid\)",
    ),
    "relu in an LSTM": (
        lambda: sequential(layers.LSTM(4, activation="relu")),
        r"has activation = relu \(allowed: tanh\)",
    ),
    "backwards": (lambda: sequential(layers.GRU(4, go_backwards=True)), "has go_backwards = True"),
    "softmax": (
        lambda: sequential(layers.GRU(4), layers.Dense(2, activation="softmax")),
        "has activation = softmax .* take softmax on the host",
    ),
    "gelu": (lambda: sequential(layers.GRU(4), layers.Activation("gelu")), "activation = gelu"),
    "leaky relu": (
        lambda: sequential(layers.GRU(4), layers.ReLU(negative_slope=0.1)),
        "has negative_slope = 0.1",
    ),
    "flat steps": (
        lambda: sequential(layers.GRU(4, return_sequences=True), layers.Flatten(), steps=T),
        "puts the steps beside each other",
    ),
    "another shape": (
        lambda: sequential(layers.GRU(4), layers.Reshape((2, 2))),
        r"has target_shape = \[2, 2\]",
    ),
    "no sequences": (
        lambda: keras.Sequential([keras.Input((F,)), layers.Dense(2)]),
        r"has batch_shape = \[None, 3\]",
    ),
    "no recurrent layer": (lambda: sequential(layers.Dense(2)), "no recurrent layer"),
    "norm of steps": (
        lambda: sequential(layers.BatchNormalization(axis=1), layers.GRU(4), steps=T),
        "has axis = 1",
    ),
    "a product of outputs": (
        lambda: functional(
            lambda x: layers.Multiply()([x, layers.GRU(F, return_sequences=True)(x)])
        ),
        "class Multiply",
    ),
    "steps beside each other": (
        lambda: functional(
            lambda x: layers.Concatenate(axis=1)([x, layers.GRU(F, return_sequences=True)(x)])
        ),
        "has axis = 1",
    ),
    "a shared layer": (lambda: functional(twice), "is called 2 times"),
    "states": (lambda: functional(stateful), "takes more than the output of one layer"),
    "two outputs": (lambda: functional(two_outputs), "the model has 2 outputs"),
    "not built": (
        lambda: keras.Sequential([layers.GRU(4)]),
        "cannot save the model|holds 0 variables",
    ),
    "no model": (lambda: 7, "int is no Keras model"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_ernn_cannot_build_is_refused_in_one_sentence(why):
    make, sentence = REFUSED[why]
    with pytest.raises(ModelFileError, match=sentence) as refused:
        from_keras(make())
    assert "\n" not in str(refused.value)


CHOICE = "from ernn.importers.keras.file import _keras; print(_keras().backend.backend())"


def test_a_backend_that_the_user_chose_stays():
    """And torch is taken only where the chosen one is not installed."""
    started = {**os.environ, "KERAS_HOME": "/nowhere", "KERAS_BACKEND": "none_such"}
    told = subprocess.run(
        [sys.executable, "-c", CHOICE], env=started, capture_output=True, text=True
    )
    assert "none_such" in told.stderr
    assert keras.backend.backend() == (CHOSEN or "torch")
    assert os.environ.get("KERAS_BACKEND") == CHOSEN
