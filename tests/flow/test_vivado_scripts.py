"""The Tcl for Vivado, run by tclsh in a stand-in that records Vivado's commands.

The scripts have never been run by Vivado itself.
"""

import os
import subprocess
from pathlib import Path

import pytest

from ernn.resources import folder

pytestmark = pytest.mark.needs("tclsh")

MOCK = Path(__file__).parents[1] / "mock_bin" / "vivado"
PART = "xc7z020clg400-1"


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """Run a script with names and values; return its end and the commands in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rtl").mkdir()
    for name in ("b.v", "a.v", "w.mem"):
        (tmp_path / "rtl" / name).write_text(name)

    def run(script, *words, **given):
        pairs = [str(word) for pair in given.items() for word in pair]
        record = tmp_path / "record.txt"
        record.unlink(missing_ok=True)
        source = folder("vivado_scripts") / f"{script}.tcl"
        command = [str(MOCK), "-mode", "batch", "-source", str(source), "-tclargs", *words, *pairs]
        environment = os.environ | {"MOCK_VIVADO_RECORD": str(record)}
        told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        lines = record.read_text().splitlines() if record.exists() else []
        return told, [line for line in lines if not line.startswith("set_msg_config")]

    return run


GIVEN = {"sources": "rtl", "part": PART, "clock_ns": "5.0", "output": "out"}


def test_build_out_of_context(ran, tmp_path):
    told, commands = ran("build", **GIVEN)
    assert told.returncode == 0, told.stdout
    assert [line.split()[0] for line in commands] == [
        "read_verilog", "read_xdc", "synth_design", "write_checkpoint",
        "opt_design", "place_design", "phys_opt_design", "route_design", "write_checkpoint",
        "report_utilization", "report_utilization", "report_timing_summary",
        "report_route_status", "report_drc", "report_power",
    ]  # fmt: skip
    assert commands[0] == "read_verilog {rtl/a.v rtl/b.v}"
    assert f"synth_design -part {PART} -top ernn_top -mode out_of_context" in commands
    clock = (tmp_path / "out" / "clock.xdc").read_text()
    assert clock == "create_clock -name clk -period 5.0 [get_ports clk_i]\n"
    assert (tmp_path / "w.mem").read_text() == "w.mem"  # where $readmemh looks
    result = (tmp_path / "out" / "result.txt").read_text().splitlines()
    assert {"vivado 2023.2", f"part {PART}", "mode out_of_context"} <= set(result)


def test_build_whole(ran, tmp_path):
    (tmp_path / "pins.xdc").write_text("")
    (tmp_path / "board.v").write_text("")
    told, commands = ran("build", **GIVEN, top="board", xdc="pins.xdc", wrapper="board.v")
    assert told.returncode == 0, told.stdout
    assert commands[0] == f"read_verilog {{rtl/a.v rtl/b.v {tmp_path / 'board.v'}}}"
    assert commands[1:3] == [
        f"read_xdc {tmp_path / 'pins.xdc'}",
        f"synth_design -part {PART} -top board",
    ]
    assert commands[-1] == "write_bitstream -force out/board.bit"
    assert "mode whole" in (tmp_path / "out" / "result.txt").read_text()


@pytest.mark.parametrize("missed", ["error", "report"])
def test_missed_timing(ran, tmp_path, missed, monkeypatch):
    """Every report is written, but no bitstream; it is an error unless only a report is asked."""
    (tmp_path / "pins.xdc").write_text("")
    monkeypatch.setenv("MOCK_VIVADO_SLACK", "-0.1")
    told, commands = ran("build", **GIVEN, xdc="pins.xdc", missed=missed)
    assert told.returncode == (1 if missed == "error" else 0)
    assert ("timing is not met: slack -0.1 ns" in told.stdout) == (missed == "error")
    assert commands[-1].startswith("report_power")
    assert "setup_slack_ns -0.1" in (tmp_path / "out" / "result.txt").read_text()


@pytest.mark.parametrize(
    ("words", "given", "sentence"),
    [
        (["part"], {}, "takes pairs of a name and a value; got 1 words"),
        ([], {"part": PART}, "build.tcl needs sources"),
        ([], GIVEN | {"speed": "1"}, "knows no 'speed'"),
        ([], GIVEN | {"clock_ns": "fast"}, "clock_ns is 'fast'"),
        ([], GIVEN | {"clock_ns": "-1"}, "clock_ns is '-1'"),
        ([], GIVEN | {"missed": "ignore"}, "give error or report"),
        ([], GIVEN | {"sources": "nowhere"}, "no Verilog in 'nowhere'"),
        ([], GIVEN | {"xdc": "none.xdc"}, "xdc 'none.xdc' is no file"),
        ([], GIVEN | {"wrapper": "rtl/a.v"}, "a wrapper has pins"),
    ],
)
def test_wrong_use(ran, tmp_path, words, given, sentence):
    told, commands = ran("build", *words, **given)
    assert told.returncode == 1
    assert sentence in told.stdout
    assert not commands and not (tmp_path / "out").exists()


def test_dangerous_messages_are_errors(ran, tmp_path):
    """But missed timing is not: the script judges it itself."""
    ran("build", **GIVEN)
    record = (tmp_path / "record.txt").read_text()
    assert "set_msg_config -severity {CRITICAL WARNING} -new_severity ERROR" in record
    assert "set_msg_config -id {Synth 8-327} -new_severity ERROR" in record
    assert record.rindex("{Timing 38-282} -new_severity WARNING") > record.index("CRITICAL")


def test_power(ran, tmp_path):
    for name in ("routed.dcp", "activity.saif"):
        (tmp_path / name).write_text("")
    given = {"checkpoint": "routed.dcp", "output": "out"}
    told, commands = ran("power", **given, saif="activity.saif", strip_path="bench/u_top")
    assert told.returncode == 0, told.stdout
    assert commands == [
        f"open_checkpoint {tmp_path / 'routed.dcp'}",
        "read_saif -strip_path bench/u_top -out_file out/saif_unmatched.rpt "
        f"{tmp_path / 'activity.saif'}",
        "report_power -file out/power.rpt",
    ]
    told, commands = ran("power", **given)
    assert [line.split()[0] for line in commands] == ["open_checkpoint", "report_power"]
    told, _ = ran("power", **given, saif="activity.saif")
    assert told.returncode == 1 and "saif and strip_path belong together" in told.stdout
    told, _ = ran("power", **given | {"checkpoint": "none.dcp"})
    assert told.returncode == 1 and "checkpoint 'none.dcp' is no file" in told.stdout


def test_package_ip(ran, tmp_path, monkeypatch):
    told, _ = ran("package_ip", package=".")
    assert told.returncode == 1 and "is no file" in told.stdout
    component = tmp_path / "component.xml"
    component.write_text("")
    told, commands = ran("package_ip", package=".", archive="ip.zip")
    assert told.returncode == 0, told.stdout
    assert commands[1] == f"ipx::open_core {component}"
    assert f"ipx::archive_core {tmp_path / 'ip.zip'} core" in commands
    assert commands.index("ipx::check_integrity -quiet core") < commands.index(
        "ipx::save_core core"
    )
    monkeypatch.setenv("MOCK_VIVADO", "integrity")
    told, commands = ran("package_ip", package=".")
    assert told.returncode == 1 and "Vivado does not accept" in told.stdout
    assert not [line for line in commands if "save_core" in line]
