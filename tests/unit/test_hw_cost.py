"""Resources: DSP blocks by their ports, memories by their kind, variants at other bits."""

from dataclasses import replace

import numpy as np
import pytest
from deadlines import each

from ernn.cells import CELLS
from ernn.flow.planning import describe
from ernn.hw import rams
from ernn.hw.build import Target, build_plan
from ernn.hw.cost import blocks_of, dsp_blocks, logic_luts, mac_blocks, resources
from ernn.hw.explore import explore, sizes_of
from ernn.hw.layout import Sizes
from ernn.hw.storage_plan import RamPlan
from ernn.hw.variants import with_bits, with_blocks
from ernn.parts.part import load_part
from ernn.recipe import HardwareRecipe, QuantizationRecipe
from tests.models import random_integer_model, with_multiplier

ARTIX, KINTEX, ECP5 = (load_part(name) for name in ("XC7A35T", "XCKU060", "LFE5U-25F"))
EIGHT = QuantizationRecipe(weight_bits=8, activation_bits=8, activation_error=2e-2)
SIXTEEN = QuantizationRecipe(weight_bits=16, activation_bits=16, state_bits=18)


def model_of(bits=None, cell="lstm", **kinds):
    return random_integer_model(np.random.default_rng(1), bits, cell=cell, **kinds)


def plan_of(model, sizes=(4, 2, 2, 2)):
    return build_plan(model, Sizes(*sizes), Target("test", "XC7A35T", 200.0, 2))


@pytest.mark.parametrize(
    ("part", "a", "b", "blocks"),
    [
        (ARTIX, 25, 18, 1),
        (ARTIX, 18, 25, 1),  # either way round
        (ARTIX, 26, 18, 2),
        (ARTIX, 19, 19, 2),
        (ARTIX, 49, 18, 2),  # 24 bits below a signed piece of 25
        (ARTIX, 50, 18, 3),
        (ARTIX, 26, 26, 4),
        (KINTEX, 27, 18, 1),
        (KINTEX, 26, 19, 2),
        (ECP5, 18, 18, 1),
        (ECP5, 19, 18, 2),
        (ECP5, 19, 19, 4),
    ],
)
def test_a_multiplier_takes_as_many_blocks_as_its_pieces(part, a, b, blocks):
    assert blocks_of(part, a, b) == blocks


@pytest.mark.parametrize("bits", [5, 9])
def test_pieces_make_the_product(bits):
    """Split operands as they are counted, for ports of 4 and 3 bits."""
    small = with_multiplier(ARTIX, a_bits=4, b_bits=3)

    def pieces(value, port):
        parts, left = [], bits
        while left > port:
            parts.append(value & ((1 << (port - 1)) - 1))
            value, left = value >> (port - 1), left - (port - 1)
        return [*parts, value]

    for a in range(-(1 << (bits - 1)), 1 << (bits - 1)):
        b = (7 * a) % (1 << bits) - (1 << (bits - 1))
        cut_a, cut_b = pieces(a, 4), pieces(b, 3)
        assert all(-8 <= piece <= 7 for piece in cut_a) and all(-4 <= piece <= 3 for piece in cut_b)
        assert a * b == sum(
            x * y << (3 * i + 2 * j) for i, x in enumerate(cut_a) for j, y in enumerate(cut_b)
        )
        assert blocks_of(small, bits, bits) == len(cut_a) * len(cut_b)


@pytest.mark.parametrize("cell", CELLS)
def test_usual_bits_take_one_block_for_each_multiplier(cell):
    plan = plan_of(model_of(cell=cell, blocks=8))
    lanes = sum(unit.lanes * unit.lane.multipliers for unit in plan.units)
    scales = sum(plan.word for memory in plan.memories if memory.scaled)
    assert dsp_blocks(plan, ARTIX) == plan.pes * plan.macs + lanes + scales
    assert sizes_of(plan).cell_lanes == (2 if lanes else plan.word)  # as the plan was asked for


def test_wide_operands_are_counted_in_full():
    plan = plan_of(model_of(SIXTEEN, blocks=8))
    assert (plan.operand_bits > 18, mac_blocks(plan, ARTIX), mac_blocks(plan, ECP5)) == (True, 1, 2)
    multipliers = plan.pes * plan.macs
    assert dsp_blocks(plan, ECP5) >= dsp_blocks(plan, ARTIX) + multipliers
    assert logic_luts(plan, ECP5) > logic_luts(plan, ARTIX) + multipliers * plan.acc_bits / 2
    lane = plan.units[0].lane.multipliers * plan.units[0].lanes
    assert dsp_blocks(plan, ARTIX) > multipliers + lane  # a gate of 20 bits times another


# Memories


@pytest.mark.parametrize(
    ("width", "depth", "blocks"),
    [
        (36, 512, 1),
        (37, 512, 2),
        (72, 512, 2),
        (18, 1024, 1),
        (36, 513, 2),
        (9, 2048, 1),
        (1, 16384, 1),
        (4, 4097, 2),
    ],
)
def test_blocks_of_18_kbit(width, depth, blocks):
    assert rams.blocks18(RamPlan("a", width, depth, 3, "block", ""), ARTIX) == 3 * blocks


def test_two_small_blocks_share_a_large_one():
    plan = plan_of(model_of())
    one = RamPlan("a", 18, 1024, 1, "block", "")
    assert resources(replace(plan, rams=(one, one, one)), ARTIX).bram36 == 2


def test_weights_of_a_row_lie_together():
    plan = plan_of(model_of(blocks=8))
    (weights,) = (ram for ram in plan.rams if ram.name == "weights")
    assert weights.copies == plan.pe_rows
    assert weights.width == plan.pe_columns * plan.macs * plan.weight_bits
    assert weights.depth == plan.weight_depth


def test_every_memory_has_a_kind_and_a_reason():
    plan = plan_of(model_of(hidden=300, projection=100, blocks=4))
    names = [ram.name for ram in plan.rams]
    assert len(set(names)) == len(names)
    wanted = {"weights", "bias", "state", "peepholes"}
    wanted |= {f"memory_{memory.name}" for memory in plan.memories}
    wanted |= {f"scale_{memory.name}" for memory in plan.memories if memory.scaled}
    wanted |= {f"queue_{queue.name}" for queue in plan.queues}
    assert set(names) == wanted
    for ram in each(plan.rams):
        assert plan.ram_style(ram.name) == (
            "block" if ram.depth > rams.SMALL_DEPTH else "distributed"
        )
        assert ram.why


def test_short_block_ram_moves_memories_to_luts():
    plan = plan_of(model_of(hidden=300, blocks=4))
    few = replace(ARTIX, bram36=rams.used_blocks18(plan, ARTIX) // 2 - 2)
    moved = rams.fit(plan, few, free_luts=10**6)
    assert rams.used_blocks18(moved, few) <= 2 * few.bram36
    (why,) = {ram.why for ram in moved.rams if ram not in plan.rams}
    assert why.startswith("block RAM is short")
    assert rams.fit(plan, few, free_luts=0).ram_style("weights") == "block"


def test_short_luts_move_memories_to_block_ram():
    plan = plan_of(model_of(blocks=4))
    moved = rams.fit(plan, ARTIX, free_luts=0)
    assert {ram.style for ram in moved.rams} == {"block"}
    assert rams.used_luts(moved, ARTIX) == 0
    assert any(ram.why.startswith("LUTs are short") for ram in moved.rams)
    none = replace(ARTIX, bram36=0)
    assert rams.fit(plan, none, free_luts=0).rams == plan.rams  # nowhere to go


def test_a_part_may_have_few_luts_that_can_be_memory():
    plan = plan_of(model_of(blocks=4))
    few = replace(KINTEX, memory_luts=rams.used_luts(plan, KINTEX) // 2)
    moved = rams.fit(plan, few, free_luts=10**6)
    assert 0 < rams.used_luts(moved, few) <= few.memory_luts
    assert rams.used_blocks18(moved, few) > rams.used_blocks18(plan, few)


def test_enough_of_both_moves_nothing():
    plan = plan_of(model_of(hidden=64, blocks=4))
    assert rams.fit(plan, KINTEX, free_luts=10**6) == plan


# Variants


def test_a_variant_of_as_many_bits_has_the_same_plan():
    twelve, eight = model_of(blocks=8), model_of(EIGHT, blocks=8)
    assert plan_of(with_bits(twelve, 12)) == plan_of(twelve)
    assert plan_of(with_bits(eight, 8)) == plan_of(eight)
    assert plan_of(with_bits(eight, 12)).weight_bits == 13


def test_a_variant_of_larger_blocks_has_the_plan_of_a_model_with_them():
    kinds = {"hidden": 64, "features": 32, "cell": "gru_before", "scales": False}
    variant = with_blocks(model_of(blocks=4, **kinds), 2)
    own = plan_of(model_of(blocks=8, **kinds))
    assert variant is not None
    found = plan_of(variant)
    assert [job.steps for job in found.jobs] == [job.steps for job in own.jobs]
    assert (found.word, found.macs, found.weight_depth) == (8, 11, own.weight_depth)
    assert with_blocks(model_of(blocks=4, **kinds), 16) is None


def test_few_bits_say_what_they_save():
    hardware = HardwareRecipe(part="XC7A35T")
    found = explore(model_of(EIGHT, hidden=64, blocks=8), hardware, "test")
    lines = [line for line in describe(found) if line.startswith(("few bits", "packing"))]
    assert lines[0].startswith("few bits: weights of 9 bits instead of 13 at 12 bits (")
    assert lines[1].startswith("packing: two products do not fit one DSP block: two 9-bit weights")
    wider = resources(found.wider, ARTIX)
    assert found.chosen.used.lut < wider.lut and found.chosen.used.bram36 <= wider.bram36
    usual = explore(model_of(hidden=64, blocks=8), hardware, "test")
    assert usual.wider is None
    assert not [line for line in describe(usual) if line.startswith(("few bits", "packing"))]


def test_dense_eight_bits_could_share_a_block():
    kinds = {"hidden": 16, "blocks": 1, "features": 8}
    found = explore(model_of(EIGHT, **kinds), HardwareRecipe(part="XCZU3EG"), "test")
    (told,) = (line for line in describe(found) if line.startswith("packing"))
    assert "would fit one DSP block only if adders behind it" in told
