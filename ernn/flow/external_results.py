"""Results beside a run that are not its steps: syntheses, builds, a search of block sizes.

The report shows those that are of this run's plan and recipe, names those that are not, and is
written again when one of them changes.
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ernn.datafile import NotNegative, Positive, parse
from ernn.errors import ErnnError, ModelFileError
from ernn.flow.dependencies import file_hash
from ernn.flow.results import read_json
from ernn.flow.run_folder import RunFolder
from ernn.hw.plan import HardwarePlan
from ernn.parts.part import Part, load_part
from ernn.recipe import Recipe
from ernn.report.hardware_content import Build, Resource
from ernn.report.marks import Origin
from ernn.report.search_content import SearchReport
from ernn.report.search_content import load as load_search

BLOCKS = {"dsp": "DSP", "bram36": "BRAM36", "ebr": "EBR", "lut": "LUT", "ff": "FF"}


def result_hashes(recipe: Recipe, run: RunFolder) -> dict[str, str]:
    """Return the hash of every result beside a run, by its path from the run's folder."""
    run = RunFolder(run.root.resolve())
    files = [*run.syntheses(), *run.builds()]
    search = find_search(recipe, run)
    return {
        os.path.relpath(path, run.root): file_hash(path)
        for path in sorted([*files, *([search[0]] if search else [])])
    }


@dataclass(frozen=True)
class ToolResult:
    """What resources.json and build.json have in common; more is left to their own readers."""

    format: Literal["ernn-synth-1", "ernn-build-1"]
    plan: str
    part: str
    command: str
    used: dict[str, NotNegative]
    tool: str = ""
    tools: dict[str, str] = field(default_factory=dict)
    available: dict[str, NotNegative] | None = None
    family: str = ""
    stand_in: bool = False
    clock_mhz: Positive | None = None
    fmax_mhz: Positive | None = None
    power_w: Positive | None = None


def find_builds(run: RunFolder, plan: HardwarePlan) -> tuple[tuple[Build, ...], tuple[str, ...]]:
    """Return the syntheses, then the builds, of a plan; and why others were left out."""
    builds, left_out = [], []
    for files, mark in ((run.syntheses(), "synthesized"), (run.builds(), "routed")):
        for path in files:
            where = path.relative_to(run.root)
            try:
                found = _read(path)
            except ErnnError as problem:
                left_out.append(str(problem))
                continue
            if found.plan != plan.digest:
                left_out.append(f"{where} is of plan {found.plan}, this run has {plan.digest}")
                continue
            name = path.parent.name.partition("-")[2]
            builds.append(_build(found, mark, name, plan))
    return tuple(builds), tuple(left_out)


def _read(path: Path) -> ToolResult:
    told = read_json(path)
    if isinstance(told, dict):
        told = {"used": told.get("total"), **told}
    return parse(told, ToolResult, ModelFileError, str(path))


def _build(found: ToolResult, mark: Any, name: str, plan: HardwarePlan) -> Build:
    own = name == plan.part.lower() or found.part == plan.part
    part = _part(found.part) or _part(name)
    has = found.available or {key: getattr(part, key, 0) for key in found.used}
    tools = ", ".join(f"{tool} {version}" for tool, version in found.tools.items())
    note = f"synthesized as {found.family}, which stands in for the part's family"
    return Build(
        part=plan.part if own else found.part,
        tool=found.tool or tools or "a tool that it does not name",
        note=note if found.stand_in else "",
        resources=tuple(
            Resource(words, math.ceil(found.used[key]), math.floor(has.get(key, 0)))
            for key, words in BLOCKS.items()
            if key in found.used
        ),
        origin=Origin(mark, found.command),
        clock_mhz=found.clock_mhz if found.fmax_mhz else None,
        fmax_mhz=found.fmax_mhz,
        power_w=found.power_w,
    )


def _part(name: str) -> Part | None:
    try:
        return load_part(name)
    except ErnnError:
        return None


def find_search(recipe: Recipe, run: RunFolder) -> tuple[Path, SearchReport] | None:
    """Return the search of block sizes that a run belongs to, if one lies beside it or around it.

    It belongs to a search of its own recipe, and to one that chose its recipe (chosen.toml, whose
    name is the search's with the model's behind it).
    """
    for path in _searches(run.root):
        try:
            found = load_search(path)
        except ErnnError:
            continue  # half written, or of another version: `ernn search` says it
        same = (found.seed, found.data_name) == (recipe.seed, recipe.data_name)
        names = {found.recipe, *(_chosen_name(found.recipe, one) for one in found.trials)}
        if same and recipe.name in names:
            return path, found
    return None


def _searches(out: Path) -> Iterator[Path]:
    folder = out.resolve().parent
    yield from sorted(folder.glob("*-search/search.json"))
    yield from (path for path in (folder.parent / "search.json",) if path.is_file())


def _chosen_name(recipe: str, trial: Any) -> str:
    """Return the name of a trial's recipe, as `ernn.search.space.variant` makes it."""
    name = f"{trial.cell}-{trial.block}-{trial.wide}"
    return f"{recipe[:48]}-{name if max(trial.block, trial.wide) > 1 else f'{trial.cell}-dense'}"
