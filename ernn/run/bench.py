"""Lint Verilog, and build and run cocotb benches: the only place that starts a simulator.

Whatever goes wrong becomes a ToolError with the command, the folder and the end of the log.
"""

import hashlib
import json
import logging
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from cocotb_tools.runner import Runner, get_runner

from ernn.errors import ToolError
from ernn.resources import folder as shipped
from ernn.tools import Tool, require

Simulator = Literal["verilator", "icarus"]
DumpKind = Literal["saif", "vcd", "fst"]  # Verilator: the first two; Icarus: the last two

_TOOL = {"verilator": "verilator", "icarus": "iverilog"}
_BUILT_WITH = {"verilator": ("g++", "make", "perl"), "icarus": ()}
_BUILD_ARGS = {
    # cocotb makes every signal of the design public, which keeps Verilator from optimizing:
    # public ports of the top module are enough.
    "verilator": ["-O3", "--no-public-flat-rw", "--public-depth", "1", "--threads", "1"],
    "icarus": ["-Wall", "-Wno-timescale"],
}
# Verilator leaves wide signals and arrays out of dumps unless told otherwise.
_DUMP_ARGS = ["--trace-max-width", "0", "--trace-max-array", "64"]
_NO_WARNINGS = ["-Wno-fatal", "-Wno-lint", "-Wno-UNOPTFLAT"]
# For Verilator's makefile: its own -Os takes longer to compile.
_MAKE_VARIABLES = "OPT_FAST=-O1"
_TAIL_LINES = 20


def lint(files: Sequence[Path], top: str, parameters: Mapping[str, int] | None = None) -> None:
    """Check Verilog with `verilator --lint-only -Wall`.

    Raises:
        ToolError: Verilator is missing or has something to say.
    """
    tool = require("verilator")
    command = [str(tool.path), "--lint-only", "-Wall", "--quiet", "--top-module", top]
    command += [f"-G{name}={value}" for name, value in (parameters or {}).items()]
    command += [str(file) for file in files]
    environment = os.environ | tool.environment
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if told.returncode:
        raise ToolError(f"{' '.join(command)} failed:\n{_tail(told.stdout + told.stderr)}")


def run_bench(
    files: Sequence[Path],
    top: str,
    bench: str,
    folder: Path,
    *,
    simulator: Simulator = "verilator",
    parameters: Mapping[str, int] | None = None,
    environment: Mapping[str, str] | None = None,
    plusargs: Sequence[str] = (),
    run_in: Path | None = None,
    dump: DumpKind | None = None,
    strict: bool = True,
) -> None:
    """Build a simulation, unless ``folder`` holds it already, and run a bench on it.

    Args:
        files: Verilog sources.
        top: name of the top module.
        bench: name of a module in sim/ with cocotb tests.
        folder: for the build, build.log and bench.log.
        simulator: which one.
        parameters: of the top module.
        environment: what the bench reads, such as ERNN_VECTORS.
        plusargs: what the Verilog reads, such as "+trace=FILE".
        run_in: working folder of the simulation, for $readmemh; ``folder`` unless given.
        dump: what the Verilog's $dumpvars writes, if anything.
        strict: whether a warning of Verilator is an error; not of a netlist, which is full of them.

    Raises:
        ToolError: the simulator is missing, the build fails, or the bench fails.
    """
    tool = require(_TOOL[simulator])
    folder = Path(folder).resolve()
    run_in = Path(run_in or folder).resolve()
    parameters = dict(parameters or {})
    build(files, top, folder, simulator, parameters, dump, strict)
    log, results = folder / "bench.log", folder / "results.xml"
    wanted = {"SIM_CMD_SUFFIX": f"-{dump}"} if dump and simulator == "icarus" else {}
    with _environment(tool, dict(environment or {}) | wanted):
        runner = get_runner(simulator)
        with _explained(f"{bench} on {simulator}", runner, folder, log):
            runner.test(
                test_module=bench,
                hdl_toplevel=top,
                hdl_toplevel_lang="verilog",
                build_dir=folder / "build",
                test_dir=run_in,
                results_xml=str(results),
                log_file=log,
                plusargs=list(plusargs),
            )
            _require_passed(results)


def build(
    files: Sequence[Path],
    top: str,
    folder: Path,
    simulator: Simulator = "verilator",
    parameters: Mapping[str, int] | None = None,
    dump: DumpKind | None = None,
    strict: bool = True,
) -> None:
    """Compile a simulation into ``folder``; nothing is done when the same one is there."""
    tool = require(_TOOL[simulator])
    folder = Path(folder).resolve()
    args = _build_args(simulator, dump, strict)
    key = _key(files, top, simulator, tool.version, dict(parameters or {}), args)
    stamp, log = folder / "build.key", folder / "build.log"
    if stamp.is_file() and stamp.read_text() == key:
        return
    for name in _BUILT_WITH[simulator]:
        require(name)
    stamp.unlink(missing_ok=True)
    shutil.rmtree(folder / "build", ignore_errors=True)
    (folder / "build").mkdir(parents=True)
    make = {"MAKEFLAGS": f"{tool.environment.get('MAKEFLAGS', '')} {_MAKE_VARIABLES}".strip()}
    with _environment(tool, make), _shared_objects(tool, folder / "build", args):
        runner = get_runner(simulator)
        with _explained(f"building {top} for {simulator}", runner, folder, log):
            runner.build(
                sources=[Path(file).resolve() for file in files],
                hdl_toplevel=top,
                build_dir=folder / "build",
                parameters=dict(parameters or {}),
                build_args=args,
                timescale=("1ns", "1ps"),
                always=True,
                log_file=log,
            )
    stamp.write_text(key)


def _build_args(simulator: Simulator, dump: DumpKind | None, strict: bool) -> list[str]:
    args = list(_BUILD_ARGS[simulator])
    if simulator == "verilator" and not strict:
        args += _NO_WARNINGS
    if simulator == "verilator" and dump:  # Icarus can always dump, in a format of its own
        args += [f"--trace-{dump}", *_DUMP_ARGS]
    return args


def _key(
    files: Sequence[Path],
    top: str,
    simulator: str,
    version: str,
    parameters: dict[str, int],
    args: list[str],
) -> str:
    """Return the hash of everything that the build depends on."""
    contents = [(file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in files]
    everything = [contents, top, simulator, version, sorted(parameters.items())]
    everything += [[*args, _MAKE_VARIABLES]]
    return hashlib.sha256(json.dumps(everything).encode()).hexdigest()


@contextmanager
def _shared_objects(tool: Tool, folder: Path, args: list[str]) -> Iterator[None]:
    """Keep the compiled parts of Verilator that are the same in every build.

    They are most of a small build: about 19 of 22 seconds of g++. They are kept in the user's cache
    folder, under a name of everything that they depend on; without it, builds are just slower.
    """
    if tool.name != "verilator":
        yield
        return
    compiler = require("g++")
    parts = [tool.path, tool.version, compiler.path, compiler.version, platform.machine()]
    what = f"{parts} {[arg for arg in args if not arg.startswith('-W')]}"  # warnings change nothing
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    kept = home / "ernn" / f"verilator-{hashlib.sha256(what.encode()).hexdigest()[:16]}"
    for found in sorted(kept.glob("verilated*.o")):
        shutil.copyfile(found, folder / found.name)
        later = time.time() + 3600  # than the makefile that Verilator is about to write
        os.utime(folder / found.name, (later, later))
    yield
    with suppress(OSError):
        kept.mkdir(parents=True, exist_ok=True)
        for made in sorted(folder.glob("verilated*.o")):
            if not (kept / made.name).exists():
                partial = kept / f"{made.name}.{os.getpid()}"
                shutil.copyfile(made, partial)
                partial.replace(kept / made.name)


@contextmanager
def _environment(tool: Tool, extra: Mapping[str, str]) -> Iterator[None]:
    """Set what cocotb's runner reads from this process: os.environ and sys.path."""
    before, path = dict(os.environ), list(sys.path)
    os.environ.update(tool.environment)
    os.environ.update(extra)
    os.environ["COCOTB_ANSI_OUTPUT"] = "0"
    for name in ("PYTEST_CURRENT_TEST", "WAVES", "GUI"):  # each changes what the runner does
        os.environ.pop(name, None)
    sys.path.append(str(shipped("sim")))
    try:
        yield
    finally:
        sys.path[:] = path
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _explained(what: str, runner: Runner, folder: Path, log: Path) -> Iterator[None]:
    """Turn the runner's ways of giving up into a ToolError."""
    commands = _Commands()
    runner.log.addHandler(commands)
    runner.log.propagate = False
    try:
        yield
    except (SystemExit, RuntimeError, OSError) as error:
        text = log.read_text(errors="replace") if log.is_file() else ""
        raise ToolError(
            f"{what} failed: {error}\n{commands.last}\nfolder: {folder}\nlog: {log}\n{_tail(text)}"
        ) from error
    finally:
        runner.log.removeHandler(commands)


class _Commands(logging.Handler):
    """Keeps the last command that cocotb's runner tells about."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("Running command"):
            self.last = record.getMessage()


def _require_passed(results: Path) -> None:
    """Raise RuntimeError unless at least one test ran and all of them passed."""
    try:
        cases = list(ElementTree.parse(results).iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        raise RuntimeError("the simulation ended without results") from error
    if not cases:
        raise RuntimeError("there was no test to run")
    failed = [
        f"{case.get('name')}: {problem.get('message') or problem.tag}"
        for case in cases
        for problem in case
        if problem.tag in ("failure", "error")
    ]
    if failed:
        raise RuntimeError("; ".join(failed))


def _tail(text: str) -> str:
    return "\n".join(text.rstrip().splitlines()[-_TAIL_LINES:])
