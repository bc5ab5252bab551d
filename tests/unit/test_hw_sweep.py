"""`ernn explore`: which designs of a network's variants are worth a look."""

import json
from dataclasses import replace

import numpy as np
import pytest
from models import random_integer_model
from typer.testing import CliRunner

from ernn.cli import app
from ernn.errors import PlanError, RecipeError
from ernn.flow.explore import FILE, choices
from ernn.hw.build import Target, build_plan
from ernn.hw.explore import _Explorer, explore
from ernn.hw.layout import Sizes
from ernn.hw.sweep import Choice, front, sweep
from ernn.hw.variants import with_block
from ernn.parts.part import load_part
from ernn.recipe import BITS, BLOCK_SIZES, HardwareRecipe

HARDWARE = HardwareRecipe(part="XC7A35T", clock_mhz=100, streams=1)


def model_of(**kinds):
    rng = np.random.default_rng(3)
    return random_integer_model(rng, hidden=32, features=16, labels=8, **kinds)


@pytest.mark.parametrize("cell", ["lstm", "gru_before", "gru_after"])
@pytest.mark.parametrize(("given", "block"), [(1, 4), (1, 8), (4, 8), (8, 1), (4, 4)])
def test_a_variant_has_the_plan_of_a_model_with_its_blocks(cell, given, block):
    layers = ("input", "recurrent", "candidate")
    own = model_of(cell=cell, blocks=dict.fromkeys(layers, block))
    variant = with_block(model_of(cell=cell, blocks=dict.fromkeys(layers, given)), block)
    target, sizes = Target("test", "XC7A35T", 100.0, 1), Sizes(2, 2, 1, 1, 8)
    found, expected = (build_plan(one, sizes, target) for one in (variant, own))
    assert [job.steps for job in found.jobs] == [job.steps for job in expected.jobs]
    assert found.weight_depth == expected.weight_depth
    assert [m.latency_cycles for m in found.memories] == [
        m.latency_cycles for m in expected.memories
    ]
    sources = [(s.scale is None, s.spectra.shape) for p in own.products for s in p.segments]
    assert sources == [
        (s.scale is None, s.spectra.shape) for p in variant.products for s in p.segments
    ]


def test_a_front_keeps_what_is_better_in_something_for_as_mild_a_change():
    points = list(sweep(model_of(blocks=1), HARDWARE, "test", [1, 4, 8], [8, 12]))
    assert [(one.block, one.bits) for one in points] == [
        (1, 8), (1, 12), (4, 8), (4, 12), (8, 8), (8, 12)
    ]  # fmt: skip
    kept = front(points)
    every = [Choice(point, one) for point in points for one in point.found.front]
    assert kept and all(one in every for one in kept)
    assert not [one for one in kept if any(other.beats(one) for other in every)]
    left = [one for one in every if one not in kept]
    assert all(any(other.beats(one) for other in kept) for one in left)
    milder = next(one for one in every if one.point == points[1])
    assert not Choice(points[0], milder.design).beats(milder)  # as good, but of fewer bits
    assert milder.beats(Choice(points[0], milder.design))


def test_what_fits_no_part_is_a_row_with_the_reason():
    (point,) = sweep(model_of(blocks=1), HardwareRecipe(part="XC7A35T", pe_rows=400), "t", [1], [8])
    assert point.found is None and "no design fits XC7A35T" in point.refusal
    assert front([point]) == []


def test_more_weights_than_a_part_has_memory_are_refused_before_a_candidate_is_built(monkeypatch):
    small = replace(load_part("XC7A35T"), bram36=0, memory_luts=100)
    monkeypatch.setattr("ernn.hw.explore.load_part", lambda name: small)
    monkeypatch.setattr(_Explorer, "_fitting", lambda explorer: pytest.fail("built"))
    with pytest.raises(PlanError, match="the model does not fit XC7A35T: its smallest design"):
        explore(model_of(blocks=1), HARDWARE, "test")


def test_lists_are_numbers_that_are_allowed():
    assert choices("8, 4,8", BLOCK_SIZES, "--blocks") == [8, 4]
    with pytest.raises(RecipeError, match=r"--blocks: '3' .*a list of 1, 2, 4, 8, 16, 32"):
        choices("4,3", BLOCK_SIZES, "--blocks")
    with pytest.raises(RecipeError, match=r"--bits: '' .*a list of 4 to 16"):
        choices("", BITS, "--bits")


def test_the_command_prints_a_row_each_and_leaves_a_file(tmp_path):
    model_of(blocks=4).save(tmp_path / "net.safetensors")
    words = ["explore", str(tmp_path / "net.safetensors"), "--blocks", "4,8", "--bits", "12"]
    done = CliRunner().invoke(app, [*words, "--part", "XC7A35T", "--out", str(tmp_path / "o")])
    assert done.exit_code == 0, done.output
    rows = [line.split()[:2] for line in done.output.splitlines()[2:4]]
    assert rows == [["4", "12"], ["8", "12"]]
    written = json.loads((tmp_path / "o" / FILE).read_text())
    assert [one["block"] for one in written["points"]] == [4, 8]
    assert written["mark"] == "planned" and written["front"]
    assert written["command"].startswith("ernn explore") and "--part XC7A35T" in written["command"]


def test_a_list_is_refused_before_anything_is_read(tmp_path):
    done = CliRunner().invoke(app, ["explore", str(tmp_path / "none.safetensors"), "--bits", "3"])
    assert done.exit_code != 0 and "--bits: '3'" in done.output
