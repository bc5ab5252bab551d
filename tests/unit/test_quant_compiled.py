"""The compiled arithmetic against the reference on int64: every bit, count and refusal."""

from dataclasses import replace

import numpy as np
import pytest
from deadlines import each
from hypothesis import given, settings
from hypothesis import strategies as st
from models import random_frames, random_integer_model

from ernn.cells import CELLS
from ernn.errors import ShapeError
from ernn.fixed import QFormat
from ernn.graphs.fourier import forward, inverse
from ernn.quant import compiled
from ernn.quant.compiled_arithmetic import CompiledArithmetic
from ernn.quant.integer_arithmetic import IntegerArithmetic
from ernn.quant.integer_model import IntegerModel
from ernn.recipe import QuantizationRecipe

SIZES = [1, 2, 4, 8, 16]
MATRICES = ("input", "recurrent", "candidate", "projection", "output")


@st.composite
def models(draw):
    """Any integer model that a recipe can describe, small."""
    block = draw(st.sampled_from([*SIZES, None]))  # None: every matrix its own
    one = st.sampled_from(list(CELLS))
    cell = draw(st.one_of(one, st.lists(one, min_size=2, max_size=4)))
    kinds = {
        "cell": cell,
        "hidden": draw(st.integers(1, 40)),
        "layers": draw(st.integers(1, 2)),
        "blocks": block or {name: draw(st.sampled_from(SIZES)) for name in MATRICES},
        "features": draw(st.integers(1, 20)),
        "labels": draw(st.integers(0, 5)),
        "scales": draw(st.booleans()),
        "projection": draw(st.integers(0, 9)),
        "peepholes": draw(st.booleans()),
        "cell_activation": draw(st.sampled_from([None, "none", "relu", "sigmoid", "tanh"])),
    }
    bits = QuantizationRecipe(
        weight_bits=draw(st.integers(4, 16)),
        activation_bits=draw(st.integers(4, 16)),
        state_bits=draw(st.integers(8, 18)),
        activation_error=4e-3,
        row_scales=draw(st.booleans()),
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return random_integer_model(rng, bits, **kinds)


@settings(max_examples=25, deadline=None)
@given(
    models(),
    st.lists(st.integers(0, 35), min_size=1, max_size=5).filter(any),
    st.sampled_from([1, 20]),  # 20: nearly everything saturates
)
def test_a_run_is_that_of_the_reference(model, lengths, loudness):
    rng = np.random.default_rng(len(lengths))
    frames = loudness * random_frames(rng, model.features, len(lengths), max(lengths))
    found, expected = (
        model.run(frames, np.array(lengths), model.formats, arithmetic=arithmetic)
        for arithmetic in (CompiledArithmetic, IntegerArithmetic)
    )
    assert found.signals.keys() == expected.signals.keys() == model.formats.keys()
    for name, raw in each(expected.signals.items()):
        assert found.signals[name].dtype == raw.dtype == np.int64
        assert np.array_equal(found.signals[name], raw), name
    assert found.saturated == expected.saturated
    assert found.counted == expected.counted


@pytest.mark.parametrize("block", SIZES)
@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.sampled_from([1, 63, 64, 65, 200]),
    bits=st.integers(2, 20),
    twiddle_bits=st.integers(2, 16),
)
def test_a_transform_is_that_of_its_graph(block, seed, count, bits, twiddle_bits):
    blocks = np.random.default_rng(seed).integers(-(1 << bits), 1 << bits, (count, block))
    for make in (forward, inverse):
        found = np.empty((block, count))
        code = compiled.code_of(make, block, twiddle_bits)
        compiled.transform(code, blocks.astype(np.float64), found)
        assert np.array_equal(found.T, make(block, twiddle_bits).run(blocks))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(-(2**51), 2**51), min_size=1, max_size=9),
    st.integers(2, 20),
    st.integers(-8, 20),
    st.integers(-3, 30),
)
def test_a_move_is_requantize(raw, width, frac_bits, source_frac_bits):
    target = QFormat(width - 1 - frac_bits, frac_bits)
    values = np.array(raw) >> max(0, frac_bits - source_frac_bits)  # a left shift must stay exact
    corners = [0, -1, target.min_raw, target.max_raw]
    values = np.concatenate([values, corners])
    found = np.empty((1, len(values)))
    to = compiled.move(target, source_frac_bits)
    compiled.requantize(values[None].astype(np.float64), np.ones(len(values)), to, found)
    assert np.array_equal(found[0], target.requantize(values, source_frac_bits))


@pytest.fixture(scope="module")
def model() -> IntegerModel:
    return random_integer_model(np.random.default_rng(0), peepholes=True, projection=4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"state": QFormat(40, -25)}, "layer0: peeped_i of"),
        ({"peephole": QFormat(40, -29)}, "layer0: peeped_i of"),
        ({"row": QFormat(60, -45)}, "layer0: h of"),
    ],
)
def test_formats_that_float64_cannot_hold_are_refused(model, change, message):
    with pytest.raises(ShapeError, match=message):
        replace(model, **change)


def test_transforms_that_float64_cannot_hold_are_refused(model):
    product = model.products[0]
    segment = product.segments[0]
    wide = replace(segment, scaled=QFormat(40, 11), spectra=0 * segment.spectra)
    products = (replace(product, segments=(wide, *product.segments[1:])), *model.products[1:])
    with pytest.raises(ShapeError, match=r"transforms of 5\d\.\d bits, of which 52 are exact"):
        replace(model, products=products)


@pytest.mark.parametrize("lengths", [[3], [3, 8], [3, -1], [0, 0]])
def test_lengths_of_other_frames_are_refused(model, lengths):
    with pytest.raises(ShapeError, match=r"of 2 utterances in 7 frames; give one length each"):
        model.run(np.zeros((2, 7, model.features)), np.array(lengths))


def test_compiled_functions_call_no_other_files():
    """Numba would keep machine code that such a file, when it changes, has made wrong."""
    kept = {name: value for name, value in vars(compiled).items() if hasattr(value, "py_func")}
    assert {"requantized", "operate"} <= kept.keys()
    files = {value.py_func.__code__.co_filename for value in kept.values()}
    assert files == {compiled.__file__}
