"""Lint Verilog, and build and run cocotb testbenches: the only place that starts a simulator.

Whatever goes wrong becomes a ToolError with the command, the folder and the end of the log.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from cocotb_tools import config
from cocotb_tools.runner import Runner, get_runner

from ernn.errors import ToolError
from ernn.places import alias, plain_copy
from ernn.resources import folder as shipped
from ernn.run.built import BUILD, is_built, key_of, seal
from ernn.run.environment import for_programs
from ernn.run.objects import kept_objects
from ernn.run.verilator import BUILT_WITH, DumpKind, make_flags, make_variables, verilator_args
from ernn.tools import Tool, require

Simulator = Literal["verilator", "icarus"]

_TOOL = {"verilator": "verilator", "icarus": "iverilog"}
_BUILT_WITH = {"verilator": BUILT_WITH, "icarus": ()}
# cocotb makes every signal of the design public, which keeps Verilator from optimizing: public
# ports of the top module are enough.
_PORTS_ONLY = ["--no-public-flat-rw", "--public-depth", "1"]
_ICARUS_ARGS = ["-Wall", "-Wno-timescale"]
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
    environment = for_programs(tool.environment)
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if told.returncode:
        raise ToolError(f"{' '.join(command)} failed:\n{_tail(told.stdout + told.stderr)}")


def run_testbench(
    files: Sequence[Path],
    top: str,
    testbench: str,
    folder: Path,
    *,
    simulator: Simulator = "verilator",
    parameters: Mapping[str, int] | None = None,
    environment: Mapping[str, str] | None = None,
    plusargs: Sequence[str] = (),
    run_in: Path | None = None,
    dump: DumpKind | None = None,
    strict: bool = True,
    optimized: bool = True,
) -> None:
    """Build a simulation, unless ``folder`` holds it already, and run a testbench on it.

    Args:
        files: Verilog sources.
        top: name of the top module.
        testbench: name of a module in sim/ with cocotb tests.
        folder: for the build, build.log and testbench.log.
        simulator: which one.
        parameters: of the top module.
        environment: what the testbench reads, such as ERNN_VECTORS.
        plusargs: what the Verilog reads, such as "+trace=FILE".
        run_in: working folder of the simulation, for $readmemh; ``folder`` unless given.
        dump: what the Verilog's $dumpvars writes, if anything.
        strict: whether a warning of Verilator is an error; not of a netlist, which is full of them.
        optimized: whether it is worth Verilator's compiler's time; an optimized build serves both.

    Raises:
        ToolError: the simulator is missing, the build fails, or the testbench fails.
    """
    tool = require(_TOOL[simulator])
    folder = Path(folder).resolve()
    run_in = Path(run_in or folder).resolve()
    parameters = dict(parameters or {})
    build(files, top, folder, simulator, parameters, dump, strict, optimized)
    log, results = folder / "testbench.log", folder / "results.xml"
    wanted = {"SIM_CMD_SUFFIX": f"-{dump}"} if dump and simulator == "icarus" else {}
    with _environment(tool, dict(environment or {}) | wanted):
        runner = get_runner(simulator)
        with _explained(f"{testbench} on {simulator}", runner, folder, log):
            runner.test(
                test_module=testbench,
                hdl_toplevel=top,
                hdl_toplevel_lang="verilog",
                build_dir=folder / BUILD,
                test_dir=run_in,
                results_xml=str(results),
                log_file=log,
                plusargs=list(plusargs),
                # It would put the log's name into the results, which must be UTF-8.
                extra_env={"COCOTB_RESULTS_ATTACHMENTS": ""},
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
    optimized: bool = True,
) -> None:
    """Compile a simulation into ``folder``; nothing is done when the same one is there."""
    tool = require(_TOOL[simulator])
    folder = Path(folder).resolve()
    args = _ICARUS_ARGS  # Icarus can always dump, in a format of its own
    if simulator == "verilator":
        args = [*verilator_args(dump, strict), *_PORTS_ONLY]
    options = [top, simulator, tool.version, sorted((parameters or {}).items()), args]
    key = key_of(files, [*options, make_variables(optimized)])
    log, product = folder / "build.log", "sim.vvp" if simulator == "icarus" else top
    if is_built(folder, product, key, key_of(files, [*options, make_variables(True)])):
        return
    for name in _BUILT_WITH[simulator]:
        require(name)
    with (
        plain_copy([Path(file).resolve() for file in files], folder / BUILD) as (sources, place),
        _environment(tool, make_flags(tool, optimized)),
        kept_objects(tool, place, args),
    ):
        runner = get_runner(simulator)
        with _explained(f"building {top} for {simulator}", runner, folder, log):
            runner.build(
                sources=sources,
                hdl_toplevel=top,
                build_dir=place,
                parameters=dict(parameters or {}),
                build_args=args,
                timescale=("1ns", "1ps"),
                always=True,
                log_file=log,
            )
            if not (place / product).is_file():
                raise RuntimeError(f"it made no {product}")
    seal(folder, product, key)


@contextmanager
def _environment(tool: Tool, extra: Mapping[str, str]) -> Iterator[None]:
    """Set what cocotb's runner reads from this process: os.environ, sys.path, its own folders."""
    before, path = dict(os.environ), list(sys.path)
    folders = {name: getattr(config, name) for name in ("libs_dir", "share_dir")}
    wanted = for_programs(tool.environment | {"COCOTB_ANSI_OUTPUT": "0"} | dict(extra))
    os.environ.clear()
    os.environ.update(wanted)
    sys.path.insert(0, str(alias(shipped("sim"))))  # before a user's modules of the same names
    for name, folder in folders.items():  # they go into a makefile
        setattr(config, name, alias(folder))
    try:
        yield
    finally:
        for name, folder in folders.items():
            setattr(config, name, folder)
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
