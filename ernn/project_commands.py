"""Commands on a project that is there: synthesize, build, compare and pack it."""

from pathlib import Path
from typing import Annotated

import typer

from ernn.console import DebugOption, ForceOption, PartOption, ProjectArgument, explained, say


def synth(
    folder: ProjectArgument,
    part: PartOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder; synth-PART beside the project.")
    ] = None,
    timing: Annotated[
        bool, typer.Option("--timing", help="Analyse the clock: 7-series and ECP5.")
    ] = False,
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

        run_synth(folder, part, out, force=force, timing=timing, timeout_s=timeout, say=say)


def build(context: typer.Context) -> None:
    """Place and route a project: clock, resources, bitstream."""
    from ernn.build_command import run_build

    run_build(context.args)


# What `ernn build` is given goes on to a command that knows the options of the part's flow.
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


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
    sparse: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="RUN's network as ESE runs it; random weights if none."),
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Your own part, if RUN is planned for one."),
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
    if sparse is not None and run is None:
        raise typer.BadParameter("it needs the RUN whose network it is", param_hint="--sparse")
    if part is not None and run is None:
        raise typer.BadParameter("it needs the RUN that is planned for it", param_hint="--part")
    with explained(debug):
        from ernn.flow.compare import Figures, compare_benchmark, compare_run, tell_fit

        figures = Figures.load(published, power)
        if fit:
            tell_fit(figures, say)
        elif run is not None:
            compare_run(run, figures, out, say, sparse, part)
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
    prefix: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of all modules and memory files; the recipe's name."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Go on with edited files, or replace an edited package.")
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Pack a project for others: IP-XACT, FuseSoC, lists, constraints, testbench, drivers.

    The folder needs no ernn and no Python: `make sim` in it ends with PASS. Names of modules and
    memory files begin with the prefix, so that several packages fit in one design.
    """
    with explained(debug):
        from ernn.flow.package import package as pack

        pack(folder, out, frames=frames, model=model, prefix=prefix, force=force, say=say)
