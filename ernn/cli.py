"""The command line: one subcommand per step. No logic, and no heavy import before it is needed."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from ernn import __version__
from ernn.console import DebugOption, use_utf8
from ernn.console import explained as _explained
from ernn.console import say as _say
from ernn.import_command import import_
from ernn.project_commands import PASS_ON, build, compare, package, synth
from ernn.search_command import search

STEPS = {
    "corpus": "Make or read the data: frames and targets in three splits.",
    "train": "Train the dense model and measure its score.",
    "compress": "Turn the model block-circulant: ADMM, projection, retraining.",
    "quantize": "Turn the compressed model into the integer model, the golden model.",
    "plan": "Plan the hardware: part, clock, array, every width, depth and cycle.",
    "generate": "Write the Verilog, its memories and its manifest.",
    "simulate": "Simulate the Verilog on the test set: every word and cycle must be as planned.",
    "report": "Compare with published accelerators: report.html, report.md, report.json.",
}

RecipeArgument = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A TOML file, or the bare name of a shipped recipe.")
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Folder of the run; out/NAME if not given."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Do it again even if it is up to date.")]

app = typer.Typer(
    help="FPGA accelerators of recurrent networks, from training to proved Verilog.",
    epilog="Example: ernn run quickstart --out out/quickstart",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line."""
    use_utf8()
    app(prog_name="ernn")


@app.callback(invoke_without_command=True)
def _common(
    version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(f"ernn {__version__}")
        raise typer.Exit


@app.command(epilog="Example: ernn run quickstart --out out/quickstart")
def run(
    recipe: RecipeArgument,
    out: OutOption = None,
    force: ForceOption = False,
    debug: DebugOption = False,
) -> None:
    """Do the whole chain, skipping the steps that are up to date."""
    _bring("report", recipe, out, force, debug)


app.command("import", epilog="Example: ernn import gru.onnx --data frames.npz --out out/gru")(
    import_
)


def _add_step(name: str, summary: str) -> None:
    def step(
        recipe: RecipeArgument,
        out: OutOption = None,
        force: ForceOption = False,
        debug: DebugOption = False,
    ) -> None:
        _bring(name, recipe, out, force, debug)

    example = f"Example: ernn {name} quickstart --out out/quickstart"
    more = "Steps before it that are missing or out of date are done first."
    app.command(name, help=f"{summary}\n\n{more}", epilog=example)(step)


def simulate(
    recipe: RecipeArgument,
    out: OutOption = None,
    waves: Annotated[
        bool, typer.Option("--waves", help="Then leave a waveform and views in DIR/waves.")
    ] = False,
    frames: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=1000, help="Of every stream in the waveform; 2."),
    ] = None,
    force: ForceOption = False,
    debug: DebugOption = False,
) -> None:
    """Simulate the Verilog on the test set: every word and cycle must be as planned.

    Also counts what toggles (activity.json). Steps before it that are missing or out of date are
    done first.
    """
    if frames is not None and not waves:
        raise typer.BadParameter("it says nothing without --waves", param_hint="--frames")
    _bring("simulate", recipe, out, force, debug)
    if waves:
        with _explained(debug):
            from ernn.flow.chain import load_recipe
            from ernn.flow.run_folder import RunFolder
            from ernn.flow.waves import write_waves

            read = load_recipe(recipe)
            write_waves(read, RunFolder(out or Path("out") / read.name), frames or 2, _say)


ModelArgument = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="A recipe, as for the other steps, or an integer .safetensors."
    ),
]
TargetOption = Annotated[str | None, typer.Option("--part", metavar="PART", help="FPGA.")]
ClockOption = Annotated[float | None, typer.Option(metavar="F", help="Clock.")]
ObjectiveOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="throughput, latency, energy or smallest.")
]
RateOption = Annotated[
    float | None, typer.Option(metavar="N", help="Frames/s that the smallest has to reach.")
]
StreamsOption = Annotated[
    int | None, typer.Option(metavar="S", help="Sequences at a time, 1 to 16.")
]


def plan(
    model: ModelArgument,
    out: OutOption = None,
    part: TargetOption = None,
    clock_mhz: ClockOption = None,
    objective: ObjectiveOption = None,
    realtime_fps: RateOption = None,
    streams: StreamsOption = None,
    force: ForceOption = False,
    debug: DebugOption = False,
) -> None:
    """Plan the hardware: part, clock, array, every width, depth and cycle.

    Prints the plan, its roofline, what limits it, the Pareto front, and why the next faster design
    does not fit. Options go before what the recipe's [hardware] says. Steps before it that are
    missing or out of date are done first; the plan of a model file alone is left in DIR.
    """
    changes = _given(
        part=part,
        clock_mhz=clock_mhz,
        objective=objective,
        realtime_fps=realtime_fps,
        streams=streams,
    )
    if not model.endswith(".safetensors"):
        _bring("plan", model, out, force, debug, changes)
        return
    with _explained(debug):
        from ernn.flow.steps.plan import plan_file

        plan_file(Path(model), changes, out, _say)


_WITH_OPTIONS: dict[str, tuple[Callable[..., None], str]] = {
    "plan": (plan, "ernn plan quickstart --part XC7VX690T --objective latency"),
    "simulate": (simulate, "ernn simulate quickstart --waves"),
}
for _name, _summary in STEPS.items():  # the help lists them in this order
    if _name in _WITH_OPTIONS:
        _step, _example = _WITH_OPTIONS[_name]
        app.command(epilog=f"Example: {_example}")(_step)
    else:
        _add_step(_name, _summary)


@app.command(epilog="Example: ernn explore quickstart --part XC7A100T --blocks 1,4,8")
def explore(
    model: ModelArgument,
    blocks: Annotated[
        str, typer.Option(metavar="LIST", help="Of the layers: 1 (dense), 2, 4, 8, 16, 32.")
    ] = "1,4,8,16",
    bits: Annotated[
        str, typer.Option(metavar="LIST", help="Of weights and activations, 4 to 16.")
    ] = "8,12,16",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder; out/NAME-explore if not given.")
    ] = None,
    part: TargetOption = None,
    clock_mhz: ClockOption = None,
    objective: ObjectiveOption = None,
    realtime_fps: RateOption = None,
    streams: StreamsOption = None,
    debug: DebugOption = False,
) -> None:
    """Plan a network with other block sizes and bits, before anything is trained.

    Sizes and ranges are the model's, weights do not count: it says how fast, how large, how much
    energy, and nothing of accuracy. Of a recipe, its steps up to quantize are done first.
    """
    changes = _given(
        part=part,
        clock_mhz=clock_mhz,
        objective=objective,
        realtime_fps=realtime_fps,
        streams=streams,
    )
    with _explained(debug):
        from ernn.flow.explore import explore as run_explore

        run_explore(model, changes, blocks, bits, out, _say)


@app.command(epilog="Example: ernn bench --layers lstm16 --boards XC7VX690T")
def bench(
    suite: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="published (E-RNN's layers); stac, vollo or real (latency)."
        ),
    ] = "published",
    layers: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Of lstm8,lstm16,gru8,gru16, or a suite's networks (lstm_a) or rows (lstm_a-k8); "
            "all if not given.",
        ),
    ] = None,
    boards: Annotated[
        str | None, typer.Option(metavar="LIST", help="Parts; XC7VX690T,XCKU060 if not given.")
    ] = None,
    streams: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="Utterances at a time, tried in turn; 2,4,8."),
    ] = None,
    frames: Annotated[
        int, typer.Option(min=20, max=100_000, help="Simulated, of each stream.")
    ] = 50,
    seed: Annotated[int, typer.Option(min=0, help="Of the weights and the speech.")] = 0,
    simulation: Annotated[
        bool, typer.Option("--simulation/--no-simulation", help="Or plan only, in a minute.")
    ] = True,
    energy: Annotated[
        bool, typer.Option("--energy", help="Plan for energy, and count toggles: `ernn compare`.")
    ] = False,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder; builds in it are used again.")
    ] = Path("out/bench"),
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A file a row, kept as it comes; DIR/results of --out if not given. What it holds "
            "of the same Verilog is not simulated again.",
        ),
    ] = None,
    debug: DebugOption = False,
) -> None:
    """Plan and simulate the benchmark's networks, beside what was published.

    Every word must equal the integer model's and every cycle the plan's. Half an hour for all
    published layers and boards on two cores, most of it for building the simulators.
    """
    with _explained(debug):
        from ernn.flow import bench as published
        from ernn.flow import suites

        if suite == "published":
            chosen = published.choose(layers, boards, streams, frames, seed, simulation, energy)
            published.run(chosen, out, results, _say)
        else:
            suites.require_unset(suite, boards=boards, streams=streams, energy=energy)
            job = suites.choose(suite, layers, frames, seed, simulation)
            suites.run_suite(job, out, results, _say)


app.command(epilog="Example: ernn search quickstart --bound 1.5 --part XC7Z020")(search)
app.command(epilog="Example: ernn synth out/quickstart")(synth)
app.command(context_settings=PASS_ON)(build)
app.command(epilog="Example: ernn compare out/quickstart")(compare)
app.command(epilog="Example: ernn package out/quickstart")(package)


@app.command(epilog="Example: ernn doctor")
def doctor(debug: DebugOption = False) -> None:
    """Say which tools are found, which are missing, what for, and how to install them."""
    with _explained(debug):
        from ernn.doctor import describe, examine, healthy

        findings = examine()
        typer.echo(describe(findings))
        if not healthy(findings):
            raise typer.Exit(3)


def _given(**options: Any) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _bring(
    step: str,
    recipe: str,
    out: Path | None,
    force: bool,
    debug: bool,
    hardware: dict[str, Any] | None = None,
) -> None:
    with _explained(debug):
        from ernn.flow.chain import JOBS, bring, load_recipe
        from ernn.flow.process_group import process_group

        with process_group(JOBS) as first:
            if first:
                bring(step, load_recipe(recipe, hardware), out, force=force, say=_say)


if __name__ == "__main__":
    main()
