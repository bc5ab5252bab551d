"""An imported network: the dense model, how it was understood, and how near it is to its source."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path

import numpy as np

from ernn.compressed import CompressedModel
from ernn.errors import MismatchError, ModelFileError, ShapeError
from ernn.graphs.reads import FEATURES, read_in_words
from ernn.importers.assemble import Assembled
from ernn.quant.float_model import run_float
from ernn.quant.frames import stack

TOLERANCE = 1e-5  # of the outputs, against the largest of them or 1: what float32 can promise
MOST_STEPS = 100_000  # of a sequence that a source asks for
_MOST_COMPARED, _MOST_SEQUENCES = 50_000, 256  # steps of the data, from everywhere in them
_SEQUENCES, _STEPS = 4, 32  # random ones

# The source's own runtime from the first tensor that becomes hardware to the last: the frames
# (T, F) float32 of one sequence in, (T, outputs) out, or (1, outputs) of a source's last step.
Runtime = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Outside:
    """An operation that stays on the host."""

    operation: str  # as the source calls it, with its kind: "/conv/Conv (Conv)"
    reason: str


@dataclass(frozen=True)
class Difference:
    """The largest difference between ernn's float model and the source's runtime."""

    value: float
    scale: float  # the largest output, or 1
    frames: int  # that were compared
    data: str  # "random frames", "frames of the data"
    given: int  # of them; the source may take pieces of so many steps only

    def __str__(self) -> str:
        if not self.frames:
            return f"not known of the {self.given:,} {self.data}: the source takes longer sequences"
        frames = f"{self.frames:,}" + f" of {self.given:,}" * (self.given > self.frames)
        return f"{self.value:.1e} over {frames} {self.data}"


@dataclass(frozen=True)
class Check:
    """The source's own runtime, to run beside ernn's float model."""

    source: str  # in words
    model: CompressedModel
    last: bool  # the source gives only the last step
    runtime: Runtime
    steps: int | None  # of every sequence, where the source has a fixed number
    tolerance: float

    def __call__(self, sequences: Sequence[np.ndarray], data: str) -> tuple[Difference, ...]:
        """Return the largest difference on frames (T, F) of some sequences.

        Pieces of as many steps as the source takes are compared; of shorter sequences nothing is.
        Of many, every so many sequences are: a source runs one after another.

        Raises:
            MismatchError: it is larger than the tolerance.
            ShapeError: the sequences are not of this network, or empty.
            CorpusError: they hold NaN.
        """
        frames = [_sequence(one, self.model.features) for one in sequences]
        steps, count = sum(map(len, frames)), len(frames)
        apart = max(1, ceil(steps / _MOST_COMPARED), ceil(count / _MOST_SEQUENCES))
        cut = [part for one in frames[::apart] for part in _cut(one, self.steps)]
        given = sum(map(len, frames))
        if not cut:
            return (Difference(0.0, 1.0, 0, data, given),)
        found = self._difference(cut, data, given)
        if not found.value <= self.tolerance * found.scale:
            raise MismatchError(
                f"ernn's model of {self.source} differs from the source's own runtime by {found}",
                allowed=f"{self.tolerance:g} of the largest output, {found.scale:.3g}",
                remedy="report it with the file; no hardware of this network would be right",
            )
        return (found,)

    def _difference(self, sequences: list[np.ndarray], data: str, given: int) -> Difference:
        frames, lengths = stack(sequences)
        name = self.model.leaving
        outputs = run_float(self.model, frames, "dense", {name})[name]
        value, scale = 0.0, 1.0
        for mine, length, sequence in zip(outputs, lengths, sequences, strict=True):
            theirs = np.asarray(self.runtime(sequence), np.float64)
            mine = mine[length - 1 if self.last else 0 : length]
            if theirs.shape != mine.shape:
                raise MismatchError(
                    f"the outputs of {self.source} have the shape {theirs.shape}",
                    allowed=f"{mine.shape}, as ernn understood it",
                    remedy="report it with the file",
                )
            value = float(np.maximum(value, np.abs(mine - theirs).max()))  # NaN stays NaN
            scale = max(scale, float(np.abs(theirs).max()))
        return Difference(value, scale, int(lengths.sum()), data, given)


@dataclass(frozen=True)
class ImportedNetwork:
    """A network that was trained elsewhere, as ernn understands it.

    `model` goes into `ernn.quantize`, or into a run by `ernn import`.
    """

    source: str  # in words
    model: CompressedModel
    names: tuple[str, ...]
    last: bool
    notes: tuple[str, ...]
    differences: tuple[Difference, ...]
    outside: tuple[Outside, ...] = ()
    entering: str = ""  # the source's tensors at the cuts
    leaving: str = ""
    # What the host computes: "before.onnx", "after.onnx"
    host: dict[str, bytes] = field(default_factory=dict, repr=False)
    check: Check | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """Return what a user should know of the import, in order."""
        told = [f"{self.source}: {self.model.features} values a frame"]
        for index, (name, layer) in enumerate(zip(self.names, self.model.stack, strict=True)):
            kind = layer.kind.about if layer.cell != "output" else "output layer"
            function = f", {layer.cell_activation}" if layer.cell in ("dense", "rnn") else ""
            told.append(
                f"  {name}: {kind}{function}, {layer.hidden} values"
                + _projected(layer)
                + read_in_words(self.model.sources(index), index, self._named)
            )
        told += [f"  {note}" for note in self.notes]
        if self.last:
            told.append("  only the last step of a sequence is the network's output")
        for one in self.outside:
            told.append(f"  on the host: {one.operation}: {one.reason}")
        if self.outside:
            told.append(f"  in hardware: from {self.entering} to {self.leaving}")
        told += [f"largest difference to the source: {one}" for one in self.differences]
        return told

    def _named(self, vector: int) -> str:
        return "the input" if vector == FEATURES else self.names[vector]

    def compared(self, data: Sequence[np.ndarray]) -> "ImportedNetwork":
        """Return the network, compared with its source on more frames (T, F) of some sequences.

        Raises:
            MismatchError: the two differ.
        """
        assert self.check is not None  # it was imported
        more = self.check(data, "frames of the data")
        return replace(self, differences=(*self.differences, *more))

    def save(self, path: Path) -> None:
        """Write the dense model and what is known of it; `CompressedModel.load` reads it."""
        replace(self.model, meta={"import": str(self)}).save(path)


def _projected(layer) -> str:
    return f", projected to {layer.output}" if layer.output != layer.hidden else ""


def checked(
    source: str,
    made: Assembled,
    runtime: Runtime,
    *,
    steps: int | None = None,
    data: Sequence[np.ndarray] = (),
    tolerance: float = TOLERANCE,
    **more,
) -> ImportedNetwork:
    """Run the source's runtime beside the float model; return the network if they agree.

    Args:
        source: in words.
        made: from `assemble`.
        runtime: of the source.
        steps: of every sequence, where the source has a fixed number.
        data: the user's own frames (T, F) of some sequences.
        tolerance: largest difference, against the largest output or 1.
        more: the other fields of `ImportedNetwork`.

    Raises:
        MismatchError: the two differ by more.
        ModelFileError: the sequences of the source are too long to compare.
    """
    if steps is not None and not 0 < steps <= MOST_STEPS:
        raise ModelFileError(
            f"{source} takes sequences of {steps:,} steps",
            allowed=f"1 to {MOST_STEPS:,}",
            remedy="make it for shorter ones; ernn's hardware takes any number",
        )
    check = Check(source, made.model, made.last, runtime, steps, tolerance)
    rng = np.random.default_rng(0)
    drawn = [rng.standard_normal((steps or _STEPS, made.model.features)) for _ in range(_SEQUENCES)]
    network = ImportedNetwork(
        source,
        made.model,
        made.names,
        made.last,
        made.notes,
        check(drawn, "random frames"),
        check=check,
        **more,
    )
    return network.compared(data) if len(data) else network


def _sequence(given: np.ndarray, features: int) -> np.ndarray:
    try:
        frames = np.asarray(given, np.float32)
    except (TypeError, ValueError):
        frames = np.empty((), np.float32)
    if frames.ndim != 2 or frames.shape[1] != features or not len(frames):
        raise ShapeError(
            f"frames of the shape {frames.shape}",
            allowed=f"(T, {features}) for each sequence, T from 1",
            remedy="give a list of arrays",
        )
    return frames


def _cut(sequence: np.ndarray, steps: int | None) -> list[np.ndarray]:
    """Return a sequence in pieces of a number of steps; what is left over is left out."""
    if steps is None:
        return [sequence]
    return [sequence[first : first + steps] for first in range(0, len(sequence) - steps + 1, steps)]
