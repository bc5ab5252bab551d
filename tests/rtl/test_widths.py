"""The widest sum that formats allow, through the Verilog: exact, and a bit less is seen to fail."""

from dataclasses import replace

import numpy as np
import pytest
from accelerators import Accelerator
from conftest import VERILATOR
from models import random_integer_model

from ernn.bilinear import spectral
from ernn.errors import MismatchError
from ernn.hdl.project import write_project
from ernn.hw.build import Target, build_plan
from ernn.hw.layout import Sizes
from ernn.hw.widths import operand_transform
from ernn.quant.integer_model import IntegerModel
from ernn.recipe import QuantizationRecipe

BLOCK, FEATURES, PLACE = 8, 64, 3  # P2 = a * (d - c) of the first complex bin


def worst(bits: QuantizationRecipe) -> tuple[IntegerModel, np.ndarray]:
    """Return a model whose weights of x are at the ends of their format, and features (64,)."""
    rng = np.random.default_rng(2)
    kinds = {"hidden": 8, "blocks": BLOCK, "features": FEATURES, "labels": 0, "scales": False}
    model = random_integer_model(rng, bits, cell="lstm", **kinds)
    product = model.products[0]
    inputs, recurrent = product.segments
    spectra = np.zeros_like(inputs.spectra)
    spectra[..., 2], spectra[..., 3] = product.weight.min_raw, product.weight.max_raw  # c, d
    product = replace(product, segments=(replace(inputs, spectra=spectra), recurrent))
    signs = operand_transform(BLOCK, model.twiddle_bits).run(np.eye(BLOCK, dtype=np.int64) << 20)
    features = np.where(signs[:, PLACE] >= 0, 1e6, -1e6)  # saturates
    return replace(model, products=(product, *model.products[1:])), np.tile(features, 8)


@pytest.mark.parametrize("simulator", [VERILATOR])
@pytest.mark.parametrize("missing", [0, 1])
def test_the_largest_sum(missing, simulator, tmp_path):
    model, features = worst(QuantizationRecipe())
    plan = build_plan(model, Sizes(2, 1, 1, 1), Target("test", "xc7a35t", 200.0, 1))
    raw = model.layers[0].vectors["x"].quantize(features).reshape(-1, BLOCK)
    operands = operand_transform(BLOCK, model.twiddle_bits).run(raw)
    weights = (model.products[0].segments[0].spectra @ spectral(BLOCK).words.T)[0]
    largest = int(np.abs((operands * weights).sum(axis=0)).max())
    limit = 1 << (plan.acc_bits - 1)
    assert plan.acc_bits > plan.operand_bits + plan.weight_bits  # or a product sets the width
    assert limit / 2 <= largest < limit
    made = Accelerator(replace(plan, acc_bits=plan.acc_bits - missing), model, tmp_path)
    write_project(made.plan, model, tmp_path / "project")
    speech = [[np.tile(features, (3, 1))]]
    if missing:
        with pytest.raises(MismatchError, match=r"signal layer0\.gates\.row"):
            made.simulate(speech, simulator)
    else:
        made.simulate(speech, simulator)
