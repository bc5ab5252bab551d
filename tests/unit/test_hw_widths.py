"""Widths are proved: nothing exceeds the bounds, and a worst case comes near each of them.

Everything is computed by the integer model's own arithmetic.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.bilinear import spectral
from ernn.errors import PlanError
from ernn.fixed import QFormat
from ernn.graphs.fourier import forward
from ernn.hw import build
from ernn.hw.build import Target, build_plan
from ernn.hw.layout import Sizes
from ernn.hw.widths import bounds, operand_transform, signed_bits, weight_bounds
from ernn.quant.products import Segment, Weights, transform
from ernn.recipe import QuantizationRecipe
from tests.models import random_integer_model

BLOCKS = (1, 2, 4, 8, 16, 32, 64)
STEPS = 5


def ends(bits):
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1


def spectra_of(vectors, weight, activation):
    """Transform (n, q, k) blocks as the integer model does: (n, q, k) packed spectra."""
    n, q, k = vectors.shape
    segment = Segment("x", "input", weight, None, None, QFormat(0, activation - 1))
    return np.moveaxis(transform(segment, vectors.reshape(n, q * k), activation), 0, -1)


def operands_of(spectra):
    """Real bins, then a + b, a, b of each complex bin: (..., k) -> (..., macs)."""
    a, b = spectra[..., 2::2], spectra[..., 3::2]
    triples = np.stack([a + b, a, b], axis=-1).reshape(*a.shape[:-1], -1)
    return np.concatenate([spectra[..., :2], triples], axis=-1)


def stored_words(spectra):
    """Real bins, then c, d - c, c + d of each complex bin: (..., k) -> (..., macs)."""
    c, d = spectra[..., 2::2], spectra[..., 3::2]
    triples = np.stack([c, d - c, c + d], axis=-1).reshape(*c.shape[:-1], -1)
    return np.concatenate([spectra[..., :2], triples], axis=-1)


def reaching(block, activation):
    """Return inputs (2 * macs, k) that make each operand largest, then smallest.

    The signs of the basis functions, which are what unit inputs lead to.
    """
    graph = operand_transform(block, activation)
    signs = graph.run(np.eye(block, dtype=np.int64) << 20).T >= 0  # (macs, k)
    low, high = ends(activation)
    return np.concatenate([np.where(signs, high, low), np.where(signs, low, high)])


def within(values, intervals):
    lows, highs = (np.array(end) for end in zip(*intervals, strict=True))
    return bool(((values >= lows) & (values <= highs)).all())


def halfway(values, intervals):
    """Whether the largest magnitude of each column is at least half of what its interval allows."""
    most = np.array([max(-low, high) for low, high in intervals])
    return bool((2 * np.abs(values).reshape(-1, len(most)).max(axis=0) >= most).all())


widths = {
    "block": st.sampled_from(BLOCKS),
    "activation": st.integers(4, 16),
    "weight": st.integers(4, 16),
}


@given(**widths, seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_nothing_exceeds_the_bounds(block, activation, weight, seed):
    rng, entering = np.random.default_rng(seed), QFormat(0, activation - 1)
    proved = bounds(block, activation, ends(weight), ((entering, STEPS),))
    low, high = ends(activation)
    vectors = rng.integers(low, high + 1, (40, STEPS, block))
    vectors[:20] = rng.choice([low, high], (20, STEPS, block))  # nothing is larger
    vectors[:2] = np.array([low, high])[:, None, None]
    least, most = ends(weight)
    spectra = rng.choice([least, most, least, most, 0], (1, STEPS, block))
    found = spectra_of(vectors, spectra, activation)  # (n, q, k)
    operands = operands_of(found)
    sums = (operands * stored_words(spectra)[0]).sum(axis=1)
    segment = Segment("x", "input", spectra, None, None, entering)
    totals = Weights(segment).multiply(np.moveaxis(found, -1, 0))[:, :, 0].T  # (n, k)
    assert within(operands, proved.operands)
    assert within(sums, proved.sums)
    assert within(totals, proved.spectrum)


@given(**widths)
@settings(max_examples=25, deadline=None)
def test_a_worst_case_comes_near_every_bound(block, activation, weight):
    entering = QFormat(0, activation - 1)
    proved = bounds(block, activation, ends(weight), ((entering, STEPS),))
    inputs = reaching(block, activation)
    spectra = forward(block, activation).run(inputs)
    assert halfway(spectra, forward(block, activation).bounds(*ends(activation))[-1])
    operands = operands_of(spectra)
    assert halfway(operands, proved.operands)
    least, most = ends(weight)
    corners = np.stack(np.meshgrid([least, most], [least, most]), -1).reshape(4, 1, 2)  # c, d
    stored = stored_words(np.tile(corners, (1, 1, max(1, block // 2)))[..., :block])
    sums = STEPS * operands[:, None] * stored[None, :, 0]  # every input against every corner
    assert halfway(sums, proved.sums)
    a, b = spectra[:, None, 2::2], spectra[:, None, 3::2]
    c, d = corners[None, :, :, 0], corners[None, :, :, 1]
    bins = STEPS * np.stack([a * c - b * d, a * d + b * c], axis=-1)
    assert block <= 2 or halfway(bins, proved.spectrum[2:])
    # A bit less would be too few for what was just computed.
    assert signed_bits(proved.operands) == signed_bits([(int(operands.min()), int(operands.max()))])


@pytest.mark.parametrize("block", BLOCKS)
def test_operands_are_those_of_the_array(block):
    """What the bounds are proved for is what ernn_operands computes."""
    x = np.random.default_rng(1).integers(-2048, 2048, (30, block))
    found = operand_transform(block, 12).run(x)
    assert (found == operands_of(forward(block, 12).run(x))).all()
    assert found.shape[1] == spectral(block).products == len(weight_bounds(block, (-2048, 2047)))


@pytest.mark.parametrize("bits", [2, 9, 16])
def test_weights_reach_their_bounds(bits):
    least, most = ends(bits)
    corners = np.stack(np.meshgrid([least, most], [least, most]), -1).reshape(4, 1, 2)
    stored = stored_words(np.concatenate([corners, corners], axis=-1))[:, 0]
    found = list(zip(stored.min(axis=0), stored.max(axis=0), strict=True))
    assert found == weight_bounds(4, (least, most))


BYTE = (-128, 127)


def test_two_vectors_add_up():
    """Each against its own format and steps: features may be wider than hidden values."""
    wide, narrow = QFormat(3, 7), QFormat(0, 7)
    together = bounds(8, 8, BYTE, ((wide, 2), (narrow, 3))).sums
    apart = [bounds(8, 8, BYTE, (part,)).sums for part in ((wide, 2), (narrow, 3))]
    assert together == tuple((a[0] + b[0], a[1] + b[1]) for a, b in zip(*apart, strict=True))
    assert bounds(8, 8, BYTE, ((wide, 6),)) == bounds(8, 8, BYTE, ((wide, 2),)).columns(3)


@pytest.mark.parametrize("blocks", [1, 2, 4, 8, {"input": 8, "recurrent": 2, "candidate": 4}])
def test_a_plan_is_as_wide_as_its_widest_job(blocks):
    model = random_integer_model(np.random.default_rng(3), cell="gru_before", blocks=blocks)
    plan = build_plan(model, Sizes(4, 2, 2, 1), Target("test", "XC7Z020", 200.0, 2))
    assert plan.weight_bits == model.weight_bits + (plan.modes[0].block > 2)
    assert plan.spectrum_bits <= plan.operand_bits <= plan.spectrum_bits + 1
    assert plan.operand_bits + plan.weight_bits <= plan.acc_bits <= plan.sum_bits
    assert plan.add_bits <= plan.sum_bits
    assert plan.aligned_bits <= plan.add_bits + max(plan.aligns)


def test_sums_that_no_accumulator_holds(monkeypatch):
    bits = QuantizationRecipe(weight_bits=16, activation_bits=16)
    model = random_integer_model(np.random.default_rng(3), bits, hidden=32, blocks=8)
    target = Target("test", "XC7Z020", 200.0, 2)
    needed = build_plan(model, Sizes(4, 1, 1, 1), target).acc_bits
    monkeypatch.setattr(build, "MAX_ACC_BITS", needed - 1)
    with pytest.raises(PlanError, match=f"sums need {needed} bits .* use fewer"):
        build_plan(model, Sizes(4, 1, 1, 1), target)
