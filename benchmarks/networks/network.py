"""What a network of another's is measured by: its parts for the hardware, its data, its score."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ernn.compressed import CompressedModel, circulant_matrix
from ernn.importers.network import ImportedNetwork
from ernn.quant.float_model import run_float
from ernn.quant.frames import stack
from ernn.quant.integer_model import IntegerModel
from ernn.quant.predict import predict
from ernn.score import Score

Frames = list[np.ndarray]  # (T, F) of some sequences
Run = Callable[[Frames], Frames]  # a model: frames in, outputs (T, O) out
Runs = Mapping[str, Run]  # by the name of the part
Sections = Mapping[str, Mapping[str, Any]]  # of a recipe: keys and values
_TOGETHER = 256  # sequences that run at a time


@dataclass(frozen=True)
class Lesson:
    """What a part is compressed on, through a recipe as any user would write it."""

    network: ImportedNetwork  # as it is built
    # Of the data file (docs/own_data.md), by the compressed parts in front of this one.
    arrays: Callable[[Runs], dict[str, np.ndarray]]
    sections: Sections


@dataclass(frozen=True)
class Part:
    """What becomes one accelerator."""

    network: ImportedNetwork
    calibration: Frames  # also what is simulated
    model: CompressedModel | None = None  # to build, if it is not the imported one itself
    lesson: Lesson | None = None  # None: it is built dense

    @property
    def built(self) -> CompressedModel:
        """The dense model to quantize."""
        return self.model or self.network.model


@dataclass(frozen=True)
class Measure:
    """A figure of merit."""

    name: str
    unit: str
    digits: int


@dataclass(frozen=True)
class Network:
    """A trained network, with real data and how it is judged."""

    title: str
    package: str
    host: str  # what stays outside, in words
    data: str  # what it is judged on, in words
    frames_per_second: float  # that it has to keep up with
    parts: Mapping[str, Part]
    measures: Sequence[Measure]
    # One value for each of the measures; a Score has an interval.
    score: Callable[[Runs], Sequence[float | Score]]
    note: str = ""


def float_run(model: CompressedModel) -> Run:
    """Return what runs a dense model in float64."""

    def run(sequences: Frames) -> Frames:
        frames, lengths = stack(sequences)
        outputs = run_float(model, frames, "dense", {model.leaving})[model.leaving]
        pairs = zip(outputs, lengths, strict=True)
        return [one[:length, : model.labels] for one, length in pairs]  # without padding

    return partial(_some_at_a_time, run)


def integer_run(model: IntegerModel) -> Run:
    """Return what runs an integer model."""
    return partial(_some_at_a_time, partial(predict, model))


def _some_at_a_time(run: Run, sequences: Frames) -> Frames:
    """Run sequences of like length together, so that little is padding."""
    made: Frames = [np.empty(0)] * len(sequences)
    order = sorted(range(len(sequences)), key=lambda index: len(sequences[index]))
    for first in range(0, len(order), _TOGETHER):
        chosen = order[first : first + _TOGETHER]
        outputs = run([sequences[index] for index in chosen])
        for index, one in zip(chosen, outputs, strict=True):
            made[index] = one
    return made


def with_even_weights(model: CompressedModel) -> tuple[np.ndarray, CompressedModel]:
    """Return powers of two for the inputs, and the model that takes inputs multiplied by them.

    Nothing is rounded: the weights behind an input are divided by its power, so that none is larger
    than the largest recurrent one, with which they share a binary point.
    """
    first = model.layers[0]
    entering = first.matrices["input"].dense()
    limit = np.abs(first.matrices["recurrent"].dense()).max()
    scale = np.exp2(np.ceil(np.log2(np.maximum(np.abs(entering).max(axis=0) / limit, 1.0))))
    matrices = {**first.matrices, "input": circulant_matrix((entering / scale)[..., None])}
    return scale, replace(model, layers=(replace(first, matrices=matrices), *model.layers[1:]))


def with_wide_end(model: CompressedModel, word: int) -> CompressedModel:
    """Return the model with outputs of zeros behind those of its last layer, a dense one.

    Args:
        model: without an output layer.
        word: that the outputs are a multiple of, as all other vectors are: so they move together.
    """
    last = model.layers[-1]
    more = -last.hidden % word
    matrix = np.pad(last.matrices["input"].dense(), ((0, more), (0, 0)))
    wide = replace(
        last,
        hidden=last.hidden + more,
        matrices={"input": circulant_matrix(matrix[..., None])},
        bias=np.pad(last.bias, (0, more)),
    )
    return replace(model, layers=(*model.layers[:-1], wide))
