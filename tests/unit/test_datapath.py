"""Circuits of ernn.hdl.datapath in PyRTL's own simulator, against their golden models."""

import re
from itertools import pairwise

import numpy as np
import pyrtl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.errors import ShapeError
from ernn.fixed import QFormat
from ernn.graphs.activation import design
from ernn.graphs.fourier import Transform, forward, inverse
from ernn.hdl import datapath
from ernn.hw.latency import ACTIVATION_CYCLES


def simulate(words: list[int], latency_cycles: int) -> list[int]:
    """Run the working block on in_i = words; return out_o, each beside its word."""
    simulation = pyrtl.FastSimulation()
    for word in words + [0] * latency_cycles:
        simulation.step({"in_i": word})
    return simulation.tracer.trace["out_o"][latency_cycles:]


def pack(values: np.ndarray, width: int) -> list[int]:
    """Return rows of words as integers, word 0 in the low bits."""
    mask = (1 << width) - 1
    return [sum((int(v) & mask) << width * i for i, v in enumerate(row)) for row in values]


@pytest.mark.parametrize("size", [2, 4, 8, 16, 32])
@pytest.mark.parametrize("kind", [forward, inverse])
@pytest.mark.parametrize(("in_width", "twiddle_bits"), [(12, 12), (5, 8)])
def test_transform(kind, size, in_width, twiddle_bits):
    graph: Transform = kind(size, twiddle_bits)
    out_width = in_width + size.bit_length() + 1
    half = 1 << (in_width - 1)
    rng = np.random.default_rng(size)
    values = rng.integers(-half, half, (2000 // size, size))
    extremes = rng.choice([-half, half - 1], values.shape)
    values = np.concatenate([np.full((1, size), -half), extremes, values])
    with pyrtl.temp_working_block():
        datapath.transform_circuit(graph, in_width, out_width)
        found = simulate(pack(values, in_width), graph.latency_cycles)
    assert found == pack(graph.run(values), out_width)


def test_transform_refuses_a_result_that_does_not_fit():
    with pytest.raises(ShapeError, match="15 bits; out_width is 14"):
        datapath.transform(forward(8, 12), in_width=12, out_width=14, name="narrow")


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
@pytest.mark.parametrize(
    ("row", "gate", "error"),
    [("Q4.7", "Q0.11", 4e-3), ("Q3.9", "Q0.11", 6e-4), ("Q5.4", "Q0.9", 0)],
)
def test_activation(name, row, gate, error):
    """Every input there is."""
    piecewise = design(name, QFormat.parse(row), QFormat.parse(gate), error)
    raw = np.arange(piecewise.row.min_raw, piecewise.row.max_raw + 1)
    with pyrtl.temp_working_block():
        assert datapath.activation_circuit(piecewise) == ACTIVATION_CYCLES
        found = simulate(pack(raw[:, None], piecewise.row.width), ACTIVATION_CYCLES)
    assert found == pack(piecewise.run(raw)[:, None], piecewise.gate.width)


@given(st.integers(-(1 << 20), 1 << 20))
def test_signed_digits(factor):
    digits = datapath.signed_digits(factor)
    assert sum(sign << shift for shift, sign in digits) == factor
    shifts = sorted(shift for shift, _ in digits)
    assert all(b - a > 1 for a, b in pairwise(shifts)), "canonical"


@given(st.integers(-(1 << 40), 1 << 40), st.integers(-(1 << 40), 1 << 40))
def test_signed_bits(a, b):
    bits = datapath.signed_bits(min(a, b), max(a, b))
    fits = -(1 << (bits - 1)) <= min(a, b) and max(a, b) < 1 << (bits - 1)
    smaller = bits > 1 and -(1 << (bits - 2)) <= min(a, b) and max(a, b) < 1 << (bits - 2)
    assert fits and not smaller


def test_equal_circuits_give_equal_text():
    piecewise = design("tanh", QFormat.parse("Q4.7"), QFormat.parse("Q0.11"), 4e-3)

    def write() -> str:
        return datapath.transform(forward(8, 12), 12, 16, "fft") + datapath.activation(piecewise)

    assert write() == write()


def test_a_transform_multiplies_by_adding():
    text = datapath.transform(inverse(16, 12), 20, 26, "ifft")
    assert not re.search(r"\*(?!/)", text.partition("module ifft")[2].replace("/*", ""))
