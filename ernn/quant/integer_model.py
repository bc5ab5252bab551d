"""IntegerModel: the golden model. Every RTL word equals what this computes; see docs/numbers.md."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ernn.errors import Fault, ModelFileError, ShapeError
from ernn.files import read_arrays, write_arrays
from ernn.fixed import QFormat
from ernn.quant.check import check
from ernn.quant.compiled_arithmetic import CompiledArithmetic
from ernn.quant.frames import ends, enter
from ernn.quant.integer_arithmetic import IntegerArithmetic
from ernn.quant.interpreter import Progress, interpret
from ernn.quant.packing import pack, unpack
from ernn.quant.parameters import IntegerLayer, IntegerParameters
from ernn.quant.products import Product, Segment
from ernn.quant.recording import Recording

REMEDY = (
    "give an integer.safetensors; "
    "one of a former ernn is made anew by `ernn quantize` from its recipe"
)
FILE_FORMAT = "ernn-integer-2"

__all__ = ["IntegerLayer", "IntegerModel", "Product", "Segment", "Trace"]


@dataclass(frozen=True)
class Trace:
    """What a run computed: raw int64 signals (B, T, size) by name, zeros behind an utterance."""

    signals: dict[str, np.ndarray]
    formats: dict[str, QFormat]  # of every signal of the model, kept or not
    saturated: dict[str, int]  # values at either end of a signal's range, kept or not
    counted: dict[str, int]  # values in all

    def to_float(self, name: str) -> np.ndarray:
        """Return a signal as float64 values."""
        return self.formats[name].to_float(self.signals[name])


@dataclass(frozen=True)
class IntegerModel(IntegerParameters):
    """Parameters that were checked, their file, and the run that defines every RTL word."""

    def __post_init__(self) -> None:
        check(self)

    def quantize_features(self, frames: np.ndarray) -> np.ndarray:
        """Return the raw input vectors (B, T, padded) of features (B, T, F)."""
        raw = self.layers[0].vectors["x"].quantize(enter(frames, self.features, self.word))
        return raw.swapaxes(0, 1)

    def run(
        self,
        frames: np.ndarray,
        lengths: np.ndarray | None = None,
        taps: Collection[str] | None = None,
        progress: Progress | None = None,
        arithmetic: type[IntegerArithmetic] = CompiledArithmetic,
    ) -> Trace:
        """Compute every frame of a batch of utterances, each from a state of zeros.

        Args:
            frames: (B, T, F) features; zeros behind a shorter utterance.
            lengths: (B,) frames of each utterance; None: all T.
            taps: names of `formats` to keep; None: the last layer's h and the logits.
            progress: called with (frames done, frames in all).
            arithmetic: what computes; the reference gives the same bits, slowly.
        """
        formats = self.formats
        outputs = {f"layer{len(self.layers) - 1}.h", "logits"} & set(formats)
        wanted = outputs if taps is None else set(taps)
        if unknown := wanted - set(formats):
            raise ShapeError(f"no signals {sorted(unknown)}", allowed=f"{sorted(formats)}")
        inputs = self.quantize_features(frames).swapaxes(0, 1)
        kept = Recording(wanted, inputs, np.int64)
        saturated, counted = dict.fromkeys(formats, 0), dict.fromkeys(formats, 0)

        def note(name: str, utterances: np.ndarray, start: int, values: np.ndarray) -> None:
            for end in (formats[name].min_raw, formats[name].max_raw):
                saturated[name] += int(np.count_nonzero(values == end))
            counted[name] += values.size
            kept.note(name, utterances, start, values)

        interpret(arithmetic(self), inputs, ends(inputs, lengths), note, progress)
        return Trace(kept.signals, formats, saturated, counted)

    def save(self, path: Path) -> None:
        """Write the model as safetensors."""
        tensors: dict[str, np.ndarray] = {}
        header = {"format": FILE_FORMAT, "model": pack(self, "", tensors)}
        integers = {name: np.asarray(value, np.int32) for name, value in tensors.items()}
        write_arrays(path, integers, header)

    @classmethod
    def load(cls, path: Path) -> "IntegerModel":
        """Read a model written by `save`.

        Raises:
            ModelFileError: the file is missing, truncated, foreign, or its contents are not a
                model (wrong shapes, integers outside their formats).
        """
        tensors, header = read_arrays(path, FILE_FORMAT, REMEDY)
        try:
            return unpack(cls, header.get("model"), tensors)
        except ValueError as error:
            told = Fault(f"{path} does not describe an integer model", str(error))
            raise ModelFileError(told) from None
