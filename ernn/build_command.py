"""`ernn build` on the command line: it has the options of the part's flow beside its own.

All flows' options can be read, so that one that is not the part's is refused in a sentence and not
as a spelling mistake; help shows those of the part's flow, or of every flow where no part is known.
"""

import inspect
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer

from ernn.backends.backend import Backend, Option, backend_names, backend_of, load
from ernn.console import DebugOption, ForceOption, PartOption, ProjectArgument, explained, say
from ernn.errors import ErnnError
from ernn.hdl.project import open_project
from ernn.parts.part import load_part

HELP = ("-h", "--help")
_METAVARS = {int: "N", Path: "PATH", str: "NAME"}


def run_build(arguments: Sequence[str]) -> None:
    """Run `ernn build` with arguments of the command line."""
    own = _named(arguments) if set(HELP) & set(arguments) else None
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(
        context_settings={"help_option_names": list(HELP)},
        epilog="Example: ernn build out/keyword_gru --part LFE5U-85F",
    )(_with_options(_build, [own] if own else map(load, backend_names())))
    app(list(arguments), prog_name="ernn build")


def _build(
    folder: ProjectArgument,
    part: PartOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder; build-PART beside the project.")
    ] = None,
    clock_mhz: Annotated[
        float | None, typer.Option(metavar="F", min=1, max=1000, help="Clock to reach; the plan's.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="S", min=1, help="Seconds that a tool may take.")
    ] = 3600,
    force: ForceOption = False,
    debug: DebugOption = False,
    **options: Any,
) -> None:
    """Place and route a project: clock, resources, bitstream.

    The part says which tools do it; with a project or --part, help shows their options alone. Exit
    code 1 if the clock is not met.
    """
    with explained(debug):
        from ernn.flow.build import build

        told: dict[str, Any] = {"clock_mhz": clock_mhz, "timeout_s": timeout, "force": force}
        build(folder, part, out, say=say, **told, **options)


def _with_options(command: Callable[..., None], backends: Iterable[Backend]) -> Callable[..., None]:
    """Return a command that has an option of its own for each one of some flows."""
    *own, _ = inspect.signature(command).parameters.values()
    added: dict[str, inspect.Parameter] = {}
    for backend in backends:
        panel = f"Options of {backend.name}: {backend.tools}"
        for option in backend.table:
            added.setdefault(option.name, _parameter(option, panel))

    def whole(**values: Any) -> None:
        command(**values)

    parameters = [*own, *added.values()]
    whole.__doc__ = command.__doc__
    whole.__annotations__ = {one.name: one.annotation for one in parameters}
    whole.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return whole


def _parameter(option: Option, panel: str) -> inspect.Parameter:
    """Return an option as a parameter that is None where it is not given."""
    told = typer.Option(
        option.flag,
        metavar=_METAVARS.get(option.kind),
        help=option.help,
        show_default=False,
        rich_help_panel=panel,
    )
    kind: Any = option.kind
    annotation = Annotated[kind | None, told]
    place = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Parameter(option.name, place, default=None, annotation=annotation)


def _named(arguments: Sequence[str]) -> Backend | None:
    """Return the flow of the part that arguments name, or of the project's; None if unknown."""
    try:
        parts = [b for a, b in pairwise(arguments) if a == "--part"]
        parts += [one.removeprefix("--part=") for one in arguments if one.startswith("--part=")]
        if parts:
            return backend_of(load_part(parts[-1]))
        folder = next((one for one in arguments if not one.startswith("-")), None)
        if folder is not None:
            return backend_of(load_part(open_project(Path(folder), force=True).plan.part))
    except (ErnnError, OSError):
        pass
    return None
