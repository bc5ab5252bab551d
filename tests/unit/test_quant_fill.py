"""Vectors filled up with zeros: the same outputs, in words of several values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import random_frames, random_integer_model

from ernn.graphs.reads import FEATURES
from ernn.hw.explore import explore
from ernn.quant.fill import FILLED, filled
from ernn.quant.predict import predict
from ernn.recipe import HardwareRecipe, QuantizationRecipe


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_outputs_are_the_same_bit_for_bit(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    cell = data.draw(st.sampled_from(["lstm", "gru_before", "gru_after", "mgu", "rnn"]))
    model = random_integer_model(
        rng,
        QuantizationRecipe(row_scales=data.draw(st.booleans())),
        cell=[cell, "dense"] if data.draw(st.booleans()) else cell,
        hidden=data.draw(st.integers(20, 45)),
        features=data.draw(st.integers(9, 20)),
        labels=data.draw(st.sampled_from([0, 13, 24])),
        blocks=data.draw(st.sampled_from([1, 2, 4])),
        projection=data.draw(st.sampled_from([0, 18])) if cell == "lstm" else 0,
        reads={1: (FEATURES, 0)} if data.draw(st.booleans()) else None,
        layers=2,
    )
    wide = filled(model)
    frames = list(random_frames(rng, model.features, batch=2, frames=5))
    for one, other in zip(predict(model, frames), predict(wide, frames), strict=True):
        np.testing.assert_array_equal(one, other)
    if wide is not model:
        sizes = [layer.output for layer in wide.layers] + [layer.hidden for layer in wide.layers]
        assert wide.word > model.word and not any(size % wide.word for size in sizes)
        assert wide.meta[FILLED].startswith("filled up with zeros, so that ")


def test_odd_sizes_become_multiples_of_8_and_are_named():
    rng = np.random.default_rng(0)
    model = random_integer_model(rng, hidden=37, features=30, labels=0, blocks=1, cell="gru_after")
    wide = filled(model)
    assert (wide.word, wide.layers[0].output, wide.labels, wide.features) == (8, 40, 37, 30)
    assert wide.meta[FILLED] == (
        "filled up with zeros, so that 8 values move together: 30 to 32, 37 to 40"
    )
    asked = HardwareRecipe(part="XC7A100T", streams=1, objective="latency")
    before, after = (explore(one, asked, "test").chosen.rate for one in (model, wide))
    assert after.latency_cycles < 0.6 * before.latency_cycles


@pytest.mark.parametrize(
    ("sizes", "word"),
    [((40, 16, 8), 1), ((37, 30, 24), 8), ((10, 30, 6), 1), ((3, 3, 3), 1)],
)
def test_nothing_is_filled_up_where_it_is_not_worth_it(sizes, word):
    hidden, features, labels = sizes
    model = random_integer_model(
        np.random.default_rng(0), hidden=hidden, features=features, labels=labels, blocks=1
    )
    assert filled(model).word == word
    assert (filled(model) is model) == (word == 1)
