"""The environment of outside programs: this process's, without what was meant for other work.

A variable of another cocotb project, of a package manager's compiler or of a running ``make`` would
change what is built or which tests run; nobody means ernn's simulations by it.
"""

import os
import re
from collections.abc import Mapping

from ernn.places import cache_folder, home_cache

_FOR_OTHER_WORK = re.compile(
    # cocotb and its runner
    r"COCOTB_\w+|GPI_\w+|PYGPI_\w+|COVERAGE_\w+|PYTEST_CURRENT_TEST|SIM|SIM_\w+|WAVES|GUI"
    r"|MODULE|TOPLEVEL|TOPLEVEL_LANG|TESTCASE|RANDOM_SEED"
    # make, and Verilator's makefile, which takes its variables from here
    r"|MAKEFLAGS|GNUMAKEFLAGS|MFLAGS|MAKELEVEL|MAKEFILES|MAKEOVERRIDES|VPATH"
    r"|C(XX|PP)?FLAGS|LD(FLAGS|LIBS)|ARFLAGS|TARGET_ARCH|OPT|OPT_\w+|LINK|OBJCACHE"
    r"|USER_(CPPFLAGS|LDFLAGS|LDLIBS)|VM_\w+|VK_\w+|CFG_\w+"
    # Verilator, Icarus: the root of an installation stays
    r"|VERILATOR_(?!ROOT$)\w+|IVERILOG_\w+"
    # Python: warnings as errors, testbenches without their assertions, programs before ours
    r"|PYTHON(WARNINGS|OPTIMIZE|STARTUP|INSPECT|DEVMODE|BREAKPOINT|IOENCODING|PROFILEIMPORTTIME)"
    # YoWASP would see nothing of the disk but this
    r"|YOWASP_MOUNT"
)


def for_programs(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment to run an outside program in.

    Args:
        more: variables to set.
    """
    kept = {k: v for k, v in os.environ.items() if not _FOR_OTHER_WORK.fullmatch(k)}
    if "YOWASP_CACHE_DIR" not in kept and home_cache() is None:  # it would insist on that
        kept["YOWASP_CACHE_DIR"] = str(cache_folder() / "yowasp")
    return {"PATH": os.defpath} | kept | dict(more or {})
