"""The environment of programs: what was meant for other work is gone, what leads to tools stays."""

import os

import pytest

from ernn.run import environment
from ernn.run.environment import for_programs

DROPPED = """
COCOTB_TESTCASE COCOTB_RESOLVE_X GPI_EXTRA PYGPI_USERS TESTCASE MODULE TOPLEVEL SIM_ARGS WAVES
PYTHONWARNINGS PYTHONOPTIMIZE PYTHONSTARTUP CXXFLAGS CFLAGS CPPFLAGS LDFLAGS LDLIBS MAKEFLAGS
GNUMAKEFLAGS MFLAGS MAKEFILES OPT_FAST USER_CPPFLAGS VM_TRACE VK_USER_OBJS VERILATOR_BIN
VERILATOR_SOLVER IVERILOG_DUMPER YOWASP_MOUNT PYTEST_CURRENT_TEST
""".split()
KEPT = """
PATH HOME TMPDIR LD_LIBRARY_PATH PYTHONPATH VIRTUAL_ENV VERILATOR_ROOT LIBPYTHON_LOC LC_ALL
XILINXD_LICENSE_FILE LM_LICENSE_FILE OMP_NUM_THREADS MY_COCOTB_NOTES SIMULATE ERNN_VECTORS
""".split()


def test_what_is_dropped_and_what_stays(monkeypatch):
    for name in (*DROPPED, *KEPT):
        monkeypatch.setenv(name, os.environ.get(name, "x"))
    found = for_programs({"COCOTB_ANSI_OUTPUT": "0"})
    assert not found.keys() & set(DROPPED)
    assert found.keys() >= set(KEPT)
    assert found["COCOTB_ANSI_OUTPUT"] == "0", "what ernn itself asks for"


@pytest.mark.parametrize("writable", [True, False])
def test_yowasp_has_a_cache_that_it_can_write(monkeypatch, tmp_path, writable):
    monkeypatch.delenv("YOWASP_CACHE_DIR", raising=False)
    monkeypatch.setattr(environment, "home_cache", lambda: tmp_path if writable else None)
    monkeypatch.setattr(environment, "cache_folder", lambda: tmp_path / "mine")
    found = for_programs().get("YOWASP_CACHE_DIR")
    assert found == (None if writable else str(tmp_path / "mine" / "yowasp"))


def test_a_cache_of_the_users_choice_stays(monkeypatch):
    monkeypatch.setenv("YOWASP_CACHE_DIR", "/chosen")
    monkeypatch.setattr(environment, "home_cache", lambda: None)
    assert for_programs()["YOWASP_CACHE_DIR"] == "/chosen"
