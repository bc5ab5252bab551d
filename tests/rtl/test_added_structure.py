"""A structure that only this test knows, from training to bit-exact Verilog with fewer cycles.

A fixed mask of tiles over circulant blocks: what it adds to ernn is the class below.
"""

from dataclasses import replace

import numpy as np
import pytest
from accelerators import Accelerator
from models import random_frames
from trainings import COMPRESSION, DATA, LABELS, TRAINING, F

from ernn import circulant
from ernn.compressed import CompressedModel, circulant_matrix
from ernn.errors import ErnnError
from ernn.hdl.project import write_project
from ernn.hw.build import Target, build_plan
from ernn.hw.cycles import rate
from ernn.hw.layout import Sizes
from ernn.quant.quantize import quantize
from ernn.recipe import LayerRecipe, ModelRecipe, QuantizationRecipe
from ernn.structures.circulant import Circulant
from ernn.structures.registry import KNOWN
from ernn.train.acoustic import AcousticModel
from ernn.train.fit import Run
from ernn.train.loop import compress


class Tiles(Circulant):
    """Circulant blocks in a checkerboard of tiles, two block rows by one block column each."""

    name = "tiles"
    axes = {"generators": "pqk", "mask": "pq"}  # noqa: RUF012
    held = ("mask",)

    def project(self, matrix):
        """(p*k, q*k) -> generators (p, q, k) and mask (p, q): the others are nearest to 0."""
        found = circulant.project(matrix, self.block)
        rows, columns = np.indices(found.shape[:2])
        mask = circulant.library(found).asarray((rows // 2 + columns) % 2 == 0)
        mask = found[..., 0] * 0 + mask  # of the matrix's type
        return {"generators": found * mask[..., None], "mask": mask}

    def generators(self, factors):
        """Zeros where the mask has them, whatever training does."""
        return factors["generators"] * factors["mask"][..., None]

    def present(self, factors):
        """Where there are weights: the rest is neither stored nor visited."""
        return factors["mask"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return the trained model, from its file, and its integer model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KNOWN, "tiles", Tiles)
        layer = LayerRecipe(hidden=32, block=4)
        recipe = ModelRecipe(cell="gru", layers=[layer], structure="tiles", output_block=4)
        model = AcousticModel(recipe, F, LABELS)
        run = Run(tmp_path_factory.mktemp("run"))
        history = compress(model, COMPRESSION, TRAINING, DATA, run)
        gaps = [found["gap"] for found in history if "gap" in found]
        assert gaps[-1] < gaps[0] / 2  # ADMM pulls the weights into the mask
        path = tmp_path_factory.mktemp("tiles") / "compressed.safetensors"
        model.export().save(path)
        floats = CompressedModel.load(path)
        frames = random_frames(np.random.default_rng(1), F, 4, 24)
        yield floats, quantize(floats, QuantizationRecipe(), list(frames))


def test_training_stays_inside_the_mask(models):
    floats, integer = models
    for name, matrix in floats.matrices().items():
        blocks = matrix.dense().reshape(matrix.rows // 4, 4, -1, 4).any(axis=(1, 3))
        assert (blocks == (matrix.factors["mask"] > 0)).all(), name
    every = circulant_matrix(floats.output.generators)
    assert floats.output.parameters == every.parameters / 2
    assert all(s.present is not None for p in integer.products for s in p.segments)


@pytest.mark.parametrize(
    "simulator",
    [
        pytest.param("icarus", marks=pytest.mark.needs("iverilog")),
        pytest.param("verilator", marks=pytest.mark.needs("verilator")),
    ],
)
def test_bit_exact_with_fewer_cycles(models, simulator, folder):
    _, integer = models
    sizes, target = Sizes(2, 1, 1, 1), Target("tiles", "xc7a35t", 200.0, 4)
    products = tuple(
        replace(p, segments=tuple(replace(s, present=None) for s in p.segments))
        for p in integer.products
    )
    every = build_plan(replace(integer, products=products), sizes, target)
    plan = build_plan(integer, sizes, target)
    assert plan.steps < 0.6 * every.steps
    assert plan.weight_depth < 0.6 * every.weight_depth
    assert rate(plan).cycles_per_frame < 0.8 * rate(every).cycles_per_frame
    write_project(plan, integer, folder / "project")
    made = Accelerator(plan, integer, folder)
    made.run((3, 2), (4,), (1, 2), (2,), simulator=simulator)
    alone = made.run((2, 1), simulator=simulator, mode="single")
    assert alone.latency_cycles == rate(plan).latency_cycles < rate(every).latency_cycles


def test_without_the_class_its_file_is_refused(models, tmp_path):
    floats, _ = models
    floats.save(tmp_path / "model.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(KNOWN, "tiles")
        with pytest.raises(ErnnError, match="'tiles' is not known; choose one of circulant, dense"):
            CompressedModel.load(tmp_path / "model.safetensors")
