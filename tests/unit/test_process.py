"""Outside programs: whatever goes wrong is one sentence, and nothing keeps running."""

import sys
import time

import pytest

from ernn.errors import ToolError
from ernn.run.process import run_tool
from ernn.run.yosys import run_yosys


def run(tmp_path, code, timeout_s=20.0, **more):
    command = [sys.executable, "-c", code]
    return run_tool("the tool", command, tmp_path, tmp_path / "log", timeout_s=timeout_s, **more)


def test_output_and_environment(tmp_path):
    code = "import os, sys; print(os.environ['X'], os.getcwd()); print('b', file=sys.stderr)"
    text = run(tmp_path, code, environment={"X": "1"})
    assert sorted(text.splitlines()) == sorted([f"1 {tmp_path}", "b"])
    assert (tmp_path / "log").read_text() == text


def test_a_failure_shows_the_end_of_the_log(tmp_path):
    with pytest.raises(ToolError, match=r"the tool failed \(exit code 3\)(?s:.)*line 99"):
        run(tmp_path, "for i in range(100): print('line', i)\nraise SystemExit(3)")


def test_time_out_stops_what_it_started(tmp_path):
    child = "import time, pathlib; time.sleep(2); pathlib.Path('late').touch()"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with pytest.raises(ToolError, match=r"stopped after 0\.5 s; allow more with --timeout"):
        run(tmp_path, code, timeout_s=0.5)
    time.sleep(2.5)
    assert not (tmp_path / "late").exists()


@pytest.mark.parametrize(
    "code", ["raise MemoryError", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
)
def test_out_of_memory(tmp_path, code):
    with pytest.raises(ToolError, match="the tool ran out of memory"):
        run(tmp_path, code)


def test_a_program_that_is_not_there(tmp_path):
    with pytest.raises(ToolError, match="cannot start: /no/such"):
        run_tool("the tool", ["/no/such"], tmp_path, tmp_path / "log", timeout_s=1)


@pytest.mark.needs("yosys")
def test_yosys_runs_a_script(tmp_path):
    (tmp_path / "a.v").write_text("module a(input x, output y); assign y = ~x; endmodule\n")
    script = tmp_path / "out" / "count.ys"
    script.parent.mkdir()
    text = run_yosys(["read_verilog a.v", "stat"], tmp_path, script)
    assert "Number of cells" in text or "cells" in text
    assert script.with_name("count.ys.log").read_text() == text
    with pytest.raises(ToolError, match=r"Yosys \(count\) failed(?s:.)*b\.v"):
        run_yosys(["read_verilog b.v"], tmp_path, script)
