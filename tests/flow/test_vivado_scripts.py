"""The Tcl for Vivado, run by tclsh with stand-ins that record Vivado's commands.

The scripts have never been run by Vivado itself.
"""

import subprocess

import pytest

from ernn.resources import folder
from ernn.tools import require

pytestmark = pytest.mark.needs("tclsh")

STAND_INS = """
proc record {args} { puts "RAN $args" }
foreach name {set_msg_config read_verilog synth_design create_clock opt_design place_design
    route_design report_utilization report_timing_summary} {
  proc $name {args} "record $name {*}\\$args"
}
proc get_ports {args} { return $args }
proc get_timing_paths {args} { return path }
proc get_property {args} { return SLACK }
"""


def run(tmp_path, *arguments, slack="0.25"):
    main = tmp_path / "main.tcl"
    script = folder("vivado_scripts") / "build.tcl"
    main.write_text(f"{STAND_INS.replace('SLACK', slack)}\nsource {script}\n")
    command = [str(require("tclsh").path), str(main), *map(str, arguments)]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)


def test_build_runs_the_whole_flow(tmp_path):
    for name in ("b.v", "a.v"):
        (tmp_path / name).write_text("")
    told = run(tmp_path, "xc7z020clg400-1", "ernn_top", "5.0", "out")
    assert told.returncode == 0, told.stderr
    ran = [line.split()[1] for line in told.stdout.splitlines() if "set_msg_config" not in line]
    assert ran[:3] == ["read_verilog", "synth_design", "create_clock"]
    assert ran[-2:] == ["report_utilization", "report_timing_summary"]
    assert "read_verilog {a.v b.v}" in told.stdout
    assert "-part xc7z020clg400-1 -top ernn_top -mode out_of_context" in told.stdout
    assert (tmp_path / "out").is_dir()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["part", "top"], "needs four arguments"),
        (["part", "top", "fast", "out"], "clock_ns is 'fast'"),
        (["part", "top", "-1", "out"], "clock_ns is '-1'"),
        (["part", "top", "5", "out"], "no Verilog in"),
    ],
)
def test_wrong_use(tmp_path, arguments, sentence):
    told = run(tmp_path, *arguments)
    assert told.returncode != 0
    assert sentence in told.stderr
    assert not (tmp_path / "out").exists()


def test_missed_timing_is_an_error(tmp_path):
    (tmp_path / "a.v").write_text("")
    told = run(tmp_path, "part", "top", "5.0", "out", slack="-0.1")
    assert told.returncode != 0
    assert "timing is not met" in told.stderr
