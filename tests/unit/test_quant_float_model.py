"""The float model: FFT against dense products, and both against the equations written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import random_frames, random_model

from ernn import cells
from ernn.compressed import CompressedLayer
from ernn.errors import CorpusError, ShapeError
from ernn.quant.float_model import run_float
from ernn.quant.operations import sigmoid
from ernn.quant.program import program

MIXED = {"input": 8, "recurrent": 4, "candidate": 2, "projection": 16, "output": 1}


FUNCTIONS = {
    "none": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": sigmoid,
    "tanh": np.tanh,
}


def by_hand(layer: CompressedLayer, frames: np.ndarray) -> np.ndarray:
    """Outputs of one layer by its equations with dense matrices: (T, X) -> (T, Y)."""
    size, dense = layer.hidden, {name: m.dense() for name, m in layer.matrices.items()}
    gate = {name: slice(n * size, (n + 1) * size) for n, name in enumerate("zrn")}
    state, output, outputs = np.zeros(size), np.zeros(layer.output), []
    for x in frames:
        rows = dense["input"] @ x + layer.bias
        if layer.cell == "lstm":
            i, f, g, o = np.split(rows + dense["recurrent"] @ output, 4)
            peep = layer.parameters.get("peepholes", np.zeros((3, size)))
            squash = np.tanh if layer.cell_activation == "tanh" else sigmoid
            new = sigmoid(f + peep[1] * state) * state + sigmoid(i + peep[0] * state) * squash(g)
            state = new
            output = sigmoid(o + peep[2] * state) * np.tanh(state)
            if "projection" in dense:
                output = dense["projection"] @ output
        elif layer.cell == "mgu":
            row_f, row_n = np.split(rows, 2)
            f = sigmoid(row_f + dense["recurrent"] @ state)
            state = (1 - f) * state + f * np.tanh(row_n + dense["candidate"] @ (f * state))
            output = state
        elif layer.cell == "rnn":
            output = FUNCTIONS[layer.cell_activation](rows + dense["recurrent"] @ output)
        elif layer.cell == "dense":
            output = FUNCTIONS[layer.cell_activation](rows)
        else:
            recurrent = dense["recurrent"]
            z = sigmoid(rows[gate["z"]] + recurrent[gate["z"]] @ state)
            r = sigmoid(rows[gate["r"]] + recurrent[gate["r"]] @ state)
            if layer.cell == "gru_before":
                n = np.tanh(rows[gate["n"]] + dense["candidate"] @ (r * state))
            else:
                inner = recurrent[gate["n"]] @ state + layer.parameters["candidate_bias"]
                n = np.tanh(rows[gate["n"]] + r * inner)
            state = output = (1 - z) * state + z * n
        outputs.append(output)
    return np.array(outputs)


def near(found: np.ndarray, expected: np.ndarray) -> bool:
    """Within 1e-12, of the largest value where that is above 1."""
    return np.abs(found - expected).max() < 1e-12 * max(1.0, np.abs(expected).max())


def variants():
    for cell in cells.CELLS:
        yield pytest.param({"cell": cell}, id=cell)
        yield pytest.param({"cell": cell, "blocks": MIXED, "layers": 2}, id=f"{cell}-mixed")
    for activation in FUNCTIONS:
        yield pytest.param({"cell": "dense", "cell_activation": activation}, id=activation)
    yield pytest.param({"cell": "rnn", "cell_activation": "relu", "blocks": 2}, id="rnn-relu")
    yield pytest.param({"cell": tuple(cells.CELLS), "blocks": MIXED}, id="stack")
    yield pytest.param({"projection": 5, "layers": 3, "blocks": 2}, id="projection")
    yield pytest.param({"peepholes": False, "cell_activation": "sigmoid"}, id="plain")


@pytest.mark.parametrize("kinds", list(variants()))
@pytest.mark.parametrize("product", ["fft", "dense"])
def test_the_equations(kinds, product):
    rng = np.random.default_rng(5)
    model = random_model(rng, **kinds)
    frames = random_frames(rng, model.features, batch=2, frames=40)
    found = run_float(model, frames, product)
    for utterance in range(2):
        vectors = np.zeros((40, model.layers[0].matrices["input"].cols))
        vectors[:, : model.features] = frames[utterance]
        for index, layer in enumerate(model.layers):
            vectors = by_hand(layer, vectors)
            assert near(found[f"layer{index}.h"][utterance], vectors)
        logits = vectors @ model.output.dense().T + model.output_bias
        assert near(found["logits"][utterance], logits)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.sampled_from(list(cells.CELLS)), min_size=1, max_size=4),
    st.fixed_dictionaries(dict.fromkeys(MIXED, st.sampled_from([1, 2, 4, 8, 16]))),
)
def test_fft_and_dense_products_are_the_same(seed, cell, blocks):
    rng = np.random.default_rng(seed)
    model = random_model(rng, cell, blocks=blocks, projection=5)
    frames = random_frames(rng, model.features)
    fft, dense = (run_float(model, frames, product) for product in ("fft", "dense"))
    assert fft.keys() == dense.keys()
    assert all(near(fft[name], dense[name]) for name in fft)


def test_matrices_of_different_block_sizes_are_two_products():
    rng = np.random.default_rng(0)
    names = [
        (p.layer, p.name, p.block) for p in program(random_model(rng, "gru_before", blocks=MIXED))
    ]
    assert names == [
        (0, "zr_h", 4), (0, "zr_x", 8), (0, "n_h", 2), (0, "n_x", 8), (1, "logits", 1),
    ]  # fmt: skip
    names = [p.name for p in program(random_model(rng, "gru_after", blocks=4))]
    assert names == ["zr", "nh", "nx", "logits"]


def test_taps_choose_the_signals():
    rng = np.random.default_rng(0)
    model = random_model(rng)
    found = run_float(model, random_frames(rng, model.features, 3, 50), taps={"layer0.h", "logits"})
    assert {name: values.shape for name, values in found.items()} == {
        "layer0.h": (3, 50, 12), "logits": (3, 50, 8),
    }  # fmt: skip


@pytest.mark.parametrize("shape", [(4, 7), (2, 4, 6), (2, 4, 8)])
def test_frames_of_another_model_are_refused(shape):
    with pytest.raises(ShapeError, match="frames of shape"):
        run_float(random_model(np.random.default_rng(0)), np.zeros(shape))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_frames_that_are_no_numbers_are_refused(bad):
    frames = np.zeros((1, 3, 7))
    frames[0, 1, 2] = bad
    with pytest.raises(CorpusError, match="NaN or infinite"):
        run_float(random_model(np.random.default_rng(0)), frames)
