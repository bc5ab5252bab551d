"""What a report says: one frozen tree of plain numbers that the main job fills in.

Every part carries its `Origin`: the mark that says what kind of figure it is, and the command that
made it. Numbers that follow from others are properties here, so that all three files show the same.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from ernn.energy.estimate import Interval
from ernn.energy.published import Reading

MARKS = {
    "measured": "computed on this machine from the data named beside it",
    "simulated": "counted in a cycle-accurate simulation of the generated Verilog; seconds follow "
    "from the plan's clock, which is an assumption until a place and route confirms it",
    "planned": "predicted by the plan, before any simulation",
    "estimated": "from a stated simple model, with its error as an interval",
    "published": "stated in a paper; see the trust mark beside it",
    "derived": "arithmetic on published figures",
}
TRUST = {
    "abstract": "a published abstract states it, or a ratio that reproduces it to three digits",
    "table": "from the paper's tables, not checked against the text",
    "unchecked": "quoted in words only",
    "bit-exact": "every output word compared with the integer model",
    "differs": "simulation and integer model or plan disagree",
}

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=0)]
Some = Annotated[int, Field(strict=True, ge=1)]
Model = Literal["dense", "compressed", "integer"]
Corpus = Literal["synthetic", "timit", "kaldi", "manifest"]

SPEECH: dict[Corpus, str] = {
    "synthetic": "synthetic speech",
    "timit": "TIMIT",
    "kaldi": "own Kaldi archives",
    "manifest": "own recordings",
}


class _Part:
    """A part of the report: nothing unknown in it."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Origin(_Part):
    """Where figures come from."""

    mark: Literal["measured", "simulated", "planned", "estimated"]
    command: str


@dataclass(frozen=True)
class ErrorRate(_Part):
    """Phone error rate of one model on the test set, with its 95 % interval over speakers."""

    model: Model
    percent: NotNegative
    low: NotNegative
    high: NotNegative


@dataclass(frozen=True)
class Change(_Part):
    """Difference of two error rates on the same utterances, with its paired 95 % interval."""

    model: Model
    against: Model
    points: Finite
    low: Finite
    high: Finite


@dataclass(frozen=True)
class Accuracy(_Part):
    """Phone error rates."""

    corpus: Corpus
    speakers: Some  # of the test set
    utterances: Some
    phones: Some  # in the reference of the test set
    dense: ErrorRate
    compressed: ErrorRate
    integer: ErrorRate
    changes: tuple[Change, ...]
    origin: Origin
    bound_points: NotNegative | None = None  # allowed loss, integer against dense

    @property
    def speech(self) -> str:
        """The corpus in words."""
        return SPEECH[self.corpus]

    @property
    def rates(self) -> tuple[ErrorRate, ...]:
        """The three models in the order they are made."""
        return self.dense, self.compressed, self.integer

    @property
    def loss_points(self) -> float:
        """What compression and integers cost together."""
        return self.integer.percent - self.dense.percent

    @property
    def within_bound(self) -> bool:
        """Whether the loss meets the recipe's bound (true without one)."""
        return self.bound_points is None or self.loss_points <= self.bound_points


@dataclass(frozen=True)
class MatrixSize(_Part):
    """One weight matrix."""

    name: str
    rows: Some
    cols: Some
    block: Some
    parameters: Some


@dataclass(frozen=True)
class Compression(_Part):
    """Stored weights against those of the same model without compression (biases not counted)."""

    dense_parameters: Some
    parameters: Some
    matrices: tuple[MatrixSize, ...]
    origin: Origin

    @property
    def ratio(self) -> float:
        """Full compression ratio."""
        return self.dense_parameters / self.parameters


@dataclass(frozen=True)
class TrainingPoint(_Part):
    """One evaluation during training."""

    phase: str  # "dense", "ADMM", "retraining"
    update: Count  # since the start of the first phase
    loss: Finite | None = None
    gap: NotNegative | None = None  # ||W - Z|| / ||W||, Frobenius
    per_percent: NotNegative | None = None  # on the development set


@dataclass(frozen=True)
class Training(_Part):
    """The trace of training and compression."""

    points: tuple[TrainingPoint, ...]
    origin: Origin


@dataclass(frozen=True)
class SignalFormat(_Part):
    """One signal of the integer model and how far it is from the float model."""

    signal: str
    format: str  # "Q3.8"
    rms_error: NotNegative | None = None
    max_error: NotNegative | None = None


@dataclass(frozen=True)
class Numbers(_Part):
    """Fixed-point formats."""

    weight_bits: Some
    activation_bits: Some
    formats: tuple[SignalFormat, ...]
    origin: Origin


@dataclass(frozen=True)
class Measured(_Part):
    """A value in per cent or points with its 95 % interval."""

    value: Finite
    low: Finite
    high: Finite


@dataclass(frozen=True)
class BitsTrial(_Part):
    """One choice of bits, measured on the development set."""

    sweep: Literal["weight_bits", "activation_bits", "state_bits", "activation_error", "joint"]
    weight_bits: Some
    activation_bits: Some
    state_bits: Some
    activation_error: Positive
    segments: Some  # of sigmoid and tanh together
    per: Measured
    loss: Measured  # against the dense model, paired
    within: bool


@dataclass(frozen=True)
class BitsSearch(_Part):
    """The search of bits and activation segments within the recipe's bound."""

    bound_points: NotNegative
    dense: Measured
    trials: Annotated[tuple[BitsTrial, ...], Field(min_length=1)]  # the choice last
    origin: Origin

    @property
    def chosen(self) -> BitsTrial:
        """What was chosen."""
        return self.trials[-1]


@dataclass(frozen=True)
class Resource(_Part):
    """Blocks of the part that the plan needs."""

    name: str
    used: Count
    available: Count

    @property
    def percent(self) -> float:
        """Share of the part."""
        return 100 * self.used / self.available if self.available else 0.0


@dataclass(frozen=True)
class Plan(_Part):
    """The machine."""

    part: str
    clock_mhz: Positive
    pes: Some
    column_split: Some
    drain_lanes: Some
    cell_lanes: Some
    streams: Some
    resources: tuple[Resource, ...]
    origin: Origin


@dataclass(frozen=True)
class Timing(_Part):
    """Cycles, planned and simulated, and the comparison word by word."""

    frame_cycles_planned: Positive  # per frame, all streams interleaved
    frame_cycles_simulated: Positive
    latency_cycles_planned: Positive  # of one frame of one stream alone
    latency_cycles_simulated: Positive
    frames: Some
    words_compared: Count
    mismatches: Count
    origin: Origin

    @property
    def cycles_agree(self) -> bool:
        """Whether the simulation took exactly the planned cycles."""
        return (
            self.frame_cycles_planned == self.frame_cycles_simulated
            and self.latency_cycles_planned == self.latency_cycles_simulated
        )

    @property
    def exact(self) -> bool:
        """Whether words were compared and every one was equal."""
        return self.words_compared > 0 and self.mismatches == 0


@dataclass(frozen=True)
class Energy(_Part):
    """Estimated power: see ernn.energy.estimate."""

    chip_w: Interval
    card_w: Interval  # with a card like those of the published figures
    origin: Origin


@dataclass(frozen=True)
class Report(_Part):
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
    def energy_uj_per_frame(self) -> Interval:
        """Estimated energy of the chip for one frame, all streams interleaved."""
        return self.energy.chip_w.scaled(1e6 / self.frames_per_second)

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
                per_loss_points=self.accuracy.loss_points,
            )
            for words, basis, rate in rows
        )
