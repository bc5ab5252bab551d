"""The golden model as a whole: near the float model, and the same however it is run."""

from dataclasses import replace

import numpy as np
import pytest
from deadlines import each
from hypothesis import given, settings
from hypothesis import strategies as st
from models import random_frames, random_integer_model, random_model

from ernn.compressed import CompressedModel, circulant_matrix, padded
from ernn.errors import CorpusError, ShapeError
from ernn.fixed import QFormat
from ernn.quant import interpreter
from ernn.quant.float_model import run_float
from ernn.quant.integer_model import IntegerModel
from ernn.quant.quantize import quantize
from ernn.recipe import QuantizationRecipe

FINEST = QuantizationRecipe(
    weight_bits=16, activation_bits=16, state_bits=18, activation_error=2e-4
)
FRAMES = 12
MIXED = {"input": 8, "recurrent": 4, "candidate": 2, "projection": 16, "output": 1}


@st.composite
def models(draw):
    """Any model that a recipe can describe, small."""
    block = st.sampled_from([1, 2, 4, 8, 16])
    cell = draw(st.sampled_from(["lstm", "gru_before", "gru_after"]))
    kinds = {
        "cell": cell,
        "hidden": draw(st.integers(1, 19)),
        "layers": draw(st.integers(1, 3)),
        "blocks": {name: draw(block) for name in MIXED},
        "features": draw(st.integers(1, 19)),
        "labels": draw(st.integers(0, 5)),
        "scales": draw(st.booleans()),
    }
    if cell == "lstm":
        kinds["projection"] = draw(st.integers(0, 9))
        kinds["peepholes"] = draw(st.booleans())
        kinds["cell_activation"] = draw(st.sampled_from(["tanh", "sigmoid"]))
    return random_model(np.random.default_rng(draw(st.integers(0, 2**32 - 1))), **kinds)


@settings(max_examples=40, deadline=None)
@given(models(), st.integers(0, 2**32 - 1))
def test_integers_follow_the_float_model(model, seed):
    frames = random_frames(np.random.default_rng(seed), model.features, 2, FRAMES)
    integer, exact = quantize(model, FINEST, list(frames)), run_float(model, frames)
    trace = integer.run(frames, taps=integer.formats)
    assert set(trace.signals) == set(exact) == set(integer.formats)
    # Everything else is finer than the error of the activations, of which a frame of a layer
    # adds at most eight: three gates, times a state of about two, and what comes back by h.
    tolerance = 8 * FINEST.activation_error * FRAMES * len(model.layers)
    for name, values in each(exact.items()):
        if name.endswith(("row", "scaled", "x")):
            continue  # rows of gates may saturate, where nothing depends on them any more
        assert np.abs(trace.to_float(name) - values).max() < tolerance, name


@settings(max_examples=15, deadline=None)
@given(models(), st.sampled_from([4, 8, 12]))
def test_every_signal_stays_in_its_format(model, bits):
    recipe = QuantizationRecipe(weight_bits=bits, activation_bits=bits, state_bits=max(bits, 8))
    frames = random_frames(np.random.default_rng(1), model.features, 2, FRAMES)
    integer = quantize(model, recipe, list(frames))
    trace = integer.run(3 * frames, taps=integer.formats)
    for name, raw in each(trace.signals.items()):
        assert raw.dtype == np.int64
        assert integer.formats[name].min_raw <= raw.min()
        assert raw.max() <= integer.formats[name].max_raw


@pytest.fixture(scope="module", params=["lstm", "gru_before", "gru_after"])
def integer(request) -> IntegerModel:
    rng = np.random.default_rng(7)
    projection = 9 if request.param == "lstm" else 0
    return random_integer_model(
        rng, cell=request.param, layers=2, blocks=MIXED, projection=projection
    )


def everything(model: IntegerModel, frames: np.ndarray, lengths=None) -> dict[str, np.ndarray]:
    return model.run(frames, lengths, taps=model.formats).signals


def test_an_utterance_does_not_depend_on_the_others_or_on_padding(integer):
    frames = random_frames(np.random.default_rng(0), integer.features, 3, 40)
    lengths = np.array([40, 1, 17])
    together = everything(integer, frames, lengths)
    for number, length in enumerate(lengths):
        alone = everything(integer, frames[number : number + 1, :length])
        for name, raw in together.items():
            assert np.array_equal(raw[number, :length], alone[name][0]), name
            assert not raw[number, length:].any()


def test_chunks_change_nothing(integer, monkeypatch):
    frames = random_frames(np.random.default_rng(0), integer.features, 2, 40)
    whole = everything(integer, frames)
    monkeypatch.setattr(interpreter, "CHUNK_FRAMES", 7)
    calls = []
    chunked = integer.run(frames, None, integer.formats, lambda *done: calls.append(done))
    assert all(np.array_equal(whole[name], chunked.signals[name]) for name in whole)
    assert calls == [(14, 80), (28, 80), (42, 80), (56, 80), (70, 80), (80, 80)]


def test_a_frame_depends_on_the_past_only(integer):
    frames = random_frames(np.random.default_rng(0), integer.features, 1, 20)
    changed = frames.copy()
    changed[:, 12:] = 1.0
    before, after = (everything(integer, each)["logits"] for each in (frames, changed))
    assert np.array_equal(before[:, :12], after[:, :12])
    assert not np.array_equal(before[:, 12:], after[:, 12:])


def test_only_the_taps_are_kept_and_saturation_is_counted_for_all(integer):
    frames = random_frames(np.random.default_rng(0), integer.features, 2, 9)
    trace = integer.run(50 * frames, np.array([9, 4]))
    assert set(trace.signals) == {"layer1.h", "logits"}
    assert set(trace.saturated) == set(trace.counted) == set(integer.formats)
    x = integer.quantize_features(50 * frames)
    ends = (x == integer.formats["layer0.x"].min_raw) | (x == integer.formats["layer0.x"].max_raw)
    assert trace.saturated["layer0.x"] == ends[0].sum() + ends[1, :4].sum() > 0
    assert trace.counted["layer0.x"] == 13 * x.shape[2]


def test_signals_that_do_not_exist_are_refused(integer):
    with pytest.raises(ShapeError, match=r"no signals \['layer9.h'\]"):
        integer.run(np.zeros((1, 2, integer.features)), taps={"layer9.h"})


def test_features_are_padded_and_quantized(integer):
    frames = np.full((2, 3, integer.features), 0.75)
    raw = integer.quantize_features(frames)
    form = integer.layers[0].vectors["x"]
    assert raw.shape == (2, 3, padded(7, integer.word))
    assert (form.to_float(raw[..., : integer.features]) == 0.75).all()
    assert not raw[..., integer.features :].any()


def test_cells_that_pad_a_layer_stay_at_rest():
    """Zero weights and biases keep a cell at exactly zero, so padding costs no accuracy."""
    rng = np.random.default_rng(2)
    for cell in ("lstm", "gru_before", "gru_after"):
        model = random_model(rng, cell, blocks=4, scales=False, labels=0)
        layer = model.layers[0]
        silent = {n: circulant_matrix(0 * m.generators, m.scale) for n, m in layer.matrices.items()}
        silenced = {name: 0 * each for name, each in layer.parameters.items()}
        layer = replace(layer, matrices=silent, bias=0 * layer.bias, parameters=silenced)
        model = CompressedModel(model.features, (layer,))
        frames = random_frames(rng, model.features)
        trace = quantize(model, QuantizationRecipe(), list(frames)).run(frames)
        assert not trace.signals["layer0.h"].any()


def test_formats_are_those_of_the_documentation(integer):
    assert integer.row.width == 16 and 3 <= integer.row.int_bits <= 6
    assert integer.gate == QFormat(0, 15) and integer.state.width == 16
    vectors = [form for layer in integer.layers for form in layer.vectors.values()]
    scaled = [segment.scaled for product in integer.products for segment in product.segments]
    assert {form.frac_bits for form in vectors + scaled} == {11}
    growth = {8: 3, 16: 4}[integer.word] + 1
    assert integer.inverse_input == QFormat(integer.row.int_bits + growth, integer.row.frac_bits)
    for layer in integer.layers:
        unit = set(layer.vectors) - ({"x", "h"} if "m" in layer.vectors else {"x"})
        assert {layer.vectors[name] for name in unit} == {QFormat(0, 11)}
    fractions = [product.weight.frac_bits for product in integer.products]
    assert max(fractions) - min(fractions) <= 3
    assert {product.weight.width for product in integer.products} == {12}


def test_weights_of_all_products_align_within_three_bits():
    model = random_model(np.random.default_rng(0), labels=5)
    tiny = circulant_matrix(model.output.generators / 1000, model.output.scale)
    model = replace(model, output=tiny)
    calibration = list(random_frames(np.random.default_rng(1), model.features))
    gates, logits = quantize(model, QuantizationRecipe(), calibration).products
    assert logits.weight.frac_bits == gates.weight.frac_bits + 3


def test_quantizing_twice_gives_the_same_bytes(tmp_path):
    for name in "ab":
        random_integer_model(np.random.default_rng(4), blocks=MIXED).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_calibration_that_shows_nothing_is_refused():
    model = random_model(np.random.default_rng(0))
    for calibration, message in (
        ([], "no utterances"),
        ([np.zeros((0, 7))], "no frames"),
        ([np.full((3, 7), np.nan)], "NaN or infinite"),
    ):
        with pytest.raises(CorpusError, match=message):
            quantize(model, QuantizationRecipe(), calibration)
    with pytest.raises(ShapeError, match="utterances of shapes"):
        quantize(model, QuantizationRecipe(), [np.zeros((3, 7)), np.zeros((3, 6))])
