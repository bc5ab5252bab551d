"""Families: shipped data, what one takes from another, and what the planner reads from them."""

from dataclasses import replace
from pathlib import Path

import pytest

from ernn.errors import PlanError
from ernn.parts.family import LutRam, family_names, load_family
from ernn.parts.part import load_part, part_names

HERE = Path()


@pytest.mark.parametrize("name", family_names())
def test_shipped_family(name):
    family = load_family(name, HERE)
    assert family.name == name and family.vendor and family.source
    assert family.multiplier.a_bits >= family.multiplier.b_bits
    assert family is load_family(name, HERE)  # read once
    hash(family)  # the planner keeps what it found by part


def test_every_family_has_a_part():
    assert {load_part(name).family.name for name in part_names()} == set(family_names())


def test_like_takes_over_what_is_not_said():
    series7, ultrascale = load_family("7-series", HERE), load_family("ultrascale", HERE)
    assert (series7.multiplier.a_bits, ultrascale.multiplier.a_bits) == (25, 27)
    wider = replace(series7.multiplier, a_bits=27)
    own = {"name": "ultrascale", "source": ultrascale.source, "synthesized_as": "7-series"}
    expected = replace(series7, multiplier=wider, **own)
    assert ultrascale == expected


def test_lut_ram_of_the_shallowest_shape_that_is_deep_enough():
    """UG474: RAM32M holds 32 words of 6 bits in four LUTs, RAM64M 64 words of 3."""
    memory = load_family("7-series", HERE).lut_ram
    assert [memory.luts_of(6, words) for words in (1, 32)] == [4, 4]
    assert memory.luts_of(6, 64) == 8
    assert memory.luts_of(6, 65) == 2 * 8 + 6  # two parts, and a choice of two for every bit
    assert LutRam(1, ((1, 16),)).luts_of(1, 17) == 3


def test_block_ram_takes_the_best_shape():
    memory = load_family("ecp5", HERE).block_ram
    assert [memory.blocks_of(*of) for of in ((36, 512), (37, 512), (18, 1024), (1, 16384))] == [
        *(1, 2, 1, 1)
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("like = 'ecp6'", "like = 'ecp6' is not a known family; choose one of 7-series"),
        ("like = ['ecp5']", r"like = \['ecp5'\] is not a known family"),
        ("like = 'ecp5'\nname = ''", "name: "),
        ("like = 'ecp5'\n[block_ram]\nshapes = []", "block_ram.shapes: "),
        ("like = 'ecp5'\n[block_ram]\nshapes = [[0, 4]]", "block_ram.shapes.0.0: "),
        ("like = 'ecp5'\n[multiplier]\nports = 3", "multiplier.ports: not a known key"),
        ("name = 'mine'", "vendor: missing"),
        ("name = ", "cannot be read as a TOML file"),
    ],
)
def test_bad_family_is_refused(tmp_path: Path, text, message):
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(PlanError, match=message):
        load_family("mine.toml", tmp_path)
