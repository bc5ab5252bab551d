"""Layers that read several earlier vectors, from recipe to integer model."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from models import random_frames, random_integer_model

from ernn.compressed import CompressedModel
from ernn.errors import ModelFileError, RecipeError, ShapeError
from ernn.files import read_arrays, write_arrays
from ernn.finetune.quantization_aware import QuantizationAwareModel
from ernn.graphs.reads import FEATURES, problems, vector_name, vector_named
from ernn.hw.sources import by_source, sources_of
from ernn.quant.float_model import run_float
from ernn.quant.integer_arithmetic import IntegerArithmetic
from ernn.quant.integer_model import IntegerModel
from ernn.quant.quantize import quantize
from ernn.random_model import random_model
from ernn.recipe import QuantizationRecipe
from ernn.recipe.model import ModelRecipe
from ernn.train.acoustic import AcousticModel

torch.set_num_threads(1)

READS = {1: (FEATURES,), 2: (FEATURES, 0, 1), 3: (0, 2)}
KINDS = {
    "cell": ["gru_after", "dense", "lstm"],
    "hidden": 7,
    "features": 5,
    "labels": 3,
    "blocks": {"input": 4, "recurrent": 2, "projection": 1, "output": 2},
    "projection": 6,
    "reads": READS,
}
RECIPE = {
    "cell": "gru",
    "pad": 8,
    "layers": [
        {"hidden": 16, "block": 4},
        {"hidden": 12, "block": 2, "cell": "dense", "inputs": ["features"]},
        {"hidden": 8, "block": 4, "inputs": ["features", "layer0", "layer1"]},
    ],
    "output_inputs": ["layer0", "layer2"],
}


def drawn(**changes) -> CompressedModel:
    return random_model(np.random.default_rng(3), **(KINDS | changes))


def frames(features: int = 5) -> np.ndarray:
    return random_frames(np.random.default_rng(4), features, 2, 20)


def test_names_of_vectors():
    assert [vector_named(vector_name(n)) for n in (FEATURES, 0, 12)] == [FEATURES, 0, 12]
    assert [vector_named(name) for name in ("layer", "layer-1", "layer1.h", "x", "0")] == 5 * [None]


@pytest.mark.parametrize(
    ("stack", "wrong"),
    [
        ([(), ()], []),
        ([(FEATURES,), (FEATURES, 0)], []),
        ([(0,), ()], [0]),
        ([(), (1,)], [1]),
        ([(), (0, FEATURES)], [1]),
        ([(), (0, 0)], [1]),
        ([(), (-2, 0)], [1]),
        ([(), (FEATURES,), (1,)], [0]),
    ],
)
def test_what_can_be_read(stack, wrong):
    assert [index for index, _, _ in problems(stack)] == wrong


def test_a_layer_reads_vectors_side_by_side():
    """Each layer alone, as a model of its own that reads what the others made."""
    model, features = drawn(), frames()
    signals = run_float(model, features, "dense")
    made = {FEATURES: signals["layer0.x"]} | {n: signals[f"layer{n}.h"] for n in range(3)}
    for index, layer in enumerate(model.layers):
        read = np.concatenate([made[n] for n in model.sources(index)], -1)
        alone = CompressedModel(read.shape[-1], (replace(layer, reads=()),))
        assert np.allclose(run_float(alone, read)["layer0.h"], made[index])
    read = np.concatenate([made[0], made[2]], -1)
    assert np.allclose(read @ model.output.dense().T + model.output_bias, signals["logits"])
    assert np.allclose(run_float(model, features, "fft")["logits"], signals["logits"])


def test_files_keep_what_is_read(tmp_path):
    model, integer = drawn(), random_integer_model(np.random.default_rng(1), **KINDS)
    model.save(tmp_path / "float")
    integer.save(tmp_path / "integer")
    for one, read in ((model, CompressedModel.load), (integer, IntegerModel.load)):
        found = read(tmp_path / ("float" if one is model else "integer"))
        assert [found.sources(n) for n in range(4)] == [one.sources(n) for n in range(4)]
        assert found.sources(3) == (0, 2)


@pytest.mark.parametrize("reads", [{"layer2": [2]}, {"layer1": "x"}, {"layer1": [[0]]}, 3, [1]])
def test_a_damaged_file_is_refused(tmp_path, reads):
    drawn().save(tmp_path / "model")
    tensors, header = read_arrays(tmp_path / "model", "ernn-compressed-1", "")
    write_arrays(tmp_path / "damaged", tensors, header | {"reads": reads})
    with pytest.raises(ModelFileError, match="does not describe a model"):
        CompressedModel.load(tmp_path / "damaged")


def test_a_layer_that_nobody_reads_is_refused():
    model = drawn(labels=0, reads={1: (FEATURES,), 2: (0, 1)})
    last = random_model(
        np.random.default_rng(3), **(KINDS | {"labels": 0, "reads": {1: (FEATURES,), 2: (0, 1)}})
    ).layers[2]
    with pytest.raises(ShapeError, match=r"layer0.*no layer reads what it makes"):
        replace(model, layers=(*model.layers[:2], replace(last, reads=(1,))))


def test_the_integer_model_follows_the_float_one():
    model, features = drawn(), frames()
    integer = quantize(model, QuantizationRecipe(), list(features))
    assert integer.stack[2].vectors["x"] == integer.layers[0].vectors["x"]  # the widest of three
    trace = integer.run(features)
    found = trace.formats["logits"].to_float(trace.signals["logits"])
    assert np.abs(found - run_float(model, features)["logits"]).max() < 0.05


def test_numpy_and_compiled_arithmetic_agree():
    integer, features = random_integer_model(np.random.default_rng(1), **KINDS), frames()
    golden = integer.run(features, arithmetic=IntegerArithmetic).signals
    assert all(np.array_equal(golden[n], one) for n, one in integer.run(features).signals.items())


@pytest.mark.parametrize("word", [None, 8])
def test_training_and_export(word):
    """The padding of the recipe, in the middle of a matrix too, leaves the exported model."""
    recipe = ModelRecipe.from_dict(RECIPE | ({"pad": word} if word else {"pad": 1}))
    model = AcousticModel(recipe, features=5, labels=3, seed=1)
    model.constrain()
    exported, features = model.export(), frames()
    assert exported.word == 4
    assert [exported.sources(n) for n in range(4)] == [(-1,), (-1,), (-1, 0, 1), (0, 2)]
    found = model(torch.from_numpy(features).float()).detach().numpy()
    assert np.allclose(run_float(exported, features)["logits"][..., :3], found, atol=1e-5)


def test_an_imported_network_is_padded_vector_by_vector():
    dense = random_model(
        np.random.default_rng(1),
        cell=["gru_after", "dense", "gru_after"],
        hidden=7,
        features=5,
        labels=3,
        blocks=1,
        cell_activation="tanh",
        reads=READS,
    )
    layers = [{"hidden": 7, "block": 4} for _ in range(3)]
    layers[1] |= {"cell": "dense", "inputs": ["features"], "cell_activation": "tanh"}
    layers[2] |= {"inputs": ["features", "layer0", "layer1"]}
    recipe = {
        "cell": "gru",
        "reset": "after",
        "layers": layers,
        "output_inputs": RECIPE["output_inputs"],
    }
    model = AcousticModel(ModelRecipe.from_dict(recipe), features=5, labels=3)
    model.take(dense)
    found = model(torch.from_numpy(frames()).float()).detach().numpy()
    assert np.allclose(run_float(dense, frames())["logits"], found, atol=1e-5)


def test_fine_tuning_follows_the_integer_model():
    model, features = drawn(), frames()
    integer = quantize(model, QuantizationRecipe(), list(features))
    tuned = QuantizationAwareModel(model, integer)
    found = tuned(torch.from_numpy(features))
    trace = integer.run(features)
    exact = trace.formats["logits"].to_float(trace.signals["logits"])[..., :3]
    assert np.array_equal(found.detach().numpy(), exact.astype(np.float32))
    found.sum().backward()
    assert all(one.grad is not None for one in tuned.floats.values() if one.requires_grad)


def test_products_are_cut_where_a_vector_ends():
    """Every column, scale and present block lies in one segment, in order."""
    integer = random_integer_model(np.random.default_rng(1), **KINDS)
    for whole, cut in zip(integer.products, by_source(integer), strict=True):
        own = sources_of(integer, cut)
        assert len(own) == len(cut.segments)
        for segment in whole.segments:
            parts = [
                s for s in cut.segments if (s.vector, s.matrix) == (segment.vector, segment.matrix)
            ]
            joined = np.concatenate([part.spectra for part in parts], 1)
            assert np.array_equal(joined, segment.spectra)
            if segment.scale is not None:
                assert np.array_equal(np.concatenate([s.scale for s in parts]), segment.scale)
            if segment.vector == "x":
                sizes = [integer.size(n) for n in integer.sources(whole.layer)]
                assert [part.columns for part in parts] == sizes


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"output_inputs": ["layer2", "layer0"]}, "reads layer2, layer0"),
        ({"output_inputs": ["layer3"]}, "reads layer3"),
        ({"output_inputs": ["hidden"]}, "there is no 'hidden'"),
        ({"output_inputs": []}, "output_inputs"),
        ({"output_inputs": None}, r"layers\[0\]|layers\[1\]"),
        ({"output_layer": False}, "there is no output layer"),
    ],
)
def test_a_recipe_that_reads_what_is_not_there_is_refused(changes, told):
    layers = [dict(one) for one in RECIPE["layers"]]
    layers[2]["inputs"] = ["features"]
    layers[1]["inputs"] = ["layer0"]
    with pytest.raises(RecipeError, match=told):
        ModelRecipe.from_dict(RECIPE | {"layers": layers} | changes)
