"""CompressedModel: what is not a model is refused, and files come back bit for bit."""

import json
from dataclasses import replace

import numpy as np
import pytest
from deadlines import each
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from ernn.cells import CELLS
from ernn.compressed import CompressedLayer, CompressedModel, circulant_matrix, padded
from ernn.errors import ModelFileError, ShapeError


def noise(*size):
    """Return what a generator of its own draws: no test depends on those before it."""
    return np.random.default_rng(size).normal(size=size)


def matrix(rows, cols, block=4, scaled=False):
    generators = noise(rows // block, cols // block, block)
    return circulant_matrix(generators, noise(cols) if scaled else None)


def layer(cell, inputs, hidden=8, projection=0):
    columns = {"input": inputs, "recurrent": projection or hidden}
    matrices = {
        name: matrix(len(one.gates) * hidden, columns.get(name, hidden), scaled=name == "input")
        for name, one in CELLS[cell].matrices.items()
        if name != "projection"
    }
    if projection:
        matrices["projection"] = matrix(projection, hidden)
    parameters = {"peepholes": noise(3, hidden)} if cell == "lstm" else {}
    if cell == "gru_after":
        parameters = {"candidate_bias": noise(hidden)}
    return CompressedLayer(
        cell=cell,
        hidden=hidden,
        matrices=matrices,
        bias=noise(len(CELLS[cell].gates) * hidden),
        parameters=parameters,
    )


def model(cell="lstm", projection=0):
    layers = (layer(cell, 8, projection=projection), layer(cell, projection or 8))
    return CompressedModel(
        features=6,
        layers=layers,
        output=matrix(8, 8, block=1),
        output_bias=noise(8),
        labels=5,
        meta={"name": "tiny"},
    )


MODELS = [("lstm", 0), ("lstm", 4), ("gru_before", 0), ("gru_after", 0)]


@pytest.mark.parametrize("cell, projection", MODELS)
def test_a_saved_model_comes_back_bit_for_bit(tmp_path, cell, projection):
    written = model(cell, projection)
    written.save(tmp_path / "m.safetensors")
    read = CompressedModel.load(tmp_path / "m.safetensors")
    assert list(tmp_path.iterdir()) == [tmp_path / "m.safetensors"]
    read.save(tmp_path / "again.safetensors")
    first, second = (tmp_path / n for n in ("m.safetensors", "again.safetensors"))
    assert first.read_bytes() == second.read_bytes()
    assert (read.features, read.labels, read.meta) == (6, 5, {"name": "tiny"})
    for name, found in each(read.matrices().items()):
        expected = written.matrices()[name]
        assert np.array_equal(found.generators, expected.generators)
        assert np.array_equal(found.dense(), expected.dense())
    for found, expected in zip(read.layers, written.layers, strict=True):
        assert found.cell == expected.cell and found.output == expected.output
        assert np.array_equal(found.bias, expected.bias)
        assert found.parameters.keys() == expected.parameters.keys()
        for name, values in found.parameters.items():
            assert np.array_equal(values, expected.parameters[name])


def test_counts_are_those_of_the_papers():
    m = model("gru_before")
    assert m.word == 4
    assert m.dense_parameters == 2 * (24 * 8 + 16 * 8 + 8 * 8) + 64
    assert m.parameters == 2 * ((24 * 8 + 16 * 8 + 8 * 8) // 4 + 8) + 64


def test_the_scale_multiplies_columns():
    m = matrix(8, 8, scaled=True)
    x = noise(8)[::-1]  # not the scales
    assert np.allclose(m.dense() @ x, circulant_matrix(m.generators).dense() @ (m.scale * x))


@pytest.mark.parametrize("size, word, expected", [(153, 8, 160), (160, 8, 160), (1, 32, 32)])
def test_padding(size, word, expected):
    assert padded(size, word) == expected


def with_matrix(m, name, value):
    matrices = {**m.layers[0].matrices, name: value}
    return replace(m, layers=(replace(m.layers[0], matrices=matrices), *m.layers[1:]))


def with_layer(m, **changes):
    return replace(m, layers=(replace(m.layers[0], **changes), *m.layers[1:]))


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda m: replace(m, layers=()), "the model has no layer"),
        (
            lambda m: with_matrix(m, "input", matrix(32, 16)),
            r"layer0.input is 32x16 \(allowed: 32x8",
        ),
        (lambda m: with_matrix(m, "recurrent", matrix(24, 8)), "layer0.recurrent is 24x8"),
        (lambda m: with_matrix(m, "other", matrix(8, 8)), "matrices"),
        (lambda m: with_matrix(m, "input", circulant_matrix(np.zeros((2, 3)))), "allowed: .p, q"),
        (lambda m: with_matrix(m, "input", circulant_matrix(np.zeros((8, 2, 3)))), "block size 3"),
        (lambda m: with_matrix(m, "input", circulant_matrix(np.full((8, 2, 4), np.nan))), "NaN"),
        (lambda m: with_layer(m, hidden=6), "a multiple of the word 4"),
        (lambda m: with_layer(m, bias=np.zeros(8)), "layer0.bias has shape"),
        (lambda m: with_layer(m, bias=np.full(32, np.inf)), "layer0.bias holds NaN or infinite"),
        (lambda m: with_layer(m, parameters={"peepholes": np.zeros((2, 8))}), "layer0.peepholes"),
        (lambda m: with_layer(m, cell_activation="relu"), "relu"),
        (lambda m: with_layer(m, parameters={"bias_n": np.zeros(8)}), "'lstm' has no bias_n"),
        (lambda m: with_layer(m, cell="lsmt"), "cell 'lsmt' is not known; choose one of lstm, gru"),
        (lambda m: with_layer(m, cell="output"), "the output layer is no layer of its own"),
        (lambda m: replace(m, labels=9), r"output is 8x8 \(allowed: 12x8"),
        (lambda m: replace(m, output_bias=None), "output.bias is missing"),
    ],
)
def test_what_is_not_a_model_is_refused(change, message):
    with pytest.raises(ShapeError, match=message) as told:
        change(model())
    assert told.value.fault.allowed or told.value.fault.remedy


def test_a_torch_form_gru_needs_its_candidate_bias():
    with pytest.raises(ShapeError, match=r"layer0\.candidate_bias is missing"):
        with_layer(model("gru_after"), parameters={})


def written_header(path):
    with safe_open(path, framework="numpy") as file:
        return file.metadata()["ernn"]


def broken_files(path):
    """Name and bytes of files that are not models."""
    good = path.read_bytes()
    tensors = load_file(path)

    def rewritten(tensors, metadata):
        save_file(tensors, path, metadata=metadata)
        return path.read_bytes()

    yield "empty", b""
    yield "truncated", good[:-100]
    yield "header only", good[:40]
    yield "huge header", b"\xff" * 8 + good[8:]
    yield "pickle", b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00."
    later = written_header(path).replace("ernn-compressed-1", "ernn-compressed-9")
    yield "of a later ernn", rewritten(tensors, {"ernn": later})
    yield "foreign", rewritten(tensors, {"format": "pt"})
    yield "no object", rewritten(tensors, {"ernn": "3"})
    yield "no json", rewritten(tensors, {"ernn": "{"})
    header = {"format": "ernn-compressed-1", "features": 6, "labels": 5, "meta": {}}
    for name, layers in [
        ("no layers", None),
        ("layers no list", 7),
        ("unknown cell", [{"cell": "lsmt", "hidden": 8, "cell_activation": "tanh"}]),
        ("missing tensors", [{"cell": "lstm", "hidden": 8, "cell_activation": "tanh"}] * 9),
    ]:
        text = json.dumps({**header, "layers": layers})
        yield name, rewritten(tensors, {"ernn": text})


def test_a_damaged_or_foreign_file_is_one_clear_error(tmp_path):
    path, bad = tmp_path / "m.safetensors", tmp_path / "bad.safetensors"
    model().save(path)
    for name, content in broken_files(path):
        bad.write_bytes(content)
        with pytest.raises(ModelFileError) as caught:
            CompressedModel.load(bad)
        assert caught.value.fault.what.startswith(str(bad)), name
        remedy = "give a compressed.safetensors" if "describe" not in str(caught.value) else ""
        assert caught.value.fault.remedy == remedy, name
        assert "\n" not in str(caught.value), name
    with pytest.raises(ModelFileError, match="missing"):
        CompressedModel.load(tmp_path / "missing.safetensors")
