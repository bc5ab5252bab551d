"""A compressed model in float64: the rung of truth between training and integers.

Products go through the FFT, as in hardware, or through the expanded dense matrices; both give the
same values but for float rounding.
"""

from collections.abc import Collection
from typing import Literal

import numpy as np

from ernn.circulant import expand
from ernn.compressed import CompressedLayer, CompressedModel
from ernn.quant.frames import ends, enter
from ernn.quant.program import FloatProduct, FloatSegment, program
from ernn.quant.recording import Recording
from ernn.quant.walk import Progress, walk


class FloatArithmetic:
    """Float64 products and cells; see `ernn.quant.walk.Arithmetic`."""

    def __init__(self, model: CompressedModel, product: Literal["fft", "dense"]) -> None:
        self.layers, self.products = model.layers, program(model)
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

    def lstm_step(
        self, layer: CompressedLayer, rows: np.ndarray, state: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `ernn.quant.cells.lstm_step`."""
        row_i, row_f, row_g, row_o = np.split(rows, 4, axis=-1)
        peep = np.zeros((3, layer.hidden)) if layer.peepholes is None else layer.peepholes
        g = np.tanh(row_g) if layer.cell_activation == "tanh" else sigmoid(row_g)
        state = sigmoid(row_f + peep[1] * state) * state + sigmoid(row_i + peep[0] * state) * g
        return state, sigmoid(row_o + peep[2] * state) * np.tanh(state)

    def gru_gates(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return z and r."""
        row_z, row_r = np.split(rows, 2, axis=-1)
        return sigmoid(row_z), sigmoid(row_r)

    def gru_reset_step(self, r: np.ndarray, state: np.ndarray) -> np.ndarray:
        """Return r h."""
        return r * state

    def gru_candidate_row(
        self, row_nx: np.ndarray, row_nh: np.ndarray, r: np.ndarray
    ) -> np.ndarray:
        """Return row_nx + r row_nh."""
        return row_nx + r * row_nh

    def gru_update_step(
        self, row_n: np.ndarray, z: np.ndarray, state: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the new state h + z (n - h), twice: it is the vector as well."""
        state = state + z * (np.tanh(row_n) - state)
        return state, state

    def project(self, layer: CompressedLayer, row: np.ndarray) -> np.ndarray:
        """Return the row: a projection has no activation."""
        return row


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)) without overflow."""
    return 0.5 + 0.5 * np.tanh(0.5 * values)


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
        taps: names of the signals to keep (see `ernn.quant.walk.walk`); None keeps all.
        progress: called with (frames done, frames in all).
    """
    inputs = enter(frames, model.features, model.word)
    kept = Recording(taps, inputs, np.float64)
    walk(FloatArithmetic(model, product), inputs, ends(inputs, None), kept.note, progress)
    return kept.signals
