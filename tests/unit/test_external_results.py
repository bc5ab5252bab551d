"""Results beside a run: which of them are its own, and when the report is written again."""

import json
from dataclasses import asdict
from operator import le
from pathlib import Path

import numpy as np
import pytest
from models import random_integer_model
from test_search_report import example

from ernn.flow.external_results import find_builds, find_search, result_hashes
from ernn.flow.planning import FRONT, front_file
from ernn.flow.run_folder import RunFolder
from ernn.hw.build import Target, build_plan
from ernn.hw.explore import explore
from ernn.hw.layout import Sizes
from ernn.recipe import HardwareRecipe, Recipe
from ernn.report.search_content import save

MODEL = random_integer_model(np.random.default_rng(0), cell="gru_before", hidden=8, blocks=4)
PLAN = build_plan(MODEL, Sizes(2, 2, 2, 2), Target("mine", "XC7A35T", 200.0, streams=2))


def recipe(name: str = "mine", **changes) -> Recipe:
    model = {"cell": "gru", "layers": [{"hidden": 16}]}
    return Recipe.from_dict({"name": name, "model": model, **changes})


def write(path: Path, **told) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"plan": PLAN.digest, "command": "ernn x", **told}))


def write_synth(out: Path, **changes) -> None:
    told = {
        "format": "ernn-synth-1",
        "part": "XC7A35T",
        "tool": "yosys 0.70",
        "total": {"dsp": 40, "bram36": 5, "lut": 900},
    }
    write(out / "synth-xc7a35t" / "resources.json", **told | changes)


def write_build(out: Path, **changes) -> None:
    told = {
        "format": "ernn-build-1",
        "part": "LFE5U-85F-6BG381C",
        "tools": {"yosys": "0.70", "nextpnr": "0.11"},
        "clock_mhz": 100.0,
        "fmax_mhz": 91.5,
        "used": {"dsp": 40, "ebr": 9},
        "available": {"dsp": 156, "ebr": 208},
    }
    write(out / "build-lfe5u-85f" / "build.json", **told | changes)


def test_what_tools_found_is_read(tmp_path):
    write_synth(tmp_path, family="7-series", stand_in=True)
    write_build(tmp_path)
    (made, routed), left_out = find_builds(RunFolder(tmp_path), PLAN)
    assert not left_out
    assert (made.part, made.tool, made.met) == ("XC7A35T", "yosys 0.70", None)
    assert "synthesized as 7-series" in made.note
    shares = {one.name: (one.used, one.available) for one in made.resources}
    assert shares == {"DSP": (40, 90), "BRAM36": (5, 50), "LUT": (900, 20_800)}
    assert made.origin.mark == "synthesized" and routed.origin.mark == "routed"
    assert routed.tool == "yosys 0.70, nextpnr 0.11" and routed.met is False
    assert [(one.name, one.available) for one in routed.resources] == [("DSP", 156), ("EBR", 208)]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ({"plan": "0123456789ab"}, f"is of plan 0123456789ab, this run has {PLAN.digest}"),
        ({"used": "many"}, "used"),
        ({"used": {"dsp": -1}}, "greater than or equal to 0"),
        ({"fmax_mhz": -3.0}, "fmax_mhz: Input should be greater than 0"),
        ({"power_w": float("nan")}, "power_w: Input should be a finite number"),
        ({"format": "ernn-build-9"}, "format: Input should be 'ernn-synth-1' or 'ernn-build-1'"),
    ],
)
def test_what_is_not_of_this_run_is_named_and_left_out(tmp_path, damage, told):
    write_build(tmp_path, **damage)
    builds, (left_out,) = find_builds(RunFolder(tmp_path), PLAN)
    assert not builds
    assert "build-lfe5u-85f/build.json" in left_out and told in left_out


def test_a_file_that_is_cut_off_is_named_and_left_out(tmp_path):
    write_synth(tmp_path)
    path = tmp_path / "synth-xc7a35t" / "resources.json"
    path.write_text(path.read_text()[:-9])
    builds, (left_out,) = find_builds(RunFolder(tmp_path), PLAN)
    assert not builds and "cannot be read" in left_out


def test_an_analysed_clock_is_read(tmp_path):
    mhz = {"low": 180.0, "typical": 199.0, "high": 199.5}
    write_synth(tmp_path, clock_mhz=200.0, timing={"mhz": mhz, "period_ns": 5.0})
    (made,), left_out = find_builds(RunFolder(tmp_path), PLAN)
    assert not left_out and made.met is None
    assert (made.analysed, made.analysed_mhz.typical) == ("below", 199.0)
    for high, low, where in ((200.0, 180.0, "around"), (240.0, 200.5, "above")):
        write_synth(tmp_path, clock_mhz=200.0, timing={"mhz": mhz | {"low": low, "high": high}})
        (made,), _ = find_builds(RunFolder(tmp_path), PLAN)
        assert made.analysed == where


def test_the_analysis_of_another_plans_netlist_is_left_out(tmp_path):
    mhz = {"low": 210.0, "typical": 233.0, "high": 257.0}
    write_synth(tmp_path, plan="0123456789ab", clock_mhz=200.0, timing={"mhz": mhz})
    builds, (left_out,) = find_builds(RunFolder(tmp_path), PLAN)
    assert not builds and f"is of plan 0123456789ab, this run has {PLAN.digest}" in left_out


def test_half_a_block_counts_as_one(tmp_path):
    write_build(tmp_path, part="XC7A35T", used={"bram36": 2.5}, available={"bram36": 50})
    (routed,), left_out = find_builds(RunFolder(tmp_path), PLAN)
    assert not left_out
    assert [(one.name, one.used, one.available) for one in routed.resources] == [("BRAM36", 3, 50)]


def test_a_folder_with_the_name_of_a_result_is_none(tmp_path):
    (tmp_path / "build-mine" / "build.json").mkdir(parents=True)
    assert (
        find_builds(RunFolder(tmp_path), PLAN) == ((), ())
        and result_hashes(recipe(), RunFolder(tmp_path)) == {}
    )


def test_a_change_beside_the_run_is_noticed(tmp_path):
    out = tmp_path / "out" / "mine"
    out.mkdir(parents=True)
    assert result_hashes(recipe(), RunFolder(out)) == {}
    write_synth(out)
    before = result_hashes(recipe(), RunFolder(out))
    assert set(before) == {"synth-xc7a35t/resources.json"}
    write_synth(out, tool="another")
    after = result_hashes(recipe(), RunFolder(out))
    assert set(after) == set(before) and after != before


def save_search(path: Path, name: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    told = asdict(example()) | {"recipe": name}
    save(type(example())(**told), path)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("out/mine-search/search.json", "mine"),  # beside a run of the recipe
        ("out/other-search/search.json", "mine"),  # and of a folder with another name
        ("search.json", "mine"),  # `ernn run chosen.toml --out DIR/trials/NAME`
    ],
)
@pytest.mark.parametrize("run", ["mine", "mine-gru-8-16", "mine-lstm-dense"])
def test_a_search_of_the_recipe_is_found(tmp_path, place, name, run):
    out = tmp_path / "out" / run
    out.mkdir(parents=True)
    path = tmp_path / place
    save_search(path, name)
    found = find_search(recipe(run), RunFolder(out))
    assert found and found[0] == path.resolve()
    assert len(result_hashes(recipe(run), RunFolder(out))) == 1


@pytest.mark.parametrize(
    "changes", [{"name": "mine-gru-4-4"}, {"seed": 1}, {"corpus": {"kind": "timit", "path": "x"}}]
)
def test_a_search_of_something_else_is_none_of_ours(tmp_path, changes):
    out = tmp_path / "mine"
    out.mkdir()
    save_search(tmp_path / "mine-search" / "search.json", "mine")
    assert find_search(recipe(), RunFolder(out))
    assert find_search(recipe(**changes), RunFolder(out)) is None


def test_the_front_has_its_chosen_design_and_nothing_beaten():
    found = explore(MODEL, HardwareRecipe(part="XC7A35T"), "mine")
    told = json.loads(json.dumps(front_file(found)))
    assert told["format"] == FRONT and told["plan"] == found.chosen.plan.digest
    (chosen,) = [one for one in told["designs"] if one["chosen"]]
    assert chosen["used"] == asdict(found.chosen.used)
    assert chosen["cycles_per_frame"] == found.chosen.rate.cycles_per_frame
    front = [one for one in told["designs"] if found.chosen in found.front or not one["chosen"]]
    merits = [
        (one["cycles_per_frame"], one["latency_cycles"], one["used"]["dsp"], one["used"]["lut"])
        for one in front
    ]
    for one in merits:
        others = [other for other in merits if other != one]
        assert not any(all(map(le, other, one)) for other in others)
