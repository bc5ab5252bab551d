"""What a report says about the model: its accuracy, compression, training and numbers."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from ernn.datafile import Count, Finite, NotNegative, Positive, Some, Strict
from ernn.fixed import QFormat
from ernn.report.judged import Judged
from ernn.report.marks import Measured, Origin, series_of_cells

Model = Literal["dense", "compressed", "integer"]


@dataclass(frozen=True)
class ModelScore(Strict):
    """Score of one model on the test set, with its 95 % interval."""

    model: Model
    value: Finite
    low: Finite
    high: Finite
    command: str  # that measured it


@dataclass(frozen=True)
class Change(Strict):
    """Difference of two scores on the same sequences, with its paired 95 % interval."""

    model: Model
    against: Model
    difference: Finite
    low: Finite
    high: Finite


@dataclass(frozen=True)
class Accuracy(Strict):
    """Scores of the dense, the compressed and the integer model."""

    judged: Judged
    groups: Some  # of the test set
    sequences: Some
    over: Some | None  # what the score is counted over in the test set, if it is a count
    dense: ModelScore
    compressed: ModelScore
    integer: ModelScore
    changes: tuple[Change, ...]
    origin: Origin
    bound: NotNegative | None = None  # allowed loss, integer against dense

    @property
    def scores(self) -> tuple[ModelScore, ...]:
        """The three models in the order they are made."""
        return self.dense, self.compressed, self.integer

    def command_of(self, model: Model) -> str:
        """Return the command that measured a model."""
        return {score.model: score.command for score in self.scores}[model]

    @property
    def loss(self) -> float:
        """What compression and integers cost together; less than zero: nothing."""
        change = self.integer.value - self.dense.value
        return change if self.judged.lower_is_better else -change

    @property
    def within_bound(self) -> bool:
        """Whether the loss meets the recipe's bound (true without one)."""
        return self.bound is None or self.loss <= self.bound


@dataclass(frozen=True)
class MatrixSize(Strict):
    """One weight matrix."""

    name: str
    rows: Some
    cols: Some
    block: Some
    parameters: Some


@dataclass(frozen=True)
class Compression(Strict):
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
class TrainingPoint(Strict):
    """One evaluation during training."""

    phase: str  # "dense", "ADMM", "retraining"
    update: Count  # since the start of the first phase
    loss: Finite | None = None
    gap: NotNegative | None = None  # ||W - Z|| / ||W||, Frobenius
    score: Finite | None = None  # on the development set


@dataclass(frozen=True)
class Training(Strict):
    """The trace of training and compression."""

    points: tuple[TrainingPoint, ...]
    origin: Origin
    imported: tuple[str, ...] = ()  # what is known of a dense model that was trained elsewhere


@dataclass(frozen=True)
class SignalFormat(Strict):
    """One signal of the integer model and how far it is from the float model."""

    signal: str
    format: str  # "Q3.8"
    rms_error: NotNegative | None = None
    max_error: NotNegative | None = None
    at_ends: Count | None = None  # values at either end of the format's range
    values: Count | None = None  # of so many

    @property
    def step(self) -> float:
        """The value of the lowest bit."""
        return QFormat.parse(self.format).step


@dataclass(frozen=True)
class Numbers(Strict):
    """Fixed-point formats."""

    weight_bits: Some
    activation_bits: Some
    formats: tuple[SignalFormat, ...]
    origin: Origin
    row_shift: Count = 0  # fraction bits that block rows of weights have more, at most


@dataclass(frozen=True)
class BitsTrial(Strict):
    """One choice of bits, measured on the development set."""

    sweep: Literal["weight_bits", "activation_bits", "state_bits", "activation_error", "joint"]
    weight_bits: Some
    activation_bits: Some
    state_bits: Some
    activation_error: Positive
    segments: Some  # of sigmoid and tanh together
    score: Measured
    loss: Measured  # against the dense model, paired
    within: bool


@dataclass(frozen=True)
class BitsSearch(Strict):
    """The search of bits and activation segments within the recipe's bound."""

    bound: NotNegative
    dense: Measured
    trials: Annotated[tuple[BitsTrial, ...], Field(min_length=1)]  # the choice last
    origin: Origin

    @property
    def chosen(self) -> BitsTrial:
        """What was chosen."""
        return self.trials[-1]


@dataclass(frozen=True)
class BlockTrial(Strict):
    """A model of the search of block sizes, on the development set."""

    cell: str
    block: Some  # of the recurrent matrices
    wide: Some  # of the others
    words: str
    score: Measured
    loss: Measured | None  # against the dense model; None: it is the dense model
    weights: Some


@dataclass(frozen=True)
class BlockSearch(Strict):
    """The search of block sizes that this run's model was chosen by, or that lies beside it."""

    bound: str
    limit: Finite
    trials: Annotated[tuple[BlockTrial, ...], Field(min_length=1)]
    cell: str  # of this run
    block: Some
    score: Measured  # of this run's compressed model, on the development set
    origin: Origin

    @property
    def series(self) -> dict[str, str]:
        """The kind of series of each cell."""
        return series_of_cells(one.cell for one in self.trials)

    @property
    def legend(self) -> list[tuple[str, str]]:
        """The series of the chart, and what they are called."""
        return [(kind, cell.upper()) for cell, kind in self.series.items()]
