"""ESE run at whole networks: the published layer, order of the products, and wrong models."""

from dataclasses import replace

import numpy as np
import pytest

from ernn.energy.crossbar import count_crossbars, crossbars_of
from ernn.energy.ese import Sparse, random_sparse, run_ese, sizes, steps, trained_sparse
from ernn.energy.shape import Layer, Matrix, Shape, benchmark_shape
from ernn.errors import ModelFileError
from ernn.ese.encoding import encode
from ernn.ese.machine import PIPELINE, Machine
from ernn.parts.part import load_part

KINTEX = load_part("XCKU060")
LAYER = Layer("lstm", 6, Matrix(24, 8, 2), Matrix(24, 4, 2), projection=Matrix(4, 6, 2))
SMALL = Shape((LAYER,), Matrix(4, 4, 1), features=7, labels=3)


def run(shape: Shape, sparse: Sparse, **machine: int):
    return run_ese(shape, sparse, KINTEX, 200.0, Machine(**machine))


def test_the_published_latency_follows_from_encoded_matrices():
    """57.0 us are published as computed: entries over PEs. The queues cost a little more."""
    shape = benchmark_shape("lstm", 1)
    told = run(shape, random_sparse(shape))
    assert abs(told.computed_us / 57.0 - 1) < 0.05
    assert abs(told.latency_us / 57.0 - 1) < 0.05
    assert told.computed_us == (told.weights + told.padding) / 32 / 200
    assert told.weights == pytest.approx(0.1 * shape.dense, rel=1e-3)
    assert 0.105 < told.stored_share < 0.1125  # 0.1121 published
    assert told.bits["indices"] == 4 * (told.weights + told.padding) and told.fits
    assert 0.9 < told.busy < 0.95
    assert run(shape, random_sparse(shape), queue=1).latency_us > 1.4 * told.latency_us


def test_products_wait_for_each_other_as_the_cell_needs():
    assert [*steps(SMALL)] == [
        [("layer0.input", 4), ("layer0.recurrent", 4)],
        [("layer0.projection", 1)],
        [("output", 1)],
    ]
    gru = [name for step in steps(benchmark_shape("gru", 8)) for name, _ in step]
    assert gru == ["layer0.input", "layer0.recurrent", "layer0.candidate"]
    assert dict(next(iter(steps(benchmark_shape("gru", 8))))) == {
        "layer0.input": 3,
        "layer0.recurrent": 2,
    }


def test_a_small_network_by_hand():
    """Every weight kept, one PE: an entry a cycle, and each of three steps fills and drains."""
    told = run(SMALL, random_sparse(SMALL, 1.0), pes=1)
    entries = 24 * (7 + 4) + 4 * 6 + 3 * 4
    assert told.dense == entries == told.weights and told.padding == 0
    assert told.cycles == entries + 3 * (1 + PIPELINE)
    assert told.latency_us == told.cycles / 200
    stacked = run_ese(SMALL, random_sparse(SMALL, 1.0), KINTEX, 200.0, Machine(1), stacked=True)
    assert stacked.cycles == told.cycles and stacked.bits["pointers"] < told.bits["pointers"]
    bits = sum(
        one.pointers.size * one.pointer_bits
        for rows, cols in [(6, 7)] * 4 + [(6, 4)] * 4 + [(4, 6), (3, 4)]
        for one in [encode(np.ones((rows, cols), np.int64), 1)]
    )
    assert told.bits == {"weights": 12 * entries, "indices": 4 * entries, "pointers": bits}


def test_what_does_not_fit_on_chip_is_told():
    shape = benchmark_shape("lstm", 1)
    part = replace(KINTEX, bram36=1)
    assert not run_ese(shape, random_sparse(shape), part, 200.0).fits


def test_a_trained_model_is_rounded_and_without_padding():
    rng = np.random.default_rng(0)
    padded = {
        "layer0.input": (24, 8),
        "layer0.recurrent": (24, 4),
        "layer0.projection": (4, 6),
        "output": (4, 4),
    }
    floats = {name: rng.normal(size=size) for name, size in padded.items()}
    told = trained_sparse(SMALL, floats, "mine")
    assert {name: one.shape for name, one in told.weights.items()} == sizes(SMALL)
    assert told.weights["layer0.input"].shape == (24, 7) and told.origin == "mine"
    assert 1024 <= np.abs(told.weights["output"]).max() <= 2048
    for wrong, words in (
        ({"output": np.ones((2, 4))}, "output of the sparse model: 2 x 4 (allowed: 3 x 4)"),
        ({"layer1.input": np.ones((2, 4))}, "the sparse model has layer1.input"),
    ):
        with pytest.raises(ModelFileError) as error:
            trained_sparse(SMALL, floats | wrong, "mine")
        assert words in str(error.value) and str(error.value).count("\n") == 0
    del floats["output"]
    with pytest.raises(ModelFileError, match="output of the sparse model: no such matrix"):
        trained_sparse(SMALL, floats, "mine")


def test_crossbars_by_hand():
    """130 inputs take two arrays above each other, 33 outputs two beside each other."""
    full = np.ones((33, 130), bool)
    assert count_crossbars("all", [full]).arrays == 4
    assert count_crossbars("all", [full]).conversions == 2 * (32 + 1) * 2
    assert count_crossbars("all", [full]).filled == 33 * 130 * 2 / (4 * 128 * 64)
    fewer = full.copy()
    fewer[:, :2] = False  # columns of the matrix that vanish
    assert count_crossbars("columns", [fewer]).arrays == 2
    fewer[5] = False  # and a row
    assert count_crossbars("rows", [fewer]).arrays == 1
    tiles = np.zeros((64, 256), bool)
    tiles[:32, :128] = tiles[32:, 128:] = True
    assert count_crossbars("tiles", [tiles]).arrays == 2
    single = np.random.default_rng(0).random((64, 256)) < 0.1
    assert count_crossbars("single weights", [single]).arrays == 4
    assert count_crossbars("nothing", [np.zeros((4, 4), bool)]).arrays == 0


def test_circulant_blocks_save_no_crossbar():
    shape = benchmark_shape("lstm", 16)
    whole, ours, _ = crossbars_of(shape, None, random_sparse(SMALL))
    assert whole.arrays == ours.arrays == 128 * (2 + 4) + 16 * 8
