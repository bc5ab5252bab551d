"""An imported network: the dense model, how it was understood, and how near it is to its source."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ernn.compressed import CompressedModel
from ernn.errors import MismatchError
from ernn.importers.assemble import Assembled
from ernn.quant.float_model import run_float
from ernn.quant.frames import stack

TOLERANCE = 1e-5  # of the outputs, against the largest of them or 1: what float32 can promise
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
    frames: int
    data: str  # "random frames", "the user's frames"

    def __str__(self) -> str:
        return f"{self.value:.1e} over {self.frames:,} {self.data}"


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
    host: dict[str, bytes] = field(
        default_factory=dict, repr=False
    )  # "before.onnx" and "after.onnx"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """Return what a user should know of the import, in order."""
        told = [f"{self.source}: {self.model.features} values a frame"]
        for name, layer in zip(self.names, self.model.stack, strict=True):
            kind = layer.kind.about if layer.cell != "output" else "output layer"
            function = f", {layer.cell_activation}" if layer.cell in ("dense", "rnn") else ""
            told.append(f"  {name}: {kind}{function}, {layer.hidden} values" + _projected(layer))
        told += [f"  {note}" for note in self.notes]
        if self.last:
            told.append("  only the last step of a sequence is the network's output")
        for one in self.outside:
            told.append(f"  on the host: {one.operation}: {one.reason}")
        if self.outside:
            told.append(f"  in hardware: from {self.entering} to {self.leaving}")
        told += [f"largest difference to the source: {one}" for one in self.differences]
        return told

    def save(self, path: Path) -> None:
        """Write the dense model; `CompressedModel.load` reads it."""
        self.model.save(path)


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
    """
    rng = np.random.default_rng(0)
    drawn = [rng.standard_normal((steps or _STEPS, made.model.features)) for _ in range(_SEQUENCES)]
    sets = {"random frames": drawn}
    if own := [part for one in data for part in _cut(np.asarray(one), steps)]:
        sets["frames of the data"] = own
    found = [_difference(made, runtime, frames, name) for name, frames in sets.items()]
    for one in found:
        if not one.value <= tolerance * one.scale:
            raise MismatchError(
                f"ernn's model of {source} differs from the source's own runtime by {one}",
                allowed=f"{tolerance:g} of the largest output, {one.scale:.3g}",
                remedy="report it with the file; no hardware of this network would be right",
            )
    return ImportedNetwork(
        source, made.model, made.names, made.last, made.notes, tuple(found), **more
    )


def _cut(sequence: np.ndarray, steps: int | None) -> list[np.ndarray]:
    """Return a sequence in pieces of a number of steps; what is left over is left out."""
    if steps is None:
        return [sequence]
    return [sequence[first : first + steps] for first in range(0, len(sequence) - steps + 1, steps)]


def _difference(
    made: Assembled, runtime: Runtime, sequences: Sequence[np.ndarray], data: str
) -> Difference:
    sequences = [np.asarray(one, np.float32) for one in sequences]
    frames, lengths = stack(sequences)
    model = made.model
    name = "logits" if model.output is not None else f"layer{len(model.layers) - 1}.h"
    outputs = run_float(model, frames, "dense", {name})[name]
    value, scale = 0.0, 1.0
    for mine, length, sequence in zip(outputs, lengths, sequences, strict=True):
        theirs = np.asarray(runtime(sequence), np.float64)
        mine = mine[length - len(theirs) : length, : theirs.shape[1]]
        value = max(value, float(np.abs(mine - theirs).max()))
        scale = max(scale, float(np.abs(theirs).max()))
    return Difference(value, scale, int(lengths.sum()), data)
