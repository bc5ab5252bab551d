"""What placing and routing found, whichever tool did it: build.json and summary.txt of a build."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from ernn import __version__
from ernn.datafile import Strict, parse
from ernn.errors import ModelFileError
from ernn.files import write_text
from ernn.hdl.project import Project
from ernn.parts.part import Part

FORMAT: Literal["ernn-build-1"] = "ernn-build-1"
RESULT, SUMMARY = "build.json", "summary.txt"


@dataclass(frozen=True)
class BuildRequest:
    """A build that was asked for; a flow has options of its own beside it."""

    project: Project
    part: Part
    folder: Path  # everything that the build leaves; it exists
    clock_mhz: float
    command: str  # that asked for it
    check: Callable[[Path], int] | None = None  # simulates `ernn_top`'s netlist: words compared
    timeout_s: float = 3600.0  # of each tool


@dataclass(frozen=True)
class BuildResult(Strict):
    """A routed design."""

    plan: str  # digest
    part: str  # with package and speed grade, as the tool was told
    tools: dict[str, str]  # name: version
    command: str  # that made it
    top: str  # "ernn_board", or "ernn_top" out of context
    clock_mhz: float  # asked for
    fmax_mhz: float
    used: Mapping[str, int | float]  # dsp, lut, ff, and bram36 (in halves) or ebr
    available: Mapping[str, int | float]
    files: dict[str, str]  # what: file in the build's folder
    critical_path: list[str]  # of the slowest path, a line a cell
    seed: int | None = None  # of the placement that was kept
    netlist_words: int | None = None  # of the simulated netlist, each as the integer model's
    power_w: float | None = None
    power: dict[str, float | str] = field(default_factory=dict)  # what else the tool says of it
    edited: list[str] = field(default_factory=list)  # files changed after generation
    seconds: float | None = None  # that it all took
    mark: Literal["routed"] = "routed"
    ernn: str = __version__
    format: Literal["ernn-build-1"] = FORMAT

    @property
    def met(self) -> bool:
        """Whether the clock that was asked for is met."""
        return self.fmax_mhz >= self.clock_mhz

    def save(self, folder: Path) -> None:
        """Write build.json and summary.txt."""
        told = asdict(self) | {"met": self.met}
        write_text(folder / RESULT, json.dumps(told, indent=1) + "\n")
        write_text(folder / SUMMARY, "\n".join(self.lines()) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "BuildResult":
        """Read build.json.

        Raises:
            ModelFileError: it is missing, damaged, or of another version of ernn.
        """
        path = folder / RESULT
        try:
            told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            told.pop("met", None)
        except (OSError, ValueError, AttributeError) as error:
            raise ModelFileError(
                f"{path} cannot be read", given=str(error), remedy="run `ernn build` again"
            ) from None
        return parse(told, cls, ModelFileError, str(path), "run `ernn build` again")

    def lines(self) -> list[str]:
        """Return the result in words, a line each."""
        verdict = "met" if self.met else f"missed by {self.clock_mhz - self.fmax_mhz:.1f} MHz"
        found = [
            f"{self.top} of plan {self.plan} on {self.part}, routed",
            f"{self.fmax_mhz:.1f} MHz; {self.clock_mhz:g} MHz were asked for: {verdict}",
            *(
                f"{name}: {count:,} of {self.available[name]:,}, "
                f"{100 * count / max(1, self.available[name]):.1f} %"
                for name, count in self.used.items()
            ),
            *([f"seed: {self.seed}"] if self.seed is not None else []),
            *(
                [f"netlist simulated: {self.netlist_words:,} output words, none different"]
                if self.netlist_words is not None
                else []
            ),
            *(f"{what}: {file}" for what, file in self.files.items()),
            "tools: " + ", ".join(f"{name} {version}" for name, version in self.tools.items()),
        ]
        if self.seconds is not None:
            found.append(f"took {self.seconds:.0f} s")
        if self.power_w is not None:
            more = "".join(f", {name} {value}" for name, value in self.power.items())
            found.append(f"power: {self.power_w:.3f} W, the tool's estimate{more}")
        if self.edited:
            found.append(f"edited after generation: {', '.join(self.edited)}")
        return [*found, "slowest path:", *(f"  {line}" for line in self.critical_path)]
