"""The models of ESE, C-LSTM and E-RNN: published rows, and what must hold of any machine."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.compressed import CompressedModel
from ernn.energy.baselines import (
    C_LSTM,
    E_RNN,
    PIPELINES,
    deviations,
    model_ese,
    model_pipeline,
    multipliers_of,
)
from ernn.energy.published import load_published
from ernn.energy.shape import Layer, Matrix, Shape, benchmark_shape, shape_of
from ernn.parts.part import load_part
from ernn.random_model import random_model

PUBLISHED = load_published()
VIRTEX, KINTEX = load_part("XC7VX690T"), load_part("XCKU060")
DEVIATIONS = deviations(PUBLISHED)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("block", [1, 8, 16])
def test_the_benchmark_layer_has_its_published_size(cell, block):
    shape = benchmark_shape(cell, block)
    assert shape.dense == PUBLISHED.dense_macs_per_frame[cell]
    padded = {"lstm": 3_276_800, "gru": 3_637_248}[cell]
    assert shape.weights == padded // block


def test_every_published_row_is_compared_twice():
    assert len(DEVIATIONS) == 2 * len(PUBLISHED.designs) + 2 + 3  # ESE: two latencies; run: three
    assert {one.design for one in DEVIATIONS} == {"ESE", "ESE, run", "C-LSTM", "E-RNN"}


@pytest.mark.parametrize(
    ("design", "most_percent"), [("ESE", 0.3), ("C-LSTM", 16), ("E-RNN", 20.5)]
)
def test_no_row_deviates_more_than_docs_say(design, most_percent):
    found = [abs(one.percent) for one in DEVIATIONS if one.design == design]
    assert most_percent / 2 < max(found) < most_percent or (design == "ESE" and max(found) < 0.3)


@pytest.mark.parametrize("design", PIPELINES)
def test_the_one_free_number_makes_the_mean_deviation_zero(design):
    """To about one PE, as PEs are whole."""
    rates = [d for d in DEVIATIONS if d.design == design and d.figure.startswith("frames")]
    assert abs(sum(math.log(d.modelled / d.published) for d in rates)) / len(rates) < 0.015


def test_ese_is_its_own_arithmetic():
    """364,112 non-zero weights, 32 PEs, 200 MHz: 56.9 us computed."""
    computed, measured = model_ese(benchmark_shape("lstm", 1), KINTEX)
    assert computed.latency_us == pytest.approx(364_116 / 32 / 200)
    assert measured.latency_us / computed.latency_us == pytest.approx(82.7 / 57)
    assert (computed.frames_in_flight, measured.frames_in_flight) == (1, 32)
    assert measured.frames_per_second == pytest.approx(32e6 / measured.latency_us)


def test_a_pipeline_is_its_own_arithmetic():
    """One PE for the gates and one for the projection, a block a cycle, counted by hand."""
    part = replace(VIRTEX, dsp=116)  # 44 multipliers for E-RNN: 8 transforms, a lane of 11, 25 free
    layer = Layer("lstm", 16, Matrix(64, 16, 8), Matrix(64, 8, 8), None, Matrix(8, 16, 8), True)
    told = model_pipeline(E_RNN, Shape((layer,)), part)
    assert multipliers_of(8) == 14
    assert told.multipliers == 44
    # 25 multipliers are less than two PEs: 2 x 14 / 25 is two cycles a block, 8 x 3 blocks
    assert told.frames_per_second == pytest.approx(200e6 / (2 * 24 + 22))
    assert told.latency_us == pytest.approx(3 * (2 * 24 + 22) / 200)


@pytest.mark.parametrize(("block", "count"), [(1, 1), (2, 2), (4, 6), (8, 14), (16, 30), (32, 62)])
def test_multipliers_of_a_block(block, count):
    assert multipliers_of(block) == count


def test_a_larger_board_than_the_smaller_one_makes_nothing_faster():
    shape = benchmark_shape("gru", 8)
    here, there = (model_pipeline(E_RNN, shape, part) for part in (VIRTEX, KINTEX))
    assert here.frames_per_second == there.frames_per_second


sizes = st.sampled_from([16, 32, 64, 128, 256, 1024])
blocks = st.sampled_from([1, 2, 4, 8, 16])


def layer_of(cell: str, hidden: int, inputs: int, block: int, projected: bool) -> Layer:
    rows, output = hidden, hidden // 2 if projected and cell == "lstm" else hidden
    gates = 4 if cell == "lstm" else 3
    return Layer(
        cell,
        hidden,
        Matrix(gates * rows, inputs, block),
        Matrix((gates if cell == "lstm" else 2) * rows, output, block),
        None if cell == "lstm" else Matrix(rows, hidden, block),
        Matrix(output, hidden, block) if output < hidden else None,
    )


shapes = st.builds(
    lambda *known: Shape((layer_of(*known),)),
    *(st.sampled_from(["lstm", "gru"]), sizes, sizes, blocks, st.booleans()),
)
machines = st.sampled_from([C_LSTM, E_RNN])
parts = st.sampled_from(["XC7Z020", "XC7A35T", "XC7VX690T", "XCKU060", "LFE5U-25F"]).map(load_part)


@given(machines, shapes, parts)
def test_more_work_never_takes_fewer_cycles(machine, shape, part):
    once = model_pipeline(machine, shape, part)
    twice = model_pipeline(machine, replace(shape, layers=shape.layers * 2), part)
    assert twice.latency_us >= 1.9 * once.latency_us
    layer = shape.layers[0]
    wider = replace(layer, input=replace(layer.input, cols=2 * layer.input.cols))
    more = model_pipeline(machine, Shape((wider,)), part)
    assert more.latency_us >= once.latency_us
    assert once.latency_us * once.frames_per_second == pytest.approx(3e6)


@given(machines, shapes, parts)
def test_no_model_is_above_its_own_roofline(machine, shape, part):
    told = model_pipeline(machine, shape, part)
    work = sum(one.blocks * multipliers_of(one.block) for one in shape.matrices)
    assert 0 < told.busy <= 1
    assert told.frames_per_second <= 200e6 * max(told.multipliers, 2 * 62) / work * 1.001
    assert told.memory_bits == machine.bits * shape.weights


@given(machines, shapes, st.integers(60, 4000))
def test_more_dsp_blocks_are_never_slower(machine, shape, dsp):
    few, many = (
        model_pipeline(machine, shape, replace(VIRTEX, dsp=count)) for count in (dsp, 2 * dsp)
    )
    assert many.frames_per_second >= few.frames_per_second


@given(shapes, st.sampled_from([2, 4, 8]))
def test_ese_grows_with_the_weights(shape, factor):
    layers = replace(shape, layers=shape.layers * factor)
    once, often = (model_ese(one, KINTEX)[1].latency_us for one in (shape, layers))
    assert often == pytest.approx(factor * once, rel=0.02)


def test_sizes_of_a_trained_model():
    import numpy as np

    model: CompressedModel = random_model(
        np.random.default_rng(0), "lstm", 64, blocks=8, features=45, labels=11, projection=32
    )
    shape = shape_of("lstm", model.matrices(), 45, 11, True)
    assert shape.layers[0].hidden == 64 and shape.layers[0].projection.rows == 32
    real = 256 * (45 + 32) + 32 * 64 + 11 * 32
    assert shape.dense == real
    assert str(shape).startswith("LSTM 64/32, blocks of ")


def test_what_does_not_fit_on_chip_is_told():
    told = model_pipeline(E_RNN, benchmark_shape("gru", 1), load_part("XC7A35T"))
    assert not told.fits
    assert model_pipeline(E_RNN, benchmark_shape("gru", 8), VIRTEX).fits
