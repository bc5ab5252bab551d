"""Logic by group: the groups that synthesis counts, their sum, and pieces that Yosys measured."""

from dataclasses import replace

import numpy as np
import pytest
from deadlines import each

from ernn.hw.build import Target, build_plan
from ernn.hw.cost import Resources, group_resources, in_whole_blocks, resources
from ernn.hw.gates import (
    adder_tree,
    delay,
    logic_product,
    luts_of,
    requant,
    shifter,
    times,
    transform,
)
from ernn.hw.layout import Sizes
from ernn.parts.part import load_part
from tests.models import random_integer_model

ARTIX, ECP5 = load_part("XC7A35T"), load_part("LFE5U-25F")


def plan_of(sizes=(4, 2, 2, 2), streams=2, **kinds):
    model = random_integer_model(np.random.default_rng(1), **kinds)
    return build_plan(model, Sizes(*sizes), Target("test", "XC7A35T", 200.0, streams))


@pytest.mark.parametrize("cell", ["lstm", "gru_before", "gru_after"])
@pytest.mark.parametrize("part", [ARTIX, ECP5])
def test_resources_are_the_sum_of_the_groups(cell, part):
    plan = plan_of(cell=cell)
    groups = group_resources(plan, part)
    assert in_whole_blocks(groups) == resources(plan, part)
    assert all(used != Resources() for used in groups.values())
    # Every group is one that an instance of the top could belong to.
    assert {"pes", "rows", "weights", "operands", "registers", "top"} <= set(groups)
    named = {
        f"{kind}_{one.name}"
        for kind, ones in (
            ("transform", plan.memories),
            ("memory", plan.memories),
            ("queue", plan.queues),
            ("unit", plan.units),
        )
        for one in ones
    }
    prefixes = ("transform_", "memory_", "queue_", "unit_")
    assert {name for name in each(groups) if name.startswith(prefixes)} <= named


def test_more_of_anything_is_more():
    small = resources(plan_of(), ARTIX)
    for larger in (plan_of((6, 2, 2, 2)), plan_of((4, 3, 2, 2)), plan_of(streams=4)):
        used = resources(larger, ARTIX)
        assert used.lut > small.lut and used.ff > small.ff


def test_multipliers_without_dsp_blocks_cost_logic():
    plan = plan_of()
    built = replace(plan, logic_macs=1)
    without, with_one = (group_resources(one, ARTIX)["pes"] for one in (plan, built))
    assert with_one.dsp == without.dsp - plan.pes
    assert with_one.lut > without.lut + 100 * plan.pes


def test_rows_of_registers_are_shift_registers_where_there_are_some():
    assert delay(8, 2, ARTIX) == {"ff": 16}
    assert delay(8, 3, ARTIX) == {"lut": 8}
    assert delay(8, 33, ARTIX) == {"lut": 16}
    assert delay(8, 3, ECP5) == {"ff": 24}
    assert luts_of(delay(8, 3, ARTIX), ARTIX) == 8


def test_a_tree_keeps_one_copy_of_the_sign():
    # 5 terms of 4 bits: 3 of 5 bits, 2 of 6, 1 of 7
    assert adder_tree(5, 4, 9) == {"add": 5 * 2 + 6 + 7, "ff": 5 * 3 + 6 * 2 + 7}
    assert adder_tree(1, 4, 9) == {}


def test_bits_below_the_rounding_are_not_added():
    assert requant(24, 9, 15, 0)["add"] == 1 + 24 - 8
    assert requant(16, 0, 16, 0)["add"] == 17


# LUTs and flip-flops that Yosys 0.70 finds for one module
MEASURED = [
    (logic_product(18, 13), 202, 119),
    (transform(False, 8, 15, 12, ARTIX), 513, 359),
    (transform(True, 8, 20, 12, ARTIX), 654, 481),
    (transform(True, 16, 19, 12, ARTIX), 2709, 1486),
    (requant(24, 9, 15, 0), 31, 0),
    (shifter(30, 2, ARTIX), 29, 30),
    (shifter(30, 3, ARTIX), 70, 30),
]


@pytest.mark.parametrize(("gates", "lut", "ff"), MEASURED)
def test_modules_as_yosys_counts_them(gates, lut, ff):
    assert luts_of(gates, ARTIX) == pytest.approx(lut, rel=0.3)  # one module; a design is nearer
    assert gates["ff"] == pytest.approx(ff, rel=0.1)
    assert luts_of(times(gates, 3), ARTIX) == pytest.approx(3 * luts_of(gates, ARTIX), abs=2)


def test_every_kind_has_a_cost():
    for family in (ARTIX.family.costs, ECP5.family.costs):
        assert 0 < family.add < 3 and 0 < family.choose < 3
