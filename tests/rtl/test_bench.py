"""What ernn.run.bench does when something goes wrong, and when nothing has changed."""

import os
import sys

import pytest

from ernn.errors import ToolError
from ernn.run import bench
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


def run(wire, folder, name="pipeline", **more):
    file, vectors = wire
    environment = {"ERNN_VECTORS": str(vectors)}
    bench.run_bench(
        [file], "wire_top", name, folder, simulator="icarus", environment=environment, **more
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
    assert str(tmp_path / "a" / "bench.log") in str(raised.value)


@pytest.mark.needs("iverilog")
def test_a_broken_source_is_told(wire, tmp_path):
    wire[0].write_text(WIRE.replace("assign", "asign"))
    with pytest.raises(ToolError, match=r"(?s)building wire_top for icarus.*wire_top.v:8"):
        run(wire, tmp_path / "a")


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("name", ["no_such_bench", "json"])
def test_a_bench_without_tests_is_told(wire, tmp_path, name):
    with pytest.raises(ToolError, match=name):
        run(wire, tmp_path / "a", name)


def test_a_missing_simulator_is_told(wire, tmp_path, monkeypatch):
    monkeypatch.setattr("ernn.tools.shutil.which", lambda name: None)
    with pytest.raises(ToolError, match=r"iverilog was not found.*apt install iverilog"):
        run(wire, tmp_path / "a")
    assert find("iverilog") is None and not (tmp_path / "a").exists()


@pytest.mark.needs("verilator")
def test_lint_is_strict(wire):
    bench.lint([wire[0]], "wire_top")
    wire[0].write_text(WIRE.replace("out_o = in_i", "out_o = in_i + 9'd1"))
    with pytest.raises(ToolError, match="WIDTH"):
        bench.lint([wire[0]], "wire_top")
