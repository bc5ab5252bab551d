"""Weights stored once: adders make of them what is stored thrice, and who chooses it says why."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.bilinear import spectral
from ernn.errors import PlanError
from ernn.flow.planning import describe, front_file
from ernn.hdl.memory import weight_words
from ernn.hw.build import Target, build_plan
from ernn.hw.explore import explore, sizes_of
from ernn.hw.layout import Sizes
from ernn.hw.plan import HardwarePlan
from ernn.hw.stored import stored_bits, stored_once, stored_thrice
from ernn.hw.weight_code import least_bits
from ernn.recipe import HardwareRecipe
from tests.models import random_integer_model

MIXED = {"input": 8, "recurrent": 4, "projection": 2, "output": 1}
PART = """
name = "MY-FPGA"
family = "7-series"
node_nm = 28
dsp = 90
bram36 = {bram36}
lut = 60000
memory_luts = 600
ff = 90000
source = "my data sheet"
"""


def model_of(blocks=8, **kinds):
    sizes = {"hidden": 32, "features": 16, "labels": 8} | kinds
    return random_integer_model(np.random.default_rng(3), cell="lstm", blocks=blocks, **sizes)


def part_of(tmp_path, bram36):
    path = tmp_path / "mine.toml"
    path.write_text(PART.format(bram36=bram36))
    return str(path)


def wrapped(values, bits):
    half = 1 << (bits - 1)
    return (values + half) % (2 * half) - half


@st.composite
def blocks(draw: st.DrawFn) -> tuple[int, int, int]:
    """Draw a word, the largest block that it holds, and one that is not larger."""
    word = draw(st.sampled_from([4, 8, 16, 32]))
    largest = draw(st.sampled_from([one for one in (4, 8, 16, 32) if one <= word]))
    block = draw(st.sampled_from([one for one in (1, 2, 4, 8, 16, 32) if one <= largest]))
    return word, largest, block


@given(sizes=blocks(), bits=st.integers(2, 16), data=st.data())
def test_adders_make_every_weight(sizes, bits, data):
    """Of stored words and weights modulo what their bits hold, at each product's multiplier."""
    word, largest, block = sizes
    ends = st.sampled_from([-(1 << (bits - 1)), (1 << (bits - 1)) - 1])
    values = st.integers(-(1 << (bits - 1)), (1 << (bits - 1)) - 1) | ends
    spectra = np.array(data.draw(st.lists(values, min_size=word, max_size=word)))
    thrice, once = stored_thrice(block, word), stored_once(block, largest, word)
    wide = bits + (largest > 2)  # of a weight
    narrow = bits if block == largest else wide  # of a stored word
    held = wrapped(once.words @ spectra, narrow)
    adders = np.kron(np.eye(word // largest, dtype=np.int64), spectral(largest).words)
    weights = wrapped(adders @ held, wide)
    assert (weights[list(once.places)] == thrice.words @ spectra).all()
    assert len(set(once.places)) == len(once.places)
    assert (thrice.places, len(once.words)) == (tuple(range(len(thrice.words))), word)


@pytest.mark.parametrize("block", [4, 8, 16])
def test_blocks_of_one_size_lie_as_they_are(block):
    found = stored_once(block, block, 32)
    assert (found.words == np.eye(32)).all()
    assert found.places == stored_thrice(block, 32).places


@pytest.mark.parametrize(("blocks", "bits"), [(8, 12), (MIXED, 13), (2, 0), (1, 0)])
def test_bits_of_a_stored_word(blocks, bits):
    model = model_of(blocks, projection=8)
    assert stored_bits(model.products, model.word, 13) == bits
    sizes = Sizes(4, 2, 2, 1, weights_once=True)
    plan = build_plan(model, sizes, Target("test", "xc7a35t", 200.0, 1))
    assert (plan.once_bits, sizes_of(plan).weights_once) == (bits, bits > 0)
    assert ("once_bits" in json.loads(plan.to_json())) == (bits > 0)
    if bits:
        assert plan.row_weight_bits == 2 * plan.word * bits < 2 * plan.macs * 13
        words = weight_words(plan, model)
        assert words.shape == (plan.steps, 4 * 2 * plan.word)
        held = least_bits(model.products, True)
        assert words.size * bits >= held >= np.count_nonzero(words) * bits


def asked(part: str, **keys) -> HardwareRecipe:
    """Sizes that leave the planner nothing else to choose, so that it is quick."""
    sizes = {"word": 8, "pe_rows": 1, "pe_columns": 1, "drain_lanes": 1, "cell_lanes": 1}
    return HardwareRecipe(part=part, streams=1, **sizes, **keys)


def test_a_network_that_fits_only_so_is_stored_once(tmp_path):
    """And keeps weights thrice where that fits."""
    model, tight = model_of(hidden=128, features=128), part_of(tmp_path, 12)
    found = explore(model, asked(tight), "test")
    assert found.chosen.plan.once_bits == 12
    short = r"stored thrice, it would need \d+ 36-kbit memory blocks where 12 are free"
    assert re.match(short, front_file(found)["once"])
    found.chosen.plan.save(tmp_path / "plan.json")
    assert HardwarePlan.load(tmp_path / "plan.json") == found.chosen.plan
    with pytest.raises(PlanError, match='leave weights = "thrice" out'):
        explore(model, asked(tight, weights="thrice"), "test")
    wide = explore(model, asked("XC7A100T"), "test")
    assert (wide.chosen.plan.once_bits, wide.once) == (0, "")
    with pytest.raises(PlanError, match=r"smallest design needs, with weights stored once, \d+"):
        explore(model, asked(part_of(tmp_path, 1)), "test")


def test_a_recipe_may_ask_for_it():
    model = model_of()
    found = explore(model, asked("XC7A100T", weights="once"), "test")
    told = "c and d of complex bins in 12 bits, and adders in front of the PEs make d - c and c + d"
    lines = "\n".join(describe(found))
    assert f"weights are stored once, {told}: the recipe asks for it" in lines
    assert found.chosen.plan.once_bits == 12
    thrice = explore(model, asked("XC7A100T"), "test")
    assert "stored once" not in "\n".join(describe(thrice))
    assert found.chosen.rate == thrice.chosen.rate
    assert found.chosen.used.dsp == thrice.chosen.used.dsp
    with pytest.raises(PlanError, match=r"which store every weight once anyway.*leave it out"):
        explore(model_of(2), asked("XC7A100T", weights="once"), "test")
