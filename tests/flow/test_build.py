"""ernn build for an ECP5: a real bitstream of a small design, and everything that can go wrong.

The design is of `loops`: a board's shell around a top that hands its input back.
"""

import json
import sys
from pathlib import Path

import pytest
from loops import loop_folder

from ernn.backends.build_result import BuildResult
from ernn.backends.ecp5 import build as ecp5
from ernn.errors import BoundError, ModelFileError, PlanError, ProjectError, ToolError
from ernn.flow.build import build
from ernn.hdl.project import open_project
from ernn.parts.part import load_part


@pytest.fixture(scope="module")
def loop(tmp_path_factory):
    """A project whose top was replaced."""
    return loop_folder(tmp_path_factory.mktemp("loop") / "run", "LFE5U-25F", 100.0)


@pytest.mark.needs("yosys", "nextpnr-ecp5", "ecppack", "ecppll")
def test_a_bitstream_with_its_figures(loop):
    told = []
    result = build(loop, force=True, seed=0, seeds=1, board="", say=told.append)
    place = loop / "build-lfe5u-25f"
    assert (place / "ernn_board.bit").stat().st_size > 10_000
    assert BuildResult.load(place) == result
    assert result.part == "LFE5U-25F-6CABGA381"
    assert result.mark == "routed"
    assert result.command == f"ernn build {loop} --part LFE5U-25F --seed 0 --seeds 1 --force"
    assert result.seconds > 1
    assert result.plan == open_project(loop, force=True).plan.digest
    assert result.met
    assert result.fmax_mhz > 100
    assert result.available == {"dsp": 28, "ebr": 56, "lut": 24288, "ff": 24288}
    assert 0 < result.used["dsp"] < 8
    assert 300 < result.used["ff"] < 2000
    assert "clk-to-q" in result.critical_path[0] and "setup" in result.critical_path[-1]
    assert all((place / file).is_file() for file in result.files.values())
    assert "100 MHz were asked for: met" in "\n".join(told)
    assert (place / "summary.txt").read_text().splitlines() == told[:-1]
    assert 'LOCATE COMP "clk_i" SITE "G2"' in (place / "board" / "ernn_board.lpf").read_text()
    assert json.loads((place / "nextpnr.json").read_text())["fmax"]
    assert not place.with_name(place.name + ".part").exists()


@pytest.fixture
def synthesized(loop, monkeypatch):
    """A run whose synthesis takes no time; what nextpnr does is for the test to say."""

    def stand_in(request, board):
        return request.folder / "ernn_board.json"

    monkeypatch.setattr(ecp5, "_synthesize", stand_in)
    return loop


def nextpnr(tmp_path, monkeypatch, program: str) -> None:
    """Put a program in nextpnr's place, first on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    versions = (
        'import json, sys, time\nif "--version" in sys.argv: print("nextpnr 0.11"); sys.exit()\n'
    )
    file = folder / "nextpnr-ecp5"
    file.write_text(f"#!{sys.executable}\n{versions}{program}\n")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


LARGE = """
print("Info: \\t          TRELLIS_FF:  130048/ 24288   535%")
print("Info: \\t        TRELLIS_COMB:   12000/ 24288    49%")
print("ERROR: Unable to find a placement location for cell 'x'")
sys.exit(1)
"""
REPORT = """
cells = {"MULT18X18D": 28, "DP16KD": 56, "TRELLIS_COMB": 24288, "TRELLIS_FF": 24288}
seed = int(sys.argv[sys.argv.index("--seed") + 1])
report = {
    "fmax": {"$glbnet$clk": {"achieved": SPEED, "constraint": 100}},
    "utilization": {name: {"used": 5, "available": there} for name, there in cells.items()},
    "critical_paths": [{"from": "posedge clk", "to": "posedge clk", "path": []}],
}
json.dump(report, open(sys.argv[sys.argv.index("--report") + 1], "w"))
open(sys.argv[sys.argv.index("--textcfg") + 1], "w").write(f".device LFE5U-25F {seed}")
"""


@pytest.mark.needs("yosys", "ecppack", "ecppll")
@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        (LARGE, "too large for LFE5U-25F: 130,048 TRELLIS_FF where it has 24,288; plan it for"),
        ("print('std::bad_alloc'); sys.exit(1)", "nextpnr ran out of memory"),
        ("sys.exit(7)", r"nextpnr failed \(exit code 7\)"),
        ("time.sleep(60)", "nextpnr was stopped after 3 s"),
        ("open(sys.argv[sys.argv.index('--report') + 1], 'w').write('{}')", "no report of the"),
    ],
)
def test_a_tool_that_fails_is_told_in_a_sentence(
    synthesized, tmp_path, monkeypatch, program, sentence
):
    nextpnr(tmp_path, monkeypatch, program)
    out = tmp_path / "out"
    with pytest.raises(ToolError, match=sentence):
        build(synthesized, out=out, force=True, timeout_s=3)
    assert not out.exists()
    assert list(tmp_path.glob("out.part/*.log")), "the log has to be kept"


@pytest.mark.needs("yosys", "ecppack", "ecppll")
def test_a_clock_that_is_missed_is_an_error_but_nothing_is_lost(synthesized, tmp_path, monkeypatch):
    """Three placements are tried, and the best one is kept."""
    nextpnr(tmp_path, monkeypatch, REPORT.replace("SPEED", "[70, 95.5, 80][seed - 4]"))
    monkeypatch.setattr(ecp5, "_pack", lambda request: "ernn_board.bit")
    out = tmp_path / "out"
    with pytest.raises(BoundError, match=r"95\.5 MHz as routed, 4\.5 MHz less") as caught:
        build(synthesized, out=out, force=True, seed=4, say=lambda line: None)
    assert caught.value.exit_code == 1
    result = BuildResult.load(out)
    assert not result.met
    assert result.seed == 5
    assert (out / "ernn_board.config").read_text().endswith(" 5")
    assert not list(out.glob("try.*"))


@pytest.mark.needs("yosys", "ecppack", "ecppll")
def test_wrong_use(loop, tmp_path):
    def refused(kind, sentence, **options):
        with pytest.raises(kind, match=sentence):
            build(loop, **{"out": tmp_path / "out", "force": True} | options)

    refused(ProjectError, r"ernn_top\.v changed after generation", force=False)
    refused(
        PlanError,
        "'nexys' is not a known board; choose tang_nano_20k, ulx3s or none",
        board="nexys",
    )
    refused(PlanError, "speed grade '9' is not one of an ECP5; choose one of 6, 7, 8", speed="9")
    refused(PlanError, "8 or more.; use a faster clock", clock_mhz=5.0)
    refused(ProjectError, "--simulate out, or build the folder of a run", simulate=True)
    part = tmp_path / "odd.toml"
    (tmp_path / "family.toml").write_text('name = "Odd"\nlike = "ecp5"\nflow = ""\n')
    text = Path(ecp5.__file__).parents[2].joinpath("parts/lattice/lfe5u-25f.toml").read_text()
    part.write_text(text.replace('"ecp5"', '"family.toml"').replace("5U", "5Q"))
    sentence = "no tools for LFE5Q-25F, a Lattice Odd; take one of .*LFE5U-25F, LFE5U-85F"
    refused(ToolError, sentence, part=str(part))
    assert load_part(str(part)).family.name == "Odd"
    (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "out" / "mine.txt").write_text("mine")
    refused(ProjectError, "holds no build of ernn, but files")
    (tmp_path / "build.json").write_text('{"format": "ernn-build-0"}')
    with pytest.raises(ModelFileError, match="does not describe a BuildResult"):
        BuildResult.load(tmp_path)
