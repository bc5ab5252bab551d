"""Commands on a project that is there: synthesize, build, compare and pack it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ernn.console import DebugOption, explained, say

ProjectArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="A generated project, or the run that holds it.")
]
PartOption = Annotated[
    str | None, typer.Option(metavar="PART", help="FPGA; the plan's if not given.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Go on with edited files.")]


def synth(
    folder: ProjectArgument,
    part: PartOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder; synth-PART beside the project.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="S", min=1, help="Seconds that Yosys may take.")
    ] = 3600,
    force: ForceOption = False,
    debug: DebugOption = False,
) -> None:
    """Synthesize a project with Yosys: DSP, BRAM, LUT and FF, beside what was planned.

    By group, by module and in total; a minute or two for 1,024 cells. UltraScale parts are
    synthesized as 7-series.
    """
    with explained(debug):
        from ernn.flow.synth import synth as run_synth

        run_synth(folder, part, out, force=force, timeout_s=timeout, say=say)


def build(
    folder: ProjectArgument,
    part: PartOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder; build-PART beside the project.")
    ] = None,
    clock_mhz: Annotated[
        float | None, typer.Option(metavar="F", min=1, max=1000, help="Clock to reach; the plan's.")
    ] = None,
    board: Annotated[
        str, typer.Option(metavar="NAME", help="ECP5: ulx3s, or none for the accelerator alone.")
    ] = "",
    speed: Annotated[str, typer.Option(metavar="GRADE", help="Speed grade; the slowest.")] = "",
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="ECP5: of the first placement; 1.")
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=100, help="ECP5: placements, until met; 3."),
    ] = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="ECP5: simulate the netlist on test speech.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(metavar="S", min=1, help="Seconds that a tool may take.")
    ] = 3600,
    vivado_part: Annotated[
        str, typer.Option(metavar="PART", help="AMD: with package and speed; the part file's.")
    ] = "",
    xdc: Annotated[
        Path | None, typer.Option(metavar="FILE", help="AMD: a board's constraints: a bitstream.")
    ] = None,
    wrapper: Annotated[
        Path | None, typer.Option(metavar="FILE", help="AMD: a board's top module, TOP.v.")
    ] = None,
    saif: Annotated[
        Path | None, typer.Option(metavar="FILE", help="AMD: activity of a simulation, for power.")
    ] = None,
    reports: Annotated[
        Path | None, typer.Option(metavar="DIR", help="AMD: read these, of a build elsewhere.")
    ] = None,
    force: ForceOption = False,
    debug: DebugOption = False,
) -> None:
    """Place and route a project: clock, resources, bitstream.

    ECP5 with the open tools (Yosys, nextpnr, ecppack), AMD's parts with Vivado where it is on
    PATH. Exit code 1 if the clock is not met.
    """
    with explained(debug):
        from ernn.flow.build import build as place_and_route

        options: dict[str, Any] = {"timeout_s": timeout, "simulate": simulate}
        options |= {"board": board, "speed": speed, "seed": seed, "seeds": seeds}
        options |= {"vivado_part": vivado_part, "xdc": xdc, "wrapper": wrapper}
        options |= {"saif": saif, "reports": reports}
        place_and_route(folder, part, out, force=force, clock_mhz=clock_mhz, say=say, **options)


def compare(
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="A run's folder, or its recipe; the benchmark if none."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the page; RUN/compare or out/compare."),
    ] = None,
    bench: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="What `ernn bench` left; out/bench; planned if none."),
    ] = None,
    published: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your own published figures.")
    ] = None,
    power: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your own data of the power model.")
    ] = None,
    fit: Annotated[
        bool, typer.Option("--fit", help="Print the power model, its fit and all errors; no page.")
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Compare an accelerator with ESE, C-LSTM and E-RNN: speed, power and energy.

    Writes compare.html, compare.md and compare.json. Without a run it compares the published
    benchmark layers on the published board.
    """
    if bench is not None and (fit or run is not None):
        raise typer.BadParameter("it says nothing to a run or --fit", param_hint="--bench")
    if fit and (run is not None or out is not None):
        raise typer.BadParameter("it leaves no page of a RUN in --out", param_hint="--fit")
    with explained(debug):
        from ernn.flow.compare import Figures, compare_benchmark, compare_run, tell_fit

        figures = Figures.load(published, power)
        if fit:
            tell_fit(figures, say)
        elif run is not None:
            compare_run(run, figures, out, say)
        else:
            compare_benchmark(bench or Path("out/bench"), figures, out, say)


def package(
    folder: ProjectArgument,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder; package beside the project.")
    ] = None,
    frames: Annotated[
        int, typer.Option(min=1, max=10_000, help="Of each stream, for the testbench.")
    ] = 8,
    model: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The integer model; the run's.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Go on with edited files, or replace an edited package.")
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Pack a project for others: IP-XACT, FuseSoC, lists, constraints, testbench, drivers.

    The folder needs no ernn and no Python: `make sim` in it ends with PASS.
    """
    with explained(debug):
        from ernn.flow.package import package as pack

        pack(folder, out, frames=frames, model=model, force=force, say=say)
