"""Cells against torch's own, against the equations in numpy, and FFT against dense products."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.compressed import CompressedLayer, CompressedModel
from ernn.errors import ShapeError
from ernn.recipe import LayerRecipe, ModelRecipe
from ernn.train.acoustic import AcousticModel
from ernn.train.cells import GruAfter, Lstm

torch.set_num_threads(1)

F, LABELS = 11, 7


def model_recipe(cell="lstm", hidden=(12,), projection=0, block=4, **settings):
    layers = [LayerRecipe(hidden=h, projection=projection, block=block) for h in hidden]
    return ModelRecipe(cell=cell, layers=layers, **settings)


def stacked(*kinds):
    """A layer of each cell; an activation stands behind a colon."""
    named = [kind.partition(":") for kind in kinds]
    layers = [
        LayerRecipe(hidden=8 + 3 * n, cell=cell, cell_activation=activation or None, block=4)
        for n, (cell, _, activation) in enumerate(named)
    ]
    return ModelRecipe(cell="gru", layers=layers)


def filled(module, seed=0):
    """Give every parameter random values, so that no bias or scale is left at its start."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)
    return module.double()


def frames(batch=3, steps=9, size=F, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, steps, size, generator=generator, dtype=torch.float64)


def test_lstm_without_peepholes_and_projection_is_torchs():
    recipe = model_recipe(block=1, peepholes=False)
    ours = filled(Lstm(recipe, recipe.layers[0], F))
    theirs = torch.nn.LSTM(F, 12).double()
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(ours.matrices["input"].weight)
        theirs.weight_hh_l0.copy_(ours.matrices["recurrent"].weight)
        theirs.bias_ih_l0.copy_(ours.bias)
        theirs.bias_hh_l0.zero_()
    x = frames().transpose(0, 1)
    assert torch.allclose(ours(x), theirs(x)[0], rtol=0, atol=1e-13)


def test_gru_with_reset_after_is_torchs():
    recipe = model_recipe("gru", block=1, reset="after")
    ours = filled(GruAfter(recipe, recipe.layers[0], F))
    theirs = torch.nn.GRU(F, 12).double()
    ours_to_theirs = torch.cat([torch.arange(12, 24), torch.arange(12), torch.arange(24, 36)])
    with torch.no_grad():  # torch stacks r, z, n
        theirs.weight_ih_l0.copy_(ours.matrices["input"].weight[ours_to_theirs])
        theirs.weight_hh_l0.copy_(ours.matrices["recurrent"].weight[ours_to_theirs])
        theirs.bias_ih_l0.copy_(ours.bias[ours_to_theirs])
        theirs.bias_hh_l0.zero_()
        theirs.bias_hh_l0[24:] = ours.candidate_bias
    x = frames().transpose(0, 1)
    assert torch.allclose(ours(x), theirs(x)[0], rtol=0, atol=1e-13)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


FUNCTIONS = {
    "none": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": sigmoid,
    "tanh": np.tanh,
}


def run_layer(layer: CompressedLayer, x: np.ndarray) -> np.ndarray:
    """Compute the equations of docs/algorithm.md one frame at a time: (T, X) -> (T, Y)."""
    dense = {name: matrix.dense() for name, matrix in layer.matrices.items()}
    y, c, outputs = np.zeros(layer.output), np.zeros(layer.hidden), []
    for frame in x:
        a = dense["input"] @ frame + layer.bias
        if layer.cell == "lstm":
            a = a + dense["recurrent"] @ y
            ai, af, ag, ao = np.split(a, 4)
            pi, pf, po = layer.parameters.get("peepholes", np.zeros((3, 1)))
            squash = np.tanh if layer.cell_activation == "tanh" else sigmoid
            c = sigmoid(af + pf * c) * c + sigmoid(ai + pi * c) * squash(ag)
            m = sigmoid(ao + po * c) * np.tanh(c)
            y = dense["projection"] @ m if "projection" in dense else m
        elif layer.cell == "gru_before":
            az, ar, an = np.split(a, 3)
            uz, ur = np.split(dense["recurrent"] @ y, 2)
            z, r = sigmoid(az + uz), sigmoid(ar + ur)
            y = (1 - z) * y + z * np.tanh(an + dense["candidate"] @ (r * y))
        elif layer.cell == "mgu":
            af, an = np.split(a, 2)
            f = sigmoid(af + dense["recurrent"] @ y)
            y = (1 - f) * y + f * np.tanh(an + dense["candidate"] @ (f * y))
        elif layer.cell == "rnn":
            y = FUNCTIONS[layer.cell_activation](a + dense["recurrent"] @ y)
        elif layer.cell == "dense":
            y = FUNCTIONS[layer.cell_activation](a)
        else:
            az, ar, an = np.split(a, 3)
            uz, ur, un = np.split(dense["recurrent"] @ y, 3)
            z, r = sigmoid(az + uz), sigmoid(ar + ur)
            y = (1 - z) * y + z * np.tanh(an + r * (un + layer.parameters["candidate_bias"]))
        outputs.append(y)
    return np.array(outputs)


def run_model(model: CompressedModel, x: np.ndarray) -> np.ndarray:
    """Run an exported model on one utterance: (T, F) -> (T, labels)."""
    size = model.layers[0].matrices["input"].cols
    x = np.pad(x, ((0, 0), (0, size - model.features)))
    for layer in model.layers:
        x = run_layer(layer, x)
    return (x @ model.output.dense().T + model.output_bias)[:, : model.labels]


MODELS = [
    model_recipe(hidden=(10, 13), projection=6),
    model_recipe(hidden=(12,), cell_activation="sigmoid", input_scale=False),
    model_recipe(hidden=(9,), peepholes=False, output_block=4),
    model_recipe("gru", hidden=(10, 13), block=8),
    model_recipe("gru", hidden=(10,), reset="after", block=2),
    model_recipe("gru", hidden=(5,), block=1),
    model_recipe("mgu", hidden=(10, 13)),
    model_recipe("mgu", hidden=(5,), block=1),
    model_recipe("rnn", hidden=(10, 13)),
    model_recipe("rnn", hidden=(10,), cell_activation="relu", block=2),
    model_recipe("dense", hidden=(10, 13)),
    *(model_recipe("dense", hidden=(9,), cell_activation=name) for name in FUNCTIONS),
    stacked("dense:relu", "lstm", "mgu", "rnn", "gru", "dense"),
]


@pytest.mark.parametrize("recipe", MODELS)
def test_an_exported_model_computes_what_the_trained_one_does(recipe):
    model = AcousticModel(recipe, F, LABELS)
    model.constrain()
    filled(model)
    x = frames()
    with torch.no_grad():
        found = model(x)
    expected = np.stack([run_model(model.export(), utterance) for utterance in x.numpy()])
    assert found.shape == (3, 9, LABELS)
    assert np.allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("recipe", MODELS)
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_products_by_fft_equal_dense_products(recipe, dtype, tolerance):
    model = AcousticModel(recipe, F, LABELS)
    model.constrain()
    filled(model).to(dtype)
    x = frames().to(dtype)
    dense = model(x)
    model.use_fft(True)
    assert torch.allclose(model(x), dense, rtol=0, atol=tolerance)


@pytest.mark.parametrize("recipe", MODELS)
def test_gradients_do_not_depend_on_how_products_are_done(recipe):
    model = AcousticModel(recipe, F, LABELS)
    model.constrain()
    filled(model)
    gradients = []
    for fft in (False, True):
        model.use_fft(fft)
        model.zero_grad()
        model(frames()).square().sum().backward()
        gradients.append([parameter.grad.clone() for parameter in model.parameters()])
    for dense, by_fft in zip(*gradients, strict=True):
        assert torch.allclose(dense, by_fft, rtol=1e-9, atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(
    cell=st.sampled_from(["lstm", "gru"]),
    hidden=st.integers(4, 21),
    block=st.sampled_from([1, 2, 4]),
    input_block=st.sampled_from([1, 2, 4]),
    features=st.integers(1, 20),
    labels=st.integers(1, 20),
)
def test_any_size_is_padded_and_exports(cell, hidden, block, input_block, features, labels):
    layer = LayerRecipe(hidden=hidden, block=block, block_input=input_block)
    recipe = ModelRecipe(cell=cell, layers=[layer])
    model = AcousticModel(recipe, features, labels)
    assert model(torch.zeros(2, 3, features)).shape == (2, 3, labels)
    exported = model.export()
    assert exported.word == recipe.word == max(block, input_block)
    assert exported.layers[0].hidden % recipe.word == 0


def test_scales_are_only_in_front_of_block_circulant_matrices():
    layer = LayerRecipe(hidden=8, block=4, block_recurrent=1)
    model = AcousticModel(ModelRecipe(cell="lstm", layers=[layer]), F, LABELS)
    model.constrain()
    scaled = {name for name, matrix in model.matrices().items() if "scale" in matrix.factors}
    assert scaled == {"layer0.input"}


def test_constraining_is_the_projection_and_later_steps_stay_inside():
    model = AcousticModel(model_recipe(hidden=(8,), input_scale=False), F, LABELS)
    dense = model.matrices()["layer0.input"].matrix().detach()
    distance = model.matrices()["layer0.input"].structure.distance(dense)
    model.constrain()
    matrix = model.matrices()["layer0.input"]
    assert torch.linalg.norm(dense - matrix.matrix()).item() == pytest.approx(distance.item())
    model(torch.randn(2, 3, F)).square().sum().backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter -= 0.1 * parameter.grad
    assert matrix.structure.distance(matrix.matrix()) < 1e-5


def test_frames_of_another_size_are_refused():
    model = AcousticModel(model_recipe(), F, LABELS)
    with pytest.raises(ShapeError, match=f"frames of {F + 1} features .* a model of {F}"):
        model(torch.zeros(1, 2, F + 1))


def test_the_seed_decides_the_weights():
    def weights(seed):
        return torch.cat([p.flatten() for p in AcousticModel(MODELS[0], F, 7, seed).parameters()])

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


def test_prediction_is_the_model_run_on_each_utterance():
    model = filled(AcousticModel(model_recipe(), F, LABELS))
    utterances = [frames(1, steps, seed=steps)[0].numpy() for steps in (5, 2, 9, 4)]
    for found, x in zip(model.predict(utterances, batch=3), utterances, strict=True):
        expected = model(torch.from_numpy(x)[None])[0].detach().numpy()
        assert np.allclose(found, expected, rtol=0, atol=1e-12)
