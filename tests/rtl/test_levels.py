"""Weights of few levels in few bits, without DSP blocks where they are powers of two: bit-exact."""

from dataclasses import replace

import numpy as np
import pytest
from accelerators import Accelerator, Design
from conftest import VERILATOR
from models import random_integer_model

from ernn.errors import MismatchError
from ernn.hw.cost import resources
from ernn.hw.cycles import rate
from ernn.hw.layout import Sizes
from ernn.parts.part import load_part
from ernn.structures.tiles import Tiling

EVEN = Sizes(4, 2, 2, 1, word=4)
GAPS = Sizes(3, 3, 1, 2, word=4)  # columns that do not divide the words of a vector


def design(kind, sizes=EVEN, **model):
    own = {"hidden": 16, "features": 8, "labels": 8, "blocks": 1, "output_levels": kind}
    return Design({"cell": "gru_before", **own, "levels": kind, **model}, sizes)


TILED = Tiling(0.5, 4, 1)
# The design; bits of a stored weight; whether PEs have no multipliers, and leave out a bit.
DESIGNS = {
    "binary": (design("binary"), 1, True, True),
    "binary-gaps": (design("binary", GAPS), 2, True, False),
    "binary-tiles": (design("binary", tiling=TILED), 2, True, False),
    "ternary": (design("ternary"), 2, True, False),
    "ternary-tiles": (design("ternary", GAPS, cell="lstm", tiling=TILED), 2, True, False),
    "ternary-and-binary": (design("ternary", cell="mgu", output_levels="binary"), 2, True, False),
    "powers": (design("powers", cell="gru_after", layers=2), 3, True, False),
    "powers-and-ternary": (design("powers", GAPS, output_levels="ternary"), 3, True, False),
    "2bit": (design("2bit", cell="lstm", projection=8), 2, False, True),
    "2bit-gaps": (design("2bit", replace(GAPS, logic_macs=2)), 3, False, False),
    "2bit-logic": (design("2bit", Sizes(2, 1, 1, 1, 2, logic_macs=1)), 2, False, True),
    "3bit": (design("3bit"), 3, False, False),
    "4bit": (design("4bit", cell="rnn"), 4, False, False),
    "ternary-and-4bit": (design("ternary", output_levels="4bit"), 4, False, False),
    "no-output-layer": (design("ternary", labels=0), 2, True, False),
    "output-of-12-bits": (design("ternary", output_levels=None), 12, False, False),
}


def require_exact(made, simulator):
    made.run((3, 2), (4,), simulator=simulator, idle=0.3, stall=0.4)
    alone = made.run((2, 1), simulator=simulator, mode="single")
    assert alone.latency_cycles == rate(made.plan).latency_cycles


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("name", DESIGNS)
def test_every_word_and_cycle(name, folder):
    drawn, bits, powers, odd = DESIGNS[name]
    made = Accelerator.write(drawn, folder)
    code = made.plan.weight_code
    assert (code.bits, code.powers, code.odd) == (bits, powers, odd)
    products = (made.rtl / "ernn_power_product.v", made.rtl / "ernn_logic_product.v")
    assert [path.exists() for path in products] == [powers, not powers]
    part = load_part(made.plan.part)
    assert (resources(made.plan, part).dsp < made.plan.pes * made.plan.macs) == powers
    require_exact(made, "icarus")


@pytest.mark.parametrize("simulator", [VERILATOR])
@pytest.mark.parametrize("name", ["binary", "ternary", "powers", "2bit"])
def test_verilator_agrees(simulator, name, folder):
    require_exact(Accelerator.write(DESIGNS[name][0], folder), simulator)


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("cycle", [70, 130])
def test_a_reset_forgets_everything(cycle, folder):
    made = Accelerator.write(DESIGNS["ternary"][0], folder)
    made.run((3, 2), (4,), simulator="icarus", reset_cycle=cycle)


@pytest.mark.needs("iverilog")
def test_other_levels_are_loaded(folder):
    made = Accelerator.write(DESIGNS["powers"][0], folder)
    rng = np.random.default_rng(9)
    products = tuple(
        replace(
            product,
            segments=tuple(
                replace(one, spectra=rng.permutation(one.spectra)) for one in product.segments
            ),
        )
        for product in made.model.products
    )
    other = Accelerator(made.plan, replace(made.model, products=products), made.folder)
    with pytest.raises(MismatchError):
        other.run((2,), simulator="icarus")  # it really is another model
    other.run((3, 2), (4,), simulator="icarus", load=True)


# Planted bugs: design, file, text, what it becomes.
MUTATIONS = {
    "a carry that is forgotten": ("ternary", "ernn_power_product.v", "<= negative", "<= 1'b0"),
    "a sign that is forgotten": ("powers", "ernn_power_product.v", "^ {M_W{negative}}", ""),
    "a shift too many": ("powers", "ernn_power_product.v", "a <<< 2", "a <<< 1"),
    "a binary weight of 0": ("binary", "ernn_pe.v", "{ODD{1'b1}}", "{ODD{1'b0}}"),
    "an even weight": ("2bit", "ernn_pe.v", "{ODD{1'b1}}", "{ODD{1'b0}}"),
}


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_planted_bug_is_found(name, tmp_path):
    which, file, before, after = MUTATIONS[name]
    made = Accelerator.write(DESIGNS[which][0], tmp_path)
    text = (made.rtl / file).read_text()
    assert before in text, f"{file} has no {before!r} to mutate"
    (made.rtl / file).write_text(text.replace(before, after))
    with pytest.raises(MismatchError):
        made.run((2, 3), (4,), simulator="icarus")


def test_what_a_model_says_of_its_levels_is_checked():
    drawn = DESIGNS["ternary"][0]
    model = random_integer_model(np.random.default_rng(1), drawn.bits, **drawn.model)
    assert {product.levels for product in model.products} == {"ternary"}
