"""ernn synth: Yosys on small projects, beside the plan; and what can go wrong."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from deadlines import each
from typer.testing import CliRunner

from ernn import cli
from ernn.backends.synthesis import synthesize
from ernn.backends.vivado.timing import delays
from ernn.backends.yosys_commands import TOP
from ernn.errors import ToolError
from ernn.flow.synth import describe, synth
from ernn.hdl.project import open_project, write_project
from ernn.hw.build import Target, build_plan
from ernn.hw.cost import Resources, resources
from ernn.hw.layout import Sizes
from ernn.parts.part import load_part
from ernn.run.netlist import read_netlist
from ernn.run.yosys import run_yosys
from ernn.timing.analysis import Analysis
from ernn.timing.graph import flatten
from tests.models import random_integer_model

WITHIN = {"lut": 0.15, "ff": 0.1}  # of a synthesis: what an estimate may be off

# One lane, one block size; two block sizes, blocks of 1 and halves of rows; products from logic
DESIGNS = {
    "lstm": ({"cell": "lstm", "blocks": 4, "projection": 8}, Sizes(2, 2, 1, 1), "XC7A35T"),
    "gru": (
        {"cell": "gru_after", "blocks": {"input": 8, "recurrent": 4, "output": 1}},
        Sizes(4, 1, 2, 4, logic_macs=2),
        "XCKU060",
    ),
    "ecp5": ({"cell": "gru_before", "blocks": 4, "labels": 0}, Sizes(2, 1, 1, 2), "LFE5U-25F"),
}


def project(folder, name="lstm"):
    kinds, sizes, part = DESIGNS[name]
    model = random_integer_model(np.random.default_rng(3), hidden=16, features=9, **kinds)
    plan = build_plan(model, sizes, Target(name, part, 100.0, 2))
    return write_project(plan, model, folder / "generate")


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    return project(tmp_path_factory.mktemp("generated"))


def added(entries) -> dict:
    return asdict(sum((Resources(**one) for one in entries), Resources()))


@pytest.mark.needs("yosys")
@pytest.mark.parametrize("name", DESIGNS)
def test_synthesis_is_as_planned(name, tmp_path):
    """Multipliers and memories exactly, by group too; LUTs and flip-flops within 15 %."""
    folder = project(tmp_path, name)
    told = synth(folder, say=lambda line: None)
    assert told["stand_in"] is (name == "gru") and told["mark"] == "synthesized"
    assert told["planned"]["dsp"] == told["total"]["dsp"] > 0
    assert told["planned"]["bram36"] == told["total"]["bram36"]
    for group, used in each(told["groups"].items()):
        planned = told["planned_groups"][group]
        assert (planned["dsp"], planned["bram36"]) == (used["dsp"], used["bram36"]), group
    for kind, share in each(WITHIN.items()):
        assert told["planned"][kind] == pytest.approx(told["total"][kind], rel=share)
    whole = added(told["groups"].values())
    columns = zip(*(one[2:] for one in told["modules"]), strict=True)
    assert [sum(column) for column in columns] == list(whole.values())
    assert (whole["lut"], whole["ff"]) == (told["total"]["lut"], told["total"]["ff"])
    place = tmp_path / f"synth-{told['part'].lower()}"
    assert json.loads((place / "resources.json").read_text()) == told
    assert (place / "summary.txt").read_text().splitlines() == list(describe(told))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["generate", place.name]


@pytest.mark.needs("yosys")
def test_contents_of_memories_hardly_matter(generated, tmp_path):
    """Without the words of the weights, each row's memory is the same module."""
    opened, part = open_project(generated), load_part("XC7A35T")
    counts = []
    for contents in (False, True):
        (tmp_path / str(contents)).mkdir()
        done = synthesize(opened, part, tmp_path / str(contents), contents=contents)
        counts.append(done.count)
    alone, filled = (one.total for one in counts)
    assert (alone.dsp, alone.bram36, alone.ff) == (filled.dsp, filled.bram36, filled.ff)
    assert abs(alone.lut - filled.lut) <= 0.002 * filled.lut  # abc finds a few of another shape
    assert counts[0].total.dsp == resources(opened.plan, part).dsp


def ernn(*words: object):
    return CliRunner().invoke(cli.app, ["synth", *map(str, words)])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing"], "no project of ernn"),
        (["{project}", "--part", "XC7Z099"], "did you mean XC7Z020"),
        (["{project}", "--part", "gone.toml"], "cannot be read"),
        (["{project}", "--out", "{used}"], "holds no synthesis of ernn"),
        (["{project}", "--timeout", "0"], "timeout"),
    ],
)
def test_wrong_use(words, said, generated, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    words = [word.format(project=generated, used=tmp_path) for word in words]
    result = ernn(*words)
    assert result.exit_code == 2 and said in result.stderr, result.output
    assert "Traceback" not in result.output


def test_an_edited_file_is_named(tmp_path):
    folder = project(tmp_path)
    (folder / "rtl" / "ernn_ram.v").write_text("module ernn_ram; endmodule\n")
    result = ernn(folder)
    assert result.exit_code == 2 and "ernn_ram.v changed after generation" in result.stderr


@pytest.mark.needs("yosys")
def test_verilog_that_is_none(tmp_path):
    folder = project(tmp_path)
    (folder / "rtl" / "ernn_ram.v").write_text("module ernn_ram; nonsense\n")
    result = ernn(folder, "--force")
    assert result.exit_code == 3 and "Yosys (synth) failed" in result.stderr
    assert not (tmp_path / "synth-xc7a35t").exists()


@pytest.mark.needs("yosys")
def test_a_synthesis_that_takes_too_long(generated, tmp_path):
    with pytest.raises(ToolError, match=r"was stopped after 0\.2 s; allow more with --timeout"):
        synth(generated, out=tmp_path / "late", timeout_s=0.2)
    assert not (tmp_path / "late").exists()


def test_a_missing_yosys_says_how_to_get_it(generated, monkeypatch):
    monkeypatch.setattr("ernn.tools.find", lambda name: None)
    result = ernn(generated)
    assert result.exit_code == 3 and "pip install 'ernn[synth]'" in result.stderr


def test_a_part_that_nothing_synthesizes(generated, tmp_path):
    part = tmp_path / "mine.toml"
    (tmp_path / "nexus.toml").write_text('name = "Nexus"\nlike = "ecp5"\nflow = ""\n')
    lines = {**asdict(load_part("LFE5U-25F")), "name": "MINE", "family": "nexus.toml"}
    known = {key: value for key, value in lines.items() if value is not None}
    part.write_text("\n".join(f"{key} = {json.dumps(value)}" for key, value in known.items()))
    result = ernn(generated, "--part", part)
    assert result.exit_code == 3 and "no tools for MINE, a Lattice Nexus" in result.stderr


@pytest.mark.needs("yosys")
def test_a_folder_of_any_name(tmp_path):
    """Yosys takes names apart at spaces and reads its scripts as UTF-8."""
    folder = project(tmp_path / "a b\"c;#$'\udcef", "ecp5")
    told = synth(folder, say=lambda line: None)
    assert told["total"]["lut"] > 0


@pytest.mark.needs("yosys")
def test_the_clock_is_that_of_the_flat_design(generated, tmp_path):
    """Module by module, the analysis finds what it finds where Yosys has flattened them all."""
    part = load_part("XC7A35T")
    done = synthesize(open_project(generated), part, tmp_path)
    flat = tmp_path / "flat.json"
    commands = [f"read_json {done.netlist}", "flatten", f"write_json {flat}"]
    run_yosys(commands, tmp_path, tmp_path / "flat.ys", timeout_s=300)
    library = delays(part)
    one, other = (
        Analysis(flatten(read_netlist(path), TOP, library), library)
        for path in (done.netlist, flat)
    )
    assert one.period == pytest.approx(other.period) and 2 < one.period < 20
    needed = one.needed[np.isfinite(one.needed)]  # no constants, which Yosys has carried inwards
    assert np.sort(needed) == pytest.approx(np.sort(other.needed))


@pytest.mark.needs("yosys")
def test_the_clock_is_told(generated, tmp_path):
    lines = []
    told = synth(generated, out=tmp_path / "synth", timing=True, say=lines.append)
    timing = told["timing"]
    assert timing["mark"] == "analysed" and timing["delays"] == "7-series, artix-1"
    assert timing["mhz"]["low"] < timing["mhz"]["typical"] < timing["mhz"]["high"]
    assert sum(count for *_, count in timing["histogram"]) == timing["registers"] > 1000
    slowest = [path["ns"] for path in timing["paths"]]
    assert slowest == sorted(slowest, reverse=True) and len(slowest) == 10
    assert slowest[0] == pytest.approx(timing["period_ns"])
    ways = [sum(cell["wire"] + cell["time"] for cell in path["cells"]) for path in timing["paths"]]
    assert ways == pytest.approx(slowest)
    assert any("MHz of the plan; analysed with the delays of 7-series" in line for line in lines)
    assert told["command"].endswith("--timing")
    with pytest.raises(ToolError, match="the clock of XCKU060 cannot be analysed"):
        synth(generated, "XCKU060", tmp_path / "other", timing=True)
    assert not (tmp_path / "other").exists()
