"""What a report says: one frozen tree of plain numbers that the main job fills in.

Every part carries its `Origin`: the mark that says what kind of figure it is, and the command that
made it. Numbers that follow from others are properties here, so that all three files show the same.
"""

from dataclasses import dataclass

from ernn.datafile import Count, Strict
from ernn.energy.estimate import Interval
from ernn.energy.published import Reading
from ernn.report.hardware_content import Build, Energy, Front, Plan, Resource, Timing, Working
from ernn.report.model_content import (
    Accuracy,
    BitsSearch,
    BlockSearch,
    Compression,
    Numbers,
    Training,
)


@dataclass(frozen=True)
class Report(Strict):
    """Everything about one accelerator."""

    recipe: str
    seed: Count
    model: str  # in words, "GRU, 2 layers of 128, block size 8"
    version: str  # of ernn
    machine: str
    simulator: str
    accuracy: Accuracy
    compression: Compression
    training: Training
    numbers: Numbers
    plan: Plan
    timing: Timing
    energy: Energy
    bits: BitsSearch | None = None  # where the recipe asks for the search
    blocks: BlockSearch | None = None  # where there was a search of block sizes
    front: Front | None = None
    working: Working | None = None
    builds: tuple[Build, ...] = ()  # synthesized, then routed
    left_out: tuple[str, ...] = ()  # results beside the run that are not of it, and why

    @property
    def passed(self) -> bool:
        """Whether every check of the report holds."""
        return self.timing.exact and self.timing.cycles_agree and self.accuracy.within_bound

    @property
    def frames_per_second(self) -> float:
        """Throughput with all streams interleaved, at the plan's clock."""
        return self.plan.clock_mhz * 1e6 / self.timing.frame_cycles_simulated

    @property
    def frames_per_second_single(self) -> float:
        """Frames/s of one stream alone: 1 / latency."""
        return 1e6 / self.latency_us

    @property
    def latency_us(self) -> float:
        """Latency of one frame, at the plan's clock."""
        return self.timing.latency_cycles_simulated / self.plan.clock_mhz

    @property
    def clock_mark(self) -> str:
        """What stands behind the plan's clock: "routed", "analysed" or only "assumed"."""
        own = [build for build in self.builds if build.part == self.plan.part]
        if any(build.met for build in own):
            return "routed"
        return "analysed" if any(build.analysed == "above" for build in own) else "assumed"

    @property
    def energy_uj_per_frame(self) -> Interval:
        """Estimated energy of the chip for one frame, all streams interleaved."""
        return self.energy.chip_w.scaled(1e6 / self.frames_per_second)

    @property
    def card_uj_per_frame(self) -> Interval:
        """The same with a card like those of the published figures."""
        return self.energy.card_w.scaled(1e6 / self.frames_per_second)

    @property
    def dense_equivalent_tops(self) -> float:
        """Operations/s that a dense design would need: two per uncompressed weight and frame."""
        return 2e-12 * self.compression.dense_parameters * self.frames_per_second

    @property
    def busiest(self) -> Resource:
        """The resource with the largest share in use."""
        return max(self.plan.resources, key=lambda resource: resource.percent)

    def readings(self) -> tuple[Reading, ...]:
        """Return this design as rows of the comparison, one stream first."""
        streams = self.plan.streams
        together = f"{streams} interleaved" if streams > 1 else "back to back"
        rows = (
            ("alone, 1 / latency", "single", self.frames_per_second_single),
            (together, "together", self.frames_per_second),
        )
        return tuple(
            Reading(
                design=self.recipe,
                part=self.plan.part,
                bits=self.numbers.weight_bits,
                words=words,
                basis="single" if basis == "single" else "together",
                latency_us=self.latency_us,
                frames_per_second=rate,
                mark="simulated",
                checked="bit-exact" if self.timing.exact else "differs",
                source="this report",
                power_w=self.energy.card_w,
                per_loss_points=self.accuracy.loss if self.accuracy.judged.name == "PER" else None,
            )
            for words, basis, rate in rows
        )
