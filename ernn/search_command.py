"""`ernn search`: the options of the search, whatever its method."""

from pathlib import Path
from typing import Annotated

import typer

from ernn.console import DebugOption, explained, say


def search(
    recipe: Annotated[
        str,
        typer.Argument(metavar="RECIPE", help="A TOML file, or the bare name of a shipped recipe."),
    ],
    bound: Annotated[
        float | None,
        typer.Option(
            "--bound",
            "--per-bound",
            metavar="LOSS",
            min=0,
            help="Loss of the score allowed, against the dense model.",
        ),
    ] = None,
    worst: Annotated[
        float | None,
        typer.Option("--worst", "--per-max", metavar="SCORE", help="Worst score allowed."),
    ] = None,
    part: Annotated[
        str | None, typer.Option(metavar="PART", help="FPGA to fit; the recipe's if not given.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder; out/NAME-search if not given.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Trainings at a time.")] = 1,
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Train on a Ray cluster: auto, or host:port."),
    ] = None,
    storage: Annotated[
        str | None, typer.Option(metavar="URL", help="Database; DIR/search.db if not given.")
    ] = None,
    study: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name in the database; the recipe's.")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="phase1: one block size; generator, tpe, nsga2, random or grid: every matrix.",
        ),
    ] = "phase1",
    trainings: Annotated[
        float | None, typer.Option(metavar="N", min=2, help="Full trainings to spend; 20.")
    ] = None,
    blocks: Annotated[
        str | None, typer.Option(metavar="LIST", help="Block sizes of a matrix; 1,2,4,8,16,32.")
    ] = None,
    keep: Annotated[
        str | None, typer.Option(metavar="LIST", help="Shares of its tiles; 1,0.5,0.25,0.125.")
    ] = None,
    cost: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of the front: cycles (if not given), memory, energy."),
    ] = None,
    max_cycles: Annotated[
        float | None, typer.Option(metavar="N", min=1, help="Per frame, as planned.")
    ] = None,
    max_memory: Annotated[
        float | None, typer.Option(metavar="N", min=1, help="36-kbit memory blocks, as planned.")
    ] = None,
    max_energy: Annotated[
        float | None, typer.Option(metavar="UJ", min=1e-6, help="Per frame, as estimated.")
    ] = None,
    debug: DebugOption = False,
) -> None:
    """Find the smallest model within a bound on its score, in at most six trainings.

    Other methods than phase1 choose for every matrix, and find the front of score and cost. The
    same command continues what was interrupted; several may work on one study.
    """
    limits = {"cycles": max_cycles, "memory": max_memory, "energy": max_energy}
    asked = {"trainings": trainings, "blocks": blocks, "keep": keep, "cost": cost}
    with explained(debug):
        from ernn.flow.chain import load_recipe
        from ernn.search.front_search import read_asked, search_front
        from ernn.search.policy import Bound
        from ernn.search.search import Workplace
        from ernn.search.search import search as find

        wish, place = read_asked(method, asked, limits), Workplace(storage, study, jobs, ray)
        if wish is None:
            find(load_recipe(recipe), Bound(bound, worst), part, out, place, say)
        else:
            search_front(load_recipe(recipe), wish, Bound(bound, worst), part, out, place, say)
