"""What ernn.run.testbench does when something goes wrong, and when nothing has changed."""

import os
import sys

import pytest

from ernn.errors import ToolError
from ernn.run import testbench
from ernn.tools import find

WIRE = """\
`default_nettype none
module wire_top (
    input  wire       clk_i,
    input  wire [7:0] in_i,
    output wire [7:0] out_o
);
  wire unused = clk_i;
  assign out_o = in_i;
endmodule
"""
VECTORS = """{"inputs": [1, 2, 3], "outputs": [
    {"name": "out", "low": 0, "width": 8, "latency_cycles": 0, "words": [1, 2, %d]}]}"""


@pytest.fixture
def wire(tmp_path):
    """A design and its right vectors."""
    file, vectors = tmp_path / "wire_top.v", tmp_path / "vectors.json"
    file.write_text(WIRE)
    vectors.write_text(VECTORS % 3)
    return file, vectors


def run(wire, folder, name="pipeline", simulator="icarus"):
    file, vectors = wire
    environment = {"ERNN_VECTORS": str(vectors)}
    testbench.run_testbench(
        [file], "wire_top", name, folder, simulator=simulator, environment=environment
    )


@pytest.mark.needs("iverilog")
def test_a_finished_build_is_used_again(wire, tmp_path):
    before, path = dict(os.environ), list(sys.path)
    run(wire, tmp_path / "a")
    built = tmp_path / "a" / "build" / "sim.vvp"
    first = built.stat().st_mtime_ns
    run(wire, tmp_path / "a")
    assert built.stat().st_mtime_ns == first
    wire[0].write_text(WIRE + "// changed\n")
    run(wire, tmp_path / "a")
    assert built.stat().st_mtime_ns > first
    assert (dict(os.environ), sys.path) == (before, path), "the process is left as it was"


@pytest.mark.needs("iverilog")
def test_a_wrong_word_is_told(wire, tmp_path):
    wire[1].write_text(VECTORS % 7)
    with pytest.raises(ToolError, match="out, word 2: 0x3, expected 0x7") as raised:
        run(wire, tmp_path / "a")
    assert str(tmp_path / "a" / "testbench.log") in str(raised.value)


@pytest.mark.needs("iverilog")
def test_a_broken_source_is_told(wire, tmp_path):
    wire[0].write_text(WIRE.replace("assign", "asign"))
    with pytest.raises(ToolError, match=r"(?s)building wire_top for icarus.*wire_top.v:8"):
        run(wire, tmp_path / "a")


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("name", ["no_such_testbench", "json"])
def test_a_testbench_without_tests_is_told(wire, tmp_path, name):
    with pytest.raises(ToolError, match=name):
        run(wire, tmp_path / "a", name)


def test_a_missing_simulator_is_told(wire, tmp_path, monkeypatch):
    monkeypatch.setattr("ernn.tools.shutil.which", lambda name: None)
    with pytest.raises(ToolError, match=r"iverilog was not found.*apt install iverilog"):
        run(wire, tmp_path / "a")
    assert find("iverilog") is None and not (tmp_path / "a").exists()


@pytest.mark.needs("verilator")
def test_lint_is_strict(wire):
    testbench.lint([wire[0]], "wire_top")
    wire[0].write_text(WIRE.replace("out_o = in_i", "out_o = in_i + 9'd1"))
    with pytest.raises(ToolError, match="WIDTH"):
        testbench.lint([wire[0]], "wire_top")


# What another cocotb project, conda, a running make and a careful tester leave in an environment.
HOSTILE = {
    "COCOTB_TESTCASE": "smoke",
    "COCOTB_TEST_FILTER": "smoke",
    "COCOTB_USER_COVERAGE": "1",
    "COCOTB_RANDOM_SEED": "x",
    "COCOTB_TEST_MODULES": "theirs",
    "GPI_EXTRA": "/nowhere/libcocotbvhpi.so:entry",
    "GPI_USERS": "/nowhere/libpython.so",
    "PYGPI_USERS": "nowhere:main",
    "PYTHONWARNINGS": "error",
    "CXXFLAGS": "-std=c++11 -Werror",
    "CPPFLAGS": "-Wall -Wextra -Werror",
    "LDFLAGS": "-Wl,--no-such-option",
    "GNUMAKEFLAGS": "-n",
    "MAKEFLAGS": "-n",
    "USER_CPPFLAGS": "-Werror",
    "OPT_FAST": "--no-such-option",
    "VM_TRACE": "7",
    "VERILATOR_BIN": "nothing",
    "WAVES": "1",
    "SIM_CMD_SUFFIX": "--nothing",
}


@pytest.fixture
def hostile(monkeypatch, tmp_path):
    """An environment full of other tools' variables, and modules with the names of ours."""
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "theirs").mkdir()
    for name in ("pipeline", "clocked"):
        (tmp_path / "theirs" / f"{name}.py").write_text("raise SystemExit('not this one')\n")
    monkeypatch.syspath_prepend(tmp_path / "theirs")


@pytest.mark.parametrize(
    "simulator",
    [
        pytest.param("icarus", marks=pytest.mark.needs("iverilog")),
        pytest.param("verilator", marks=pytest.mark.needs("verilator")),
    ],
)
def test_variables_of_other_work_change_nothing(wire, tmp_path, hostile, simulator):
    run(wire, tmp_path / "a", simulator=simulator)


@pytest.mark.needs("iverilog")
def test_an_environment_makes_no_testbench_pass(wire, tmp_path, hostile, monkeypatch):
    # Together they would leave a testbench's asserts out.
    monkeypatch.setenv("PYTHONOPTIMIZE", "1")
    monkeypatch.setenv("COCOTB_REWRITE_ASSERTION_FILES", "")
    wire[1].write_text(VECTORS % 7)
    with pytest.raises(ToolError, match="out, word 2: 0x3, expected 0x7"):
        run(wire, tmp_path / "a")


# GNU make, shells and lists of paths take these apart; the last is no UTF-8.
ODD = ("with space", "#1", "a:b", "$HOME", "it's", "t\udcefny")


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("name", ODD)
def test_any_folder_will_do(wire, tmp_path, name):
    run(wire, tmp_path / name / "a")


@pytest.mark.needs("verilator")
def test_make_never_sees_an_odd_folder(wire, tmp_path):
    odd = tmp_path / "".join(ODD)
    odd.mkdir()
    file, vectors = (path.rename(odd / path.name) for path in wire)
    run((file, vectors), odd / "a", simulator="verilator")
    assert (odd / "a" / "build" / "wire_top").is_file()


@pytest.mark.needs("iverilog")
def test_a_build_with_a_part_missing_is_made_again(wire, tmp_path):
    run(wire, tmp_path / "a")
    built = tmp_path / "a" / "build" / "sim.vvp"
    half = built.read_bytes()[: built.stat().st_size // 2]
    for spoil in (built.unlink, lambda: built.write_bytes(half)):
        spoil()
        run(wire, tmp_path / "a")
        assert built.stat().st_size > len(half)
