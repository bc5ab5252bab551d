"""Weight codes: what memories write, in the fewest bits, and what PEs read of it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.errors import ShapeError
from ernn.hw.weight_code import levels_save_nothing, weight_code
from ernn.structures.level_sets import LEVELS, level_format, level_integers
from tests.models import random_integer_model

KINDS = list(LEVELS)


def decode(code, words):
    """Do what ernn_pe and ernn_power_product do."""
    words = words & ((1 << code.bits) - 1)
    if code.odd:
        words = 2 * words + 1
    top = 1 << (code.value_bits - 1)
    if not code.powers:
        return words - 2 * (words & top)
    exponent = words & (top - 1)
    return np.where(words & top, -1, 1) * np.where(exponent, 1 << np.maximum(exponent - 1, 0), 0)


def drawn(levels, output=None, **model):
    rng = np.random.default_rng(2)
    own = {"cell": "gru_before", "hidden": 8, "blocks": 1, "labels": 4}
    return random_integer_model(rng, **own, levels=levels, output_levels=output, **model)


@pytest.mark.parametrize("kind", KINDS)
def test_levels_are_integers_of_their_format(kind):
    raw = np.array(level_integers(kind))
    assert (level_format(kind).to_float(raw) == LEVELS[kind]).all()
    assert (level_format(kind).quantize(np.array(LEVELS[kind])) == raw).all()


@given(st.sampled_from(KINDS), st.sampled_from(KINDS), st.booleans())
def test_what_is_written_is_read(kind, output, zeros):
    model = drawn(kind, output)
    code = weight_code(model.products, zeros)
    raw = np.array([*level_integers(kind), *level_integers(output), *([0] if zeros else [])])
    assert (decode(code, code.encode(raw)) == raw).all()


@pytest.mark.parametrize(
    ("kind", "bits", "gaps"),
    [
        ("binary", 1, 2),
        ("ternary", 2, 2),
        ("powers", 3, 3),
        ("2bit", 2, 3),
        ("3bit", 3, 3),
        ("4bit", 4, 4),
    ],
)
def test_bits_of_a_weight(kind, bits, gaps):
    products = drawn(kind, kind).products
    found = [weight_code(products, zeros) for zeros in (False, True)]
    assert [one.bits for one in found] == [bits, gaps]
    assert {one.powers for one in found} == {kind in ("binary", "ternary", "powers")}


def test_one_product_of_any_weights_makes_all_words_as_wide():
    model = drawn("ternary")
    assert weight_code(model.products, False).bits == model.weight_bits == 12
    assert not weight_code(model.products, False).powers
    told = levels_save_nothing(model.products)
    assert "room for the 12 bits of logits of layer 1; give these levels, too" in told
    assert not levels_save_nothing(drawn("ternary", "4bit").products)
    assert not levels_save_nothing(drawn(None).products)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"levels": "quaternary"}, "levels 'quaternary' are not known"),
        ({"levels": "binary"}, "has weights that are not binary"),
        ({"levels": "4bit"}, "is not the format of 4bit levels"),
        ({"shifts": np.ones(16, np.int64)}, "with row scales"),
    ],
)
def test_what_a_model_says_of_its_levels_is_checked(change, told):
    model = drawn("ternary", "ternary")
    product = replace(model.products[0], **change)
    with pytest.raises(ShapeError, match=told):
        replace(model, products=(product, *model.products[1:]))


def test_a_file_keeps_the_levels(tmp_path):
    model = drawn("ternary", "4bit")
    model.save(tmp_path / "m.safetensors")
    found = type(model).load(tmp_path / "m.safetensors")
    assert [one.levels for one in found.products] == ["ternary", "ternary", "4bit"]
