"""Build a compiled testbench with Verilator and run it: a main program in C++ around the design."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from ernn.places import plain_copy
from ernn.resources import folder as shipped
from ernn.run.built import BUILD, is_built, key_of, seal
from ernn.run.objects import kept_objects
from ernn.run.process import run_tool
from ernn.tools import Tool, require

DumpKind = Literal["saif", "vcd", "fst"]  # Verilator: the first two; Icarus: the last two

BUILT_WITH = ("g++", "make", "perl")
# Verilator leaves wide signals and arrays out of dumps unless told otherwise.
_DUMP_ARGS = ("--trace-max-width", "0", "--trace-max-array", "64")
_NO_WARNINGS = ("-Wno-fatal", "-Wno-lint", "-Wno-UNOPTFLAT")
_DAY_S = 24 * 3600.0


def verilator_args(dump: DumpKind | None, strict: bool) -> list[str]:
    """Return Verilator's options: one thread, what is dumped, and whether warnings are errors."""
    args = ["-O3", "--threads", "1", *([] if strict else _NO_WARNINGS)]
    return [*args, f"--trace-{dump}", *_DUMP_ARGS] if dump else args


def make_variables(optimized: bool) -> str:
    """Return what Verilator's makefile is told.

    Its own -Os takes longer to compile than -O1. Without optimization a large design compiles in a
    third of the time, and runs a fifth as fast.
    """
    return f"OPT_FAST=-O{int(optimized)}"


def make_flags(tool: Tool, optimized: bool) -> dict[str, str]:
    """Return the environment of Verilator's makefile."""
    flags = f"{tool.environment.get('MAKEFLAGS', '')} {make_variables(optimized)}"
    return {"MAKEFLAGS": flags.strip()}


def run_compiled(
    files: Sequence[Path],
    top: str,
    testbench: str,
    folder: Path,
    *,
    plusargs: Sequence[str] = (),
    run_in: Path,
    dump: DumpKind | None = None,
    strict: bool = True,
    optimized: bool = True,
) -> None:
    """Build a simulation, unless ``folder`` holds it already, and run it.

    Args:
        files: Verilog sources.
        top: name of the top module.
        testbench: name of a C++ file in sim/, a main program around ``Vtop``.
        folder: for the build, build.log and testbench.log.
        plusargs: what the testbench and the Verilog read, such as "+trace=FILE".
        run_in: working folder of the simulation, for $readmemh.
        dump: what the Verilog's $dumpvars writes, if anything.
        strict: whether a warning of Verilator is an error; not of a netlist, which is full of them.
        optimized: whether it is worth its compiler's time; an optimized build serves both.

    Raises:
        ToolError: Verilator is missing, the build fails, or the testbench does.
    """
    build_compiled(files, top, testbench, folder, dump, strict, optimized)
    run_tool(
        f"{testbench}.cpp on verilator",
        [folder / BUILD / top, *plusargs],
        run_in,
        folder / "testbench.log",
        timeout_s=_DAY_S,
    )


def build_compiled(
    files: Sequence[Path],
    top: str,
    testbench: str,
    folder: Path,
    dump: DumpKind | None = None,
    strict: bool = True,
    optimized: bool = True,
) -> None:
    """Compile a simulation into ``folder``; nothing is done when the same one is there."""
    tool = require("verilator")
    main = shipped("sim") / f"{testbench}.cpp"
    sources, args = [*files, main], verilator_args(dump, strict)
    options = [top, tool.version, args]
    key = key_of(sources, [*options, make_variables(optimized)])
    if is_built(folder, top, key, key_of(sources, [*options, make_variables(True)])):
        return
    for name in BUILT_WITH:
        require(name)
    with plain_copy(sources, folder / BUILD) as (copies, place), kept_objects(tool, place, args):
        command: list[str | Path] = [tool.path, "--cc", "--exe", "--build", "-j", "0", *args]
        command += ["--top-module", top, "--prefix", "Vtop", "-Mdir", place, "-o", top]
        run_tool(
            f"building {top} for verilator",
            [*command, "--timescale", "1ns/1ps", *copies],
            folder,
            folder / "build.log",
            timeout_s=_DAY_S,
            environment=tool.environment | make_flags(tool, optimized),
        )
    seal(folder, top, key)
