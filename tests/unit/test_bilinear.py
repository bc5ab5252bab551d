"""The bilinear form of a block: exact for every block size, and printed as Verilog."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.bilinear import Term, additions, spectral, terms
from ernn.hdl.render import sources
from ernn.hw.build import Target, build_plan
from ernn.hw.layout import Sizes
from tests.models import random_integer_model

BLOCKS = (1, 2, 4, 8, 16, 32, 64)


def product_of(w, x):
    """Multiply packed spectra as complex numbers, bin by bin."""
    found = w * x
    a, b, c, d = x[2::2], x[3::2], w[2::2], w[3::2]
    found[2::2], found[3::2] = a * c - b * d, a * d + b * c
    return found


@given(st.sampled_from(BLOCKS), st.integers(0, 2**32 - 1))
def test_the_form_is_the_product_of_two_spectra(block, seed):
    rng, form = np.random.default_rng(seed), spectral(block)
    w, x = rng.integers(-(2**15), 2**15, (2, block))
    found = form.sums @ ((form.operands @ x) * (form.words @ w))
    assert (found == product_of(w, x)).all()
    assert (np.einsum("rwx,w,x->r", form.tensor, w, x) == found).all()


@pytest.mark.parametrize("block", BLOCKS)
def test_no_form_has_fewer_products(block):
    """Two real bins and three multipliers for each of the k/2 - 1 complex ones."""
    form = spectral(block)
    assert form.products == max(1, 3 * block // 2 - 1)
    assert form.operands.shape == form.words.shape == form.sums.shape[::-1]
    assert additions(form.operands) == max(0, block // 2 - 1)
    assert additions(form.sums) == max(0, block - 2)


def test_terms_begin_with_what_is_added():
    assert terms(np.array([-1, 0, 1, 1])) == [Term(2, 1), Term(3, 1), Term(0, -1)]


def read(text: str, count: int, place: str) -> np.ndarray:
    """Return the matrix that lines of Verilog stand for: ``+ gen_x[3].y - gen_x[1].y``."""
    rows = []
    for line in text.splitlines():
        found = re.findall(rf"([+-]?) ?{place}\[(\d+)\]", line.partition("<=")[2] or line)
        row = np.zeros(count, np.int64)
        for sign, number in found:
            row[int(number)] += -1 if sign == "-" else 1
        if found:
            rows.append(row)
    return np.array(rows)


@pytest.mark.parametrize("block", [1, 2, 4, 8, 16])
def test_the_verilog_is_printed_from_the_form(block):
    """Its operands and the additions behind its sums are the form's, for each block of a word."""
    model = random_integer_model(
        np.random.default_rng(1), hidden=16, blocks=block, features=16, labels=0
    )
    sizes = Sizes(2, 2, 1, 1, word=16)
    plan = build_plan(model, sizes, Target("test", "xc7a35t", 200.0, 1))
    files = sources(plan, model.sigmoid, model.tanh, model.twiddle_bits)
    form, mode = spectral(block), plan.modes[0]
    start = f"wire [{mode.macs}*OP_W-1:0] block{block} = {{"
    operands = files["ernn_operands.v"].split(start)[1].split("};")[0]
    assert (read(operands, block, "gen_operand")[::-1] == form.operands).all()
    if block <= 2:  # nothing is added
        assert (form.sums == np.eye(block)).all()
        return
    lane = files["ernn_row_lane.v"].split("reg signed [ADD_W-1:0] spectrum_q")[1]
    sums = read(lane.split("One binary point")[0], mode.groups * mode.macs, "gen_sum")
    assert (sums == np.kron(np.eye(mode.groups, dtype=np.int64), form.sums)).all()
