"""Unused paths: what cannot reach an output goes, by name, and no output moves."""

import numpy as np
import pytest

from ernn.compressed import CompressedModel
from ernn.quant.float_model import run_float
from ernn.quant.quantize import quantize
from ernn.random_model import random_model
from ernn.recipe import QuantizationRecipe
from ernn.structures.tiles import Tiling
from ernn.unused import without_unused
from tests.models import random_frames

ALL = Tiling(1.0)  # every tile, in a structure that can leave some out


def made(cell="gru_before", layers=2, seed=0, **kinds):
    rng = np.random.default_rng(seed)
    return random_model(rng, cell, 16, layers=layers, tiling=ALL, **kinds)


def unread(model, index, words, readers):
    """Return the model without the weights of some matrices for some words of a layer."""
    tensors = {name: value.copy() for name, value in model.tensors().items()}
    for name in readers:
        subs = model.word // model.matrices()[name].block
        for word in words:
            tensors[f"{name}.present"][:, word * subs : (word + 1) * subs] = 0
    return model.with_tensors(tensors)


def outputs(model):
    frames = random_frames(np.random.default_rng(4), model.features, 2, 9)
    return run_float(model, frames)["logits" if model.output is not None else "layer1.h"]


@pytest.mark.parametrize("cell", ["lstm", "gru_before", "gru_after", "mgu", "rnn"])
@pytest.mark.parametrize("blocks", [4, {"input": 2, "recurrent": 4, "candidate": 2}])
def test_words_that_the_next_layer_does_not_read_go(cell, blocks):
    whole = made(cell, blocks=blocks)
    own = [name for name in whole.layers[0].matrices if name != "input"]
    readers = ["layer1.input", *(f"layer0.{name}" for name in own)]
    model = unread(whole, 0, (1, 3), readers)
    less, removed = without_unused(model)
    assert removed.values == {"layer0.cells": (4, 5, 6, 7, 12, 13, 14, 15)}
    assert less.layers[0].hidden == 8
    assert less.layers[1].matrices["input"].cols == 8
    assert removed.weights == model.parameters - less.parameters > 0
    assert np.allclose(outputs(less), outputs(model), atol=1e-12)


def test_what_only_feeds_the_unused_goes_too():
    """Word 2 of layer 0 is read by word 1 of layer 1 alone, which nobody reads."""
    model = made()
    blind = ["layer1.recurrent", "layer1.candidate"]
    tensors = {n: v.copy() for n, v in unread(model, 1, (1,), blind).tensors().items()}
    tensors["output.generators"][:, 1] = 0
    mask = tensors["layer1.input.present"].reshape(3, 4, 4)
    mask[:, [0, 2, 3], 2] = 0
    for name in ("recurrent", "candidate"):
        tensors[f"layer0.{name}.present"][:, 2] = 0
    model = model.with_tensors(tensors)
    less, removed = without_unused(model)
    assert removed.values == {"layer0.cells": (8, 9, 10, 11), "layer1.cells": (4, 5, 6, 7)}
    assert str(removed).startswith("4 of layer0.cells, 4 of layer1.cells; ")
    assert np.allclose(outputs(less), outputs(model), atol=1e-12)


def test_projections_have_two_vectors():
    model = made("lstm", projection=8)
    model = unread(model, 0, (1,), ["layer1.input", "layer0.recurrent"])
    less, removed = without_unused(model)
    assert removed.values == {"layer0.outputs": (4, 5, 6, 7)}
    assert np.allclose(outputs(less), outputs(model), atol=1e-12)
    model = unread(made("lstm", projection=8), 0, (0,), ["layer0.projection"])
    less, removed = without_unused(model)
    assert removed.values == {"layer0.cells": (0, 1, 2, 3)}
    assert np.allclose(outputs(less), outputs(model), atol=1e-12)


def test_a_layer_that_nobody_reads_keeps_a_word():
    model = unread(made(), 0, range(4), ["layer1.input"])
    less, removed = without_unused(model)
    assert less.layers[0].hidden == 4
    assert removed.values == {"layer0.cells": tuple(range(4, 16))}
    assert np.allclose(outputs(less), outputs(model), atol=1e-12)


def test_a_model_that_is_used_stays_itself():
    model = made()
    assert without_unused(model)[0] is model
    last = made(labels=0)
    assert without_unused(last)[0] is last


def test_its_integers_and_its_file_are_those_of_a_smaller_network(tmp_path):
    own = ["layer0.recurrent", "layer0.candidate", "layer1.input"]
    model = unread(made(), 0, (0,), own)
    less, _ = without_unused(model)
    less.save(tmp_path / "model.safetensors")
    read = CompressedModel.load(tmp_path / "model.safetensors")
    frames = list(random_frames(np.random.default_rng(1), model.features, 4, 24))
    small, large = (quantize(one, QuantizationRecipe(), frames) for one in (read, model))
    assert small.layers[0].hidden == 12
    assert small.formats == large.formats
    given = np.stack(frames)
    small_logits, large_logits = (one.run(given).signals["logits"] for one in (small, large))
    assert (small_logits == large_logits).all()
