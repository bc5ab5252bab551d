"""The file of an integer model: what is written is read, anything else is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from models import random_frames, random_integer_model
from safetensors import safe_open
from safetensors.numpy import save_file

from ernn.cells import CELLS
from ernn.errors import Fault, ModelFileError, ShapeError
from ernn.fixed import QFormat
from ernn.quant.integer_model import FILE_FORMAT, REMEDY, IntegerModel

MIXED = {"input": 8, "recurrent": 4, "candidate": 2, "projection": 8, "output": 1}


@pytest.fixture(scope="module")
def model() -> IntegerModel:
    return random_integer_model(np.random.default_rng(0), blocks=MIXED, layers=2, projection=9)


@pytest.fixture
def path(model, tmp_path):
    model.save(tmp_path / "integer.safetensors")
    return tmp_path / "integer.safetensors"


@pytest.mark.parametrize("cell", [*CELLS, tuple(CELLS)], ids=str)
@pytest.mark.parametrize("blocks", [1, 4, MIXED], ids=["dense", "four", "mixed"])
def test_what_is_saved_is_loaded(cell, blocks, tmp_path):
    rng = np.random.default_rng(1)
    model = random_integer_model(rng, cell=cell, blocks=blocks, layers=2)
    model.save(tmp_path / "a")
    loaded = IntegerModel.load(tmp_path / "a")
    loaded.save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    frames = random_frames(rng, model.features)
    first, second = (each.run(frames, taps=each.formats).signals for each in (model, loaded))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "b"]  # no partial file


def parts(path) -> tuple[dict, dict[str, np.ndarray]]:
    with safe_open(path, framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
        return json.loads(file.metadata()["ernn"]), tensors


def test_a_file_of_a_former_ernn_says_what_makes_it_anew(path):
    header, tensors = parts(path)
    change(path, header | {"format": "ernn-integer-1"}, tensors)
    fault = refused(path, "a former ernn is made anew by `ernn quantize` from its recipe")
    assert fault == Fault(f"{path} is no {FILE_FORMAT} file of ernn", remedy=REMEDY)


def change(path, header: dict, tensors: dict[str, np.ndarray]) -> None:
    save_file(tensors, path, metadata={"ernn": json.dumps(header)})


def refused(path, match: str) -> Fault:
    with pytest.raises(ModelFileError, match=match) as caught:
        IntegerModel.load(path)
    assert "\n" not in str(caught.value) and caught.value.fault.what.startswith(str(path))
    return caught.value.fault


@pytest.mark.parametrize("kept", [0, 5, 100, -1, -1000])
def test_truncated_files(path, kept):
    path.write_bytes(path.read_bytes()[:kept])
    refused(path, "not a readable safetensors")


def test_missing_and_foreign_files(path, tmp_path):
    refused(tmp_path / "nothing", "not a readable safetensors")
    header, tensors = parts(path)
    change(path, header | {"format": "ernn-compressed-1"}, tensors)
    refused(path, "is no ernn-integer-2 file")
    save_file(tensors, path)
    refused(path, "is no ernn-integer-2 file")
    path.write_bytes(b"\x80\x04K\x01." * 100)  # a pickle
    refused(path, "not a readable safetensors")


def test_json_that_is_too_deep(path):
    _, tensors = parts(path)
    save_file(tensors, path, metadata={"ernn": "[" * 100_000})
    refused(path, "not a readable safetensors")


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (("features",), 2.5, "where int is expected"),
        (("features",), True, "where int is expected"),
        (("features",), 0, "features = 0"),
        (("word",), 5, "word = 5"),
        (("row",), "Q99.1", "row = Q99.1"),
        (("row",), "16 bits", "not a fixed-point format"),
        (("gate",), "Q0.20", "gate = Q0.20"),
        (("state",), "Q-3.18", "state = Q-3.18"),
        (("activation_bits",), 40, "40 bits"),
        (("layers",), [], "no layers"),
        (("layers", 0, "cell"), "lsmt", "cell 'lsmt' is not known; choose one of lstm"),
        (("layers", 0, "cell"), "gru_after", "layer0: vectors"),
        (("layers", 0, "hidden"), 13, "size 13 is not a multiple"),
        (("layers", 0, "hidden"), 8_000_000_000, "shape"),
        (("layers", 0, "cell_activation"), "relu", "'relu' is not known"),
        (("layers", 0, "vectors", "x"), "Q2.9", "vectors have 11 fraction bits"),
        (("layers", 0, "vectors"), {}, "another format|vectors"),
        (("layers", 1, "vectors", "x"), "Q7.11", "another format"),
        (("products",), [], "products"),
        (("products", 0, "block"), 3, "blocks of 3"),
        (("products", 0, "name"), "gates", "products"),
        (("products", 0, "weight"), "Q1.2", "does not have 12 bits"),
        (("products", 0, "segments", 0, "spectra"), "nowhere", "'nowhere' is missing"),
        (("products", 0, "segments", 0, "scale"), None, "do not go together"),
        (("products", 0, "segments", 0, "scaled"), "Q1.12", "vectors have 11 fraction bits"),
        (("products", 0, "segments", 0, "vector"), "x", "products"),
        (("sigmoid", "name"), "tanh", "sigmoid: tables or formats"),
        (("sigmoid", "index_shift"), -1, "sigmoid: shifts"),
        (("tanh", "slope_frac_bits"), 10**6, "tanh: shifts"),
        (("meta",), {"seed": 3}, "where str is expected"),
        (("surprise",), 1, "has fields"),
    ],
    ids=str,
)
def test_headers_that_describe_no_model(path, where, value, message):
    header, tensors = parts(path)
    place = header["model"]
    for step in where[:-1]:
        place = place[step]
    place[where[-1]] = value
    change(path, header, tensors)
    refused(path, message)


@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        ("products.0.segments.0.spectra", lambda a: a + 4096, "values outside"),
        ("products.0.segments.0.spectra", lambda a: a[:, :-1].copy(), "shape"),
        ("products.0.segments.0.spectra", lambda a: a.astype(np.float32), "missing"),
        ("products.0.segments.0.scale", lambda a: a * 0 + 5000, "values outside"),
        ("products.0.bias", lambda a: a[:-1].copy(), "shape"),
        ("products.0.bias", lambda a: a[0], "shape"),
        ("layers.0.parameters.peepholes", lambda a: a[:2].copy(), "shape"),
        ("sigmoid.slopes", lambda a: a * 0 - 1, "slopes outside"),
        ("tanh.slopes", lambda a: a * 0 + 65536, "results outside"),
        ("tanh.slopes", lambda a: a[:0].copy(), "tables or formats"),
        ("tanh.intercepts", lambda a: a[1:].copy(), "tables or formats"),
    ],
)
def test_tensors_that_describe_no_model(path, name, spoil, message):
    header, tensors = parts(path)
    tensors[name] = np.asarray(spoil(tensors[name]))
    change(path, header, tensors)
    refused(path, message)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_no_damage_ends_in_anything_but_one_sentence(path, data):
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, min(len(content), 12_000) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    damaged = path.with_name("damaged")
    damaged.write_bytes(content)
    try:
        IntegerModel.load(damaged)  # a weight or a name in meta may change unseen
    except ModelFileError as error:
        assert "\n" not in str(error)


def test_sums_that_float64_cannot_hold_are_refused(model):
    product = model.products[0]
    segment = product.segments[0]
    segment = replace(segment, scaled=QFormat(40, 11), spectra=segment.spectra * 0 + 2047)
    products = (replace(product, segments=(segment,)), *model.products[1:])
    with pytest.raises(ShapeError, match="of which 52 are exact; use fewer"):
        replace(model, products=products)
