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
from ernn.energy.interval import Interval
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
class AnalysedClock:
    """What `ernn synth --timing` adds; more is left to people."""

    mhz: Interval


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
    timing: AnalysedClock | None = None


def find_builds(run: RunFolder, plan: HardwarePlan) -> tuple[tuple[Build, ...], tuple[str, ...]]:
    """Return the syntheses, then the builds, of a plan; and why others were left out."""
    builds, left_out = [], []
    for files, mark in ((run.syntheses(), "synthesized"), (run.builds(), "routed")):
        for path in files:
            where = path.relative_to(run.root)
            try:
                result = _read(path)
            except ErnnError as problem:
                left_out.append(str(problem))
                continue
            if result.plan != plan.digest:
                left_out.append(f"{where} is of plan {result.plan}, this run has {plan.digest}")
                continue
            name = path.parent.name.partition("-")[2]
            builds.append(_build(result, mark, name, plan))
    return tuple(builds), tuple(left_out)


def _read(path: Path) -> ToolResult:
    content = read_json(path)
    if isinstance(content, dict):
        content = {"used": content.get("total"), **content}
    return parse(content, ToolResult, ModelFileError, str(path))


def _build(result: ToolResult, mark: Any, name: str, plan: HardwarePlan) -> Build:
    own = name == plan.part.lower() or result.part == plan.part
    part = _part(result.part) or _part(name)
    has = result.available or {key: getattr(part, key, 0) for key in result.used}
    tools = ", ".join(f"{tool} {version}" for tool, version in result.tools.items())
    note = f"synthesized as {result.family}, which stands in for the part's family"
    return Build(
        part=plan.part if own else result.part,
        tool=result.tool or tools or "a tool that it does not name",
        note=note if result.stand_in else "",
        resources=tuple(
            Resource(words, math.ceil(result.used[key]), math.floor(has.get(key, 0)))
            for key, words in BLOCKS.items()
            if key in result.used
        ),
        origin=Origin(mark, result.command),
        clock_mhz=result.clock_mhz if result.fmax_mhz or result.timing else None,
        fmax_mhz=result.fmax_mhz,
        power_w=result.power_w,
        analysed_mhz=result.timing.mhz if result.timing else None,
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
            report = load_search(path)
        except ErnnError:
            continue  # half written, or of another version: `ernn search` says it
        same = (report.seed, report.data_name) == (recipe.seed, recipe.data_name)
        names = {report.recipe, *(_chosen_name(report.recipe, one) for one in report.trials)}
        if same and recipe.name in names:
            return path, report
    return None


def _searches(out: Path) -> Iterator[Path]:
    folder = out.resolve().parent
    yield from sorted(folder.glob("*-search/search.json"))
    yield from (path for path in (folder.parent / "search.json",) if path.is_file())


def _chosen_name(recipe: str, trial: Any) -> str:
    """Return the name of a trial's recipe, as `ernn.search.space.variant` makes it."""
    name = f"{trial.cell}-{trial.block}-{trial.wide}"
    return f"{recipe[:48]}-{name if max(trial.block, trial.wide) > 1 else f'{trial.cell}-dense'}"
