"""`ernn build` for a part of AMD, with the stand-in for Vivado on PATH; Vivado itself never ran."""

import gzip
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from runs import small_model, write_run
from typer.testing import CliRunner

from ernn import cli
from ernn.backends.build_result import BuildResult
from ernn.flow.package import package
from ernn.hw.plan import HardwarePlan

pytestmark = pytest.mark.needs("tclsh")

TESTS = Path(__file__).parents[1]
PART = "xc7vx690tffg1761-2"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("run"), part="XC7VX690T")


@pytest.fixture
def run(made, tmp_path, monkeypatch):
    """A run's folder; the stand-in is on PATH and records into ``record.txt``."""
    monkeypatch.setenv("PATH", f"{TESTS / 'mock_bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MOCK_VIVADO_RECORD", str(tmp_path / "record.txt"))
    return shutil.copytree(made, tmp_path / "run")


def ernn(*words):
    return CliRunner().invoke(cli.app, ["build", *map(str, words)])


def refused(*words, code=3):
    """Run the command, expect one sentence; return it."""
    told = ernn(*words)
    assert told.exit_code == code, told.output
    assert told.stderr.startswith("ernn: ") and told.stderr.count("\n") == 1, told.stderr
    return told.stderr


def digest(run):
    return HardwarePlan.load(run / "generate" / "plan.json").digest


def saif(run, path, plan="", without=""):
    """Write a SAIF file as Verilator does: a root, the testbench, the accelerator, its units."""
    core = (run / "generate" / "rtl" / "ernn_core.v").read_text()
    units = [unit for unit in re.findall(r"\b(u_\w+) \($", core, re.MULTILINE) if unit != without]
    net = "(NET (q\\[0\\] (T0 1) (T1 1) (TC 1)))"
    inner = "\n".join(f"   (INSTANCE {unit} {net})" for unit in units)
    design = f'(DESIGN "ernn_top plan {plan}")' if plan else ""
    path.write_text(f"""(SAIFILE (SAIFVERSION "2.0") (DIRECTION "backward") {design}
(DIVIDER /) (DURATION 10)
 (INSTANCE $rootio (NET (clk_i (T0 5) (T1 5) (TC 10))))
 (INSTANCE ernn_testbench
  (INSTANCE u_top (INSTANCE u_core
{inner}
  ))
 )
)
""")
    return path


def test_build(run):
    told = ernn(run, "--part", "XC7VX690T")
    assert told.exit_code == 0, told.output
    place = run / "build-xc7vx690t"
    result = BuildResult.load(place)
    assert result.plan == digest(run) and result.part == PART and result.top == "ernn_top"
    assert result.tools == {"Vivado": "2023.2"}
    assert result.used == {"lut": 41236, "ff": 24810, "bram36": 44, "dsp": 212}
    assert result.fmax_mhz == pytest.approx(207.77, abs=0.01) and result.met
    assert result.power_w == 1.972 and result.power["confidence"] == "High"
    assert result.critical_path[1].startswith("Source: u_array")
    assert all((place / name).is_file() for name in result.files.values())
    assert "power: 1.972 W" in told.output and "207.8 MHz" in told.output
    assert not (place / "run").exists() and not (run / "build-xc7vx690t.part").exists()
    record = (run.parent / "record.txt").read_text()
    assert f"synth_design -part {PART} -top ernn_top -mode out_of_context" in record
    assert "read_saif" not in record
    assert sorted(p.name for p in run.iterdir()) == ["build-xc7vx690t", "generate", "quantize"]


def test_a_relative_folder_with_spaces(run, monkeypatch):
    """Vivado runs in a folder of its own; the command is told as a shell takes it."""
    monkeypatch.chdir(run)
    told = ernn(".", "--part", "XC7VX690T", "--out", "ein Ordner ü/b", "--clock-mhz", "150")
    assert told.exit_code == 0, told.output
    result = BuildResult.load(run / "ein Ordner ü" / "b")
    assert result.command == "ernn build . --part XC7VX690T --clock-mhz 150"


def test_power_with_the_simulation(run, tmp_path):
    """SAIF plain and packed; whose it is is told by itself, or by activity.json beside it."""
    found = saif(run, tmp_path / "activity.saif", digest(run))
    told = ernn(run, "--part", "XC7VX690T", "--saif", found)
    assert told.exit_code == 0, told.output
    record = (tmp_path / "record.txt").read_text()
    assert "read_saif -strip_path ernn_testbench/u_top" in record
    packed = tmp_path / "more" / "activity.saif.gz"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress(saif(run, tmp_path / "plain.saif").read_bytes()))
    (packed.parent / "activity.json").write_text(json.dumps({"plan": digest(run)}))
    assert ernn(run, "--part", "XC7VX690T", "--saif", packed).exit_code == 0
    assert not list((run / "build-xc7vx690t").glob("*.saif"))


def test_power_with_the_runs_own_simulation(run, tmp_path):
    """It is taken unasked, if it is of this plan."""
    record, simulated = tmp_path / "record.txt", run / "simulate"
    simulated.mkdir()
    packed = gzip.compress(saif(run, tmp_path / "plain.saif").read_bytes())
    (simulated / "activity.saif.gz").write_bytes(packed)
    for plan, used in (("0123456789ab", False), (digest(run), True)):
        (simulated / "activity.json").write_text(json.dumps({"plan": plan}))
        assert ernn(run, "--part", "XC7VX690T").exit_code == 0
        assert ("read_saif" in record.read_text()) == used


def test_a_saif_of_another_design(run, tmp_path):
    def told(path):
        return refused(run, "--part", "XC7VX690T", "--saif", path, code=2)

    assert "is of plan 0123456789ab" in told(saif(run, tmp_path / "a.saif", "0123456789ab"))
    (tmp_path / "activity.json").write_text('{"plan": "0123456789ab"}')
    assert "is of plan 0123456789ab" in told(saif(run, tmp_path / "b.saif"))
    (tmp_path / "activity.json").unlink()
    assert "no instance u_top with the units" in told(
        saif(run, tmp_path / "c.saif", without="u_output")
    )
    (tmp_path / "d.saif").write_text("$version a waveform $end")
    assert "is no SAIF file" in told(tmp_path / "d.saif")
    assert "cannot be read" in told(tmp_path / "none.saif")
    (tmp_path / "e.gz").write_bytes(b"\x1f\x8bdamaged")
    assert "cannot be read" in told(tmp_path / "e.gz")
    assert not (tmp_path / "record.txt").exists()  # Vivado was not even started


def test_vivado_that_matches_no_net(run, tmp_path, monkeypatch):
    samples = shutil.copytree(TESTS / "reports" / "2023.2", tmp_path / "2023.2")
    text = (samples / "power.rpt").read_text()
    (samples / "power.rpt").write_text(text.replace("91%   (30121/33100)", "NA"))
    monkeypatch.setenv("MOCK_VIVADO_REPORTS", str(samples))
    found = saif(run, tmp_path / "activity.saif")
    assert "found none of its nets" in refused(run, "--part", "XC7VX690T", "--saif", found)


def test_a_whole_build(run, tmp_path, monkeypatch):
    samples = shutil.copytree(TESTS / "reports" / "2023.2", tmp_path / "2023.2")
    for name in ("utilization", "timing_summary", "power"):
        report = samples / f"{name}.rpt"
        report.write_text(report.read_text().replace(": ernn_top", ": board"))
    monkeypatch.setenv("MOCK_VIVADO_REPORTS", str(samples))
    (tmp_path / "pins.xdc").write_text("")
    (tmp_path / "board.v").write_text("")
    words = (run, "--part", "XC7VX690T", "--wrapper", tmp_path / "board.v")
    assert "give their constraints" in refused(*words, code=2)
    for option, name in (("--xdc", "none.xdc"), ("--wrapper", "none.v")):
        told = refused(*words, "--xdc", tmp_path / "pins.xdc", option, tmp_path / name, code=2)
        assert f"{name} is no file; give one" in told
    told = ernn(*words, "--xdc", tmp_path / "pins.xdc")
    assert told.exit_code == 0, told.output
    result = BuildResult.load(run / "build-xc7vx690t")
    assert result.top == "board" and result.files["bitstream"] == "board.bit"


def test_missed_timing_leaves_the_results(run):
    told = refused(run, "--part", "XC7VX690T", "--clock-mhz", "250", code=1)
    assert "timing is not met: 207.8 MHz" in told
    assert not BuildResult.load(run / "build-xc7vx690t").met


def test_missed_timing_of_another_part_and_version(run, monkeypatch):
    monkeypatch.setenv("MOCK_VIVADO_REPORTS", str(TESTS / "reports" / "2019.1"))
    monkeypatch.setenv("MOCK_VIVADO_SLACK", "-0.412")
    told = refused(run, "--part", "XCKU060", code=1)
    assert "timing is not met: 184.8 MHz" in told
    result = BuildResult.load(run / "build-xcku060")
    assert result.tools == {"Vivado": "2019.1"} and result.used["bram36"] == 322.5


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("crash", "Vivado (build) failed"),
        ("licence", f"Vivado has no licence for {PART}"),
        ("memory", "Vivado (build) ran out of memory"),
        ("nothing", "result.txt is missing: Vivado ended before the build did; see its log"),
        ("hang", "Vivado (build) was stopped after 1 s"),
    ],
)
def test_vivado_fails(run, fault, sentence, monkeypatch):
    """One sentence, and an earlier build stays."""
    ernn(run, "--part", "XC7VX690T")
    before = (run / "build-xc7vx690t" / "build.json").read_bytes()
    monkeypatch.setenv("MOCK_VIVADO", fault)
    assert sentence in refused(run, "--part", "XC7VX690T", "--timeout", "1")
    assert (run / "build-xc7vx690t" / "build.json").read_bytes() == before


def test_a_missing_report(run, tmp_path, monkeypatch):
    samples = shutil.copytree(TESTS / "reports" / "2023.2", tmp_path / "2023.2")
    (samples / "timing_summary.rpt").unlink()
    monkeypatch.setenv("MOCK_VIVADO_REPORTS", str(samples))
    assert "timing_summary.rpt cannot be read" in refused(run, "--part", "XC7VX690T")


def test_reports_of_a_build_elsewhere(run, tmp_path, monkeypatch):
    """The scripts ran on another machine; here no Vivado is needed."""
    ernn(run, "--part", "XC7VX690T")
    brought = shutil.copytree(run / "build-xc7vx690t", tmp_path / "brought")
    shutil.rmtree(run / "build-xc7vx690t")
    monkeypatch.setenv("PATH", "/nowhere")
    words = ("--part", "XC7VX690T", "--reports", brought)
    told = ernn(run, *words)
    assert told.exit_code == 0, told.output
    assert BuildResult.load(run / "build-xc7vx690t").used["dsp"] == 212
    other = write_run(tmp_path / "other", small_model(hidden=24), part="XC7VX690T")
    assert f"is a build of plan {digest(run)}" in refused(other, *words, code=2)
    report, result = brought / "utilization.rpt", brought / "result.txt"
    report.write_text(report.read_text().replace("v.2023.2", "v.2022.1"))
    told = refused(run, *words, code=2)
    assert f"{report} is of Vivado 2022.1, and this build of 2023.2" in told
    for text in ("", "plan x", "\ufffd\0"):
        result.write_text(text)
        assert "does not tell plan, part, top and version" in refused(run, *words, code=2)
    result.unlink()
    assert f"{result} is missing" in refused(run, *words, code=2)
    assert BuildResult.load(run / "build-xc7vx690t").used["dsp"] == 212  # the earlier one
    assert "vivado was not found" in refused(run, "--part", "XC7VX690T")


@pytest.mark.needs("make")
def test_a_build_from_the_package(run, tmp_path):
    """The package's makefile runs the scripts, without ernn; ernn reads what they leave."""
    folder = package(run, say=lambda line: None)
    subprocess.run(["make", "-s", "-C", folder, "vivado"], check=True)
    told = ernn(run, "--part", "XC7VX690T", "--reports", folder / "build" / "vivado")
    assert told.exit_code == 0, told.output
    subprocess.run(["make", "-s", "-C", folder, "ip"], check=True)
    component = folder / "build" / "ip" / "component.xml"
    assert f"ipx::open_core {component}" in (tmp_path / "record.txt").read_text()


def test_the_part_needs_a_full_name(run, tmp_path):
    told = refused(run, "--part", "XC7VX690T", "--vivado-part", "xc7k325tffg900-2", code=2)
    assert "is no XC7VX690T" in told
    own = tmp_path / "own.toml"
    shipped = (TESTS.parent / "ernn" / "parts" / "amd" / "xc7vx690t.toml").read_text()
    own.write_text("".join(line for line in shipped.splitlines(True) if "full_name" not in line))
    assert "name the whole part with --vivado-part" in refused(run, "--part", own, code=2)
    assert ernn(run, "--part", own, "--vivado-part", PART).exit_code == 0


@pytest.mark.parametrize(
    ("part", "flow", "option"),
    [
        ("XC7VX690T", "vivado", "--speed"),
        ("XC7VX690T", "vivado", "--seeds"),
        ("LFE5U-85F", "ecp5", "--xdc"),
        ("LFE5U-85F", "ecp5", "--saif"),
    ],
)
def test_an_option_of_other_tools(run, part, flow, option):
    told = refused(run, "--part", part, option, "6", code=2)
    assert f"{option} is an option of the flow " in told
    assert f", and {part} is built by {flow}; leave it out" in told
    assert sorted(p.name for p in run.iterdir()) == ["generate", "quantize"]


def test_an_edited_project(run):
    top = run / "generate" / "rtl" / "ernn_top.v"
    top.write_text(top.read_text() + "// mine\n")
    told = refused(run, "--part", "XC7VX690T", code=2)
    assert "ernn_top.v changed after generation" in told
    assert ernn(run, "--part", "XC7VX690T", "--force").exit_code == 0
    assert BuildResult.load(run / "build-xc7vx690t").edited == ["rtl/ernn_top.v"]
