"""Every path of a run: what lies where in OUT, said once. docs/files.md describes the files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

STAMP = "step.json"  # what went into a step, and what came out
SUMMARY = "summary.txt"  # what a step has to say when it is the one that was asked for
SYNTHESIS = "resources.json"  # of `ernn synth`, in a folder of its own
PLAN, COST, FRONT = "plan.json", "cost.json", "front.json"


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run; a step owns OUT/<step>, and what it is still making has another name."""

    root: Path
    working: str = ""  # the step at work
    source: str = "train"  # the step that leaves the dense model: [source] kind

    def folder(self, step: str) -> Path:
        """Return the folder of a step; of the one at work, what it fills."""
        return self.part(step) if step == self.working else self.root / step

    def part(self, step: str) -> Path:
        """Return what a step fills until it is whole."""
        return self.root / f"{step}.part"

    def cache(self, step: str) -> Path:
        """Return what survives failures and reruns of a step."""
        return self.root / f"{step}.cache"

    # Measured: by the steps that leave a model, on a split.

    def score(self, step: str, split: str = "test") -> Path:
        """Return the file of a model's score."""
        return self.folder(step) / ("score.json" if split == "test" else f"{split}_score.json")

    def history(self, step: str, phase: str) -> Path:
        """Return the file of a phase's rounds."""
        return self.folder(step) / f"{phase}.json"

    # The data and the models.

    @property
    def corpus(self) -> Path:
        """Folder of the data, by split."""
        return self.folder("corpus")

    @property
    def dense_model(self) -> Path:
        """The dense model, trained or imported."""
        return self.folder(self.source) / "dense.safetensors"

    @property
    def compressed_model(self) -> Path:
        """The compressed model, float."""
        return self.folder("compress") / "compressed.safetensors"

    @property
    def fine_tuned_model(self) -> Path:
        """The float weights behind a fine-tuned integer model."""
        return self.folder("quantize") / "fine_tuned.safetensors"

    @property
    def integer_model(self) -> Path:
        """The golden model."""
        return self.folder("quantize") / "integer.safetensors"

    @property
    def signals(self) -> Path:
        """Formats and errors of the integer model's signals."""
        return self.folder("quantize") / "signals.json"

    @property
    def bits_search(self) -> Path:
        """What the search of bits tried, if there was one."""
        return self.folder("quantize") / "search.json"

    # The machine.

    @property
    def plan(self) -> Path:
        """The plan of the hardware."""
        return self.folder("plan") / PLAN

    @property
    def cost(self) -> Path:
        """What the plan takes of its part."""
        return self.folder("plan") / COST

    @property
    def front(self) -> Path:
        """The designs that no other one beats."""
        return self.folder("plan") / FRONT

    @property
    def project(self) -> Path:
        """Folder of the generated project."""
        return self.folder("generate")

    @property
    def simulation(self) -> Path:
        """Folder of what was simulated, among it what toggled."""
        return self.folder("simulate")

    @property
    def timing(self) -> Path:
        """Cycles, planned and simulated."""
        return self.simulation / "timing.json"

    @property
    def schedule(self) -> Path:
        """When each unit works."""
        return self.simulation / "schedule.json"

    @property
    def report(self) -> Path:
        """The report as data; report.html and report.md lie beside it."""
        return self.folder("report") / "report.json"

    # Beside the steps: what other commands leave.

    @property
    def waves(self) -> Path:
        """Folder of a waveform."""
        return self.root / "waves"

    @property
    def comparison(self) -> Path:
        """Folder of the comparison with published designs."""
        return self.root / "compare"

    def synthesis(self, part: str) -> Path:
        """Return the folder of a synthesis for a part."""
        return self.root / f"synth-{part.lower()}"

    def syntheses(self) -> Iterator[Path]:
        """Yield the results of all syntheses, sorted."""
        yield from self._files(f"synth-*/{SYNTHESIS}")

    def builds(self) -> Iterator[Path]:
        """Yield the results of all builds, sorted."""
        yield from self._files("build-*/build.json")

    def _files(self, pattern: str) -> Iterator[Path]:
        yield from sorted(path for path in self.root.glob(pattern) if path.is_file())
