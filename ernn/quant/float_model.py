"""A compressed model in float64: the rung of truth between training and integers.

Products go through the FFT, as in hardware, or through the expanded dense matrices; both give the
same values but for float rounding.
"""

from collections.abc import Collection
from typing import Literal

import numpy as np

from ernn.circulant import expand
from ernn.compressed import CompressedModel
from ernn.quant.frames import ends, enter
from ernn.quant.interpreter import Progress, interpret
from ernn.quant.operations import Elements, named_parameters, operate
from ernn.quant.program import FloatProduct, FloatSegment, program
from ernn.quant.recording import Recording


class FloatArithmetic:
    """Float64 products and operations; see `ernn.quant.interpreter.Arithmetic`."""

    def __init__(self, model: CompressedModel, product: Literal["fft", "dense"]) -> None:
        self.stack, self.products = model.stack, program(model)
        self.dtype = np.float64
        self.fft = product == "fft"
        self.weights = {
            (job.layer, job.name, segment.vector): self._weights(segment)
            for job in self.products
            for segment in job.segments
        }

    def _weights(self, segment: FloatSegment) -> np.ndarray:
        if self.fft:
            return np.fft.rfft(segment.generators).transpose(2, 1, 0)  # (bins, q, p)
        return expand(segment.generators).T[None]  # (1, columns, rows)

    def scaled(
        self, product: FloatProduct, segment: FloatSegment, vector: np.ndarray
    ) -> np.ndarray:
        """Multiply by the input scale."""
        return vector if segment.scale is None else vector * segment.scale

    def spectra(self, segment: FloatSegment, scaled: np.ndarray) -> np.ndarray:
        """Transform every block."""
        if not self.fft:
            return scaled[None]
        blocks = scaled.reshape(*scaled.shape[:-1], -1, segment.generators.shape[2])
        return np.moveaxis(np.fft.rfft(blocks), -1, 0)

    def multiply(
        self, product: FloatProduct, segment: FloatSegment, spectra: np.ndarray
    ) -> np.ndarray:
        """Multiply bin by bin and add over the blocks of the vector."""
        weights = self.weights[product.layer, product.name, segment.vector]
        lines = spectra.reshape(len(spectra), -1, spectra.shape[-1])
        return (lines @ weights).reshape(*spectra.shape[:-1], -1)

    def rows(self, product: FloatProduct, acc: np.ndarray) -> np.ndarray:
        """Transform back and add the bias."""
        if not self.fft:
            return acc[0] + product.bias
        values = np.fft.irfft(np.moveaxis(acc, 0, -1), n=product.block)
        return values.reshape(*values.shape[:-2], -1) + product.bias

    def add_rows(self, row_h: np.ndarray, row_x: np.ndarray) -> np.ndarray:
        """Add the halves of a pair."""
        return row_h + row_x

    def elements(self, layer: int, lead: tuple[int, ...]) -> Elements:
        """Return the element-wise values of a layer."""
        return Elements(operate, named_parameters(self.stack[layer]))


def run_float(
    model: CompressedModel,
    frames: np.ndarray,
    product: Literal["fft", "dense"] = "fft",
    taps: Collection[str] | None = None,
    progress: Progress | None = None,
) -> dict[str, np.ndarray]:
    """Return the signals of a float model by name, each (B, T, size) float64.

    Args:
        model: any compressed model.
        frames: (B, T, F).
        product: how matrices are multiplied; both give the same values but for float rounding.
        taps: names of the signals to keep (see `ernn.quant.interpreter.interpret`); None keeps all.
        progress: called with (frames done, frames in all).
    """
    inputs = enter(frames, model.features, model.word)
    kept = Recording(taps, inputs, np.float64)
    interpret(FloatArithmetic(model, product), inputs, ends(inputs, None), kept.note, progress)
    return kept.signals
