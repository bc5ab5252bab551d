"""Workers: their parent's script is not run again, nothing of /dev/shm, and none outlives it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from deadlines import until

from ernn.errors import CorpusError, ToolError
from ernn.workers import Worker, WorkerDied, in_order


def half(number):
    if number < 0:
        raise CorpusError(f"{number} is negative; give another")
    time.sleep(0.05 * (number == 0))  # the first call is not the first to be answered
    return number / 2, os.getpid()


def test_results_are_in_order_whoever_made_them():
    found = list(in_order(half, range(6), 2, "halving"))
    assert [value for value, _ in found] == [0, 0.5, 1, 1.5, 2, 2.5]
    others = {process for _, process in found}
    assert len(others) == 2 and os.getpid() not in others


def test_one_worker_is_this_process():
    assert {process for _, process in in_order(half, range(3), 1, "halving")} == {os.getpid()}


def test_an_error_comes_back_with_its_traceback():
    with pytest.raises(CorpusError, match="-1 is negative; give another") as raised:
        list(in_order(half, [1, -1, 2], 2, "halving"))
    assert "in half" in raised.value.__notes__[0]


def die(_):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_death_is_told():
    with pytest.raises(ToolError, match="a process that was dying died; run the same command"):
        list(in_order(die, range(3), 2, "dying"))
    worker = Worker()
    worker.call(die, None)
    with pytest.raises(WorkerDied):
        worker.result()
    worker.call(die, None)  # into the broken connection
    with pytest.raises(WorkerDied):
        worker.result()
    worker.close()


# As a reader would write it first: at the top of a file, without a guard.
PLAIN = """
import math, sys
from ernn.workers import in_order
print(list(in_order(math.sqrt, [4.0, 9.0], 2, "rooting")))
assert "multiprocessing.synchronize" not in sys.modules  # semaphores, which need /dev/shm
"""


def test_a_plain_script_needs_no_guard(tmp_path):
    script = tmp_path / "plain.py"
    script.write_text(PLAIN)
    told = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert (told.returncode, told.stdout) == (0, "[2.0, 3.0]\n"), told.stderr


def wait_for_ever(path):
    Path(path).write_text(str(os.getpid()))
    time.sleep(600)


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_its_parent(tmp_path, end):
    note = tmp_path / "process"
    code = f"""
import sys
sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(Path(__file__).parents[1])!r}]
from test_workers import wait_for_ever
from ernn.workers import in_order
list(in_order(wait_for_ever, [{str(note)!r}, {str(tmp_path / "other")!r}], 2, "waiting"))
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    until(lambda: note.exists() and note.read_text(), "the worker did not start")
    process = int(note.read_text())
    assert alive(process)
    os.kill(process, signal.SIGINT)  # of a terminal: it is the parent's
    parent.send_signal(end)
    parent.wait(30)
    until(lambda: not alive(process), "the worker lives on")
