"""Walk a model over time: the recurrence itself, for any arithmetic.

An `Arithmetic` computes (floats in ernn.quant.float_model, integers in ernn.quant.integer_model);
this file decides what is computed from what, and gives every signal its name. Products with the
input do not wait for the previous step, so they are done for a chunk of frames at once.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

CHUNK_FRAMES = 16  # frames whose signals live at a time
LANES = 64  # utterances that run together: the more, the fewer calls; the fewer, the less memory

Note = Callable[[str, np.ndarray, int, np.ndarray], None]
"""(signal, utterances, first frame, (frames, utterances, size)): the values are lent, not given."""
Progress = Callable[[int, int], None]


class Arithmetic(Protocol):
    """One way to compute: vectors and rows are (..., size), accumulators (bins, ..., blocks).

    `layer`, `product` and `segment` are of the model that the arithmetic belongs to.
    """

    @property
    def layers(self) -> Sequence[Any]: ...
    @property
    def products(self) -> Sequence[Any]: ...
    @property
    def dtype(self) -> type: ...  # of every array

    def scaled(self, product: Any, segment: Any, vector: np.ndarray) -> np.ndarray: ...
    def spectra(self, segment: Any, scaled: np.ndarray) -> np.ndarray: ...
    def multiply(self, product: Any, segment: Any, spectra: np.ndarray) -> np.ndarray: ...
    def rows(self, product: Any, acc: np.ndarray) -> np.ndarray: ...
    def add_rows(self, row_h: np.ndarray, row_x: np.ndarray) -> np.ndarray: ...
    def lstm_step(self, layer: Any, rows: np.ndarray, state: np.ndarray) -> tuple: ...
    def gru_gates(self, rows: np.ndarray) -> tuple: ...
    def gru_reset_step(self, r: np.ndarray, state: np.ndarray) -> np.ndarray: ...
    def gru_candidate_row(self, row_nx: Any, row_nh: Any, r: np.ndarray) -> np.ndarray: ...
    def gru_update_step(self, row_n: np.ndarray, z: np.ndarray, state: np.ndarray) -> tuple: ...
    def project(self, layer: Any, row: np.ndarray) -> np.ndarray: ...


def walk(
    arithmetic: Arithmetic,
    frames: np.ndarray,
    lengths: np.ndarray,
    note: Note,
    progress: Progress | None = None,
) -> None:
    """Run every layer over utterances from a state of zeros, telling ``note`` each signal.

    Signals are ``layer<n>.<vector>``, ``layer<n>.<matrix>.scaled`` (where there is a scale),
    ``layer<n>.<product>.row``, ``layer<n>.c`` or ``.state``, ``.z``, and ``logits``.

    Args:
        arithmetic: what computes.
        frames: (T, B, X).
        lengths: (B,) frames of each utterance, at most T; those behind are not computed.
        note: called for chunks of some utterances, in the order of their frames.
        progress: called with (frames done, frames in all).
    """
    done, longest_first = 0, np.argsort(-lengths, kind="stable")
    for group in range(0, len(lengths), LANES):
        chosen = longest_first[group : group + LANES]
        layers = range(len(arithmetic.layers) + 1)
        walkers = [_LayerWalk(arithmetic, index, len(chosen)) for index in layers]
        for start, stop, count in _chunks(lengths[chosen]):
            running = chosen[:count]
            vectors: np.ndarray = np.ascontiguousarray(
                frames[start:stop, running], arithmetic.dtype
            )
            for walker in walkers:
                signals = walker.run(vectors)
                for name, values in signals.items():
                    note(name, running, start, values)
                vectors = signals.get(walker.leaving, vectors)
            done += (stop - start) * count
            if progress:
                progress(done, int(lengths.sum()))


def _chunks(lengths: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Yield (first frame, end, utterances) for falling lengths; no utterance ends in a chunk."""
    start = 0
    while count := int((lengths > start).sum()):
        stop = min(start + CHUNK_FRAMES, int(lengths[count - 1]))
        yield start, stop, count
        start = stop


class _LayerWalk:
    """One layer (or the output layer) with its state between chunks."""

    def __init__(self, arithmetic: Arithmetic, index: int, batch: int) -> None:
        self.arithmetic = arithmetic
        self.products = [p for p in arithmetic.products if p.layer == index]
        self.prefix = f"layer{index}." if index < len(arithmetic.layers) else ""
        self.leaving = f"{self.prefix}h"
        self.buffers: dict[str, np.ndarray] = {}  # kept between chunks: new memory is slow
        if index < len(arithmetic.layers):
            self.layer = arithmetic.layers[index]
            self.state = np.zeros((batch, self.layer.hidden), arithmetic.dtype)
            self.vector = np.zeros((batch, self.layer.output), arithmetic.dtype)

    def run(self, vectors: np.ndarray) -> dict[str, np.ndarray]:
        """Walk one chunk (frames, B, X) and return its signals, each (frames, B, size)."""
        signals = self._recurrence(vectors) if self.prefix else self._output(vectors)
        return {f"{self.prefix}{name}": values for name, values in signals.items()}

    def _recurrence(self, vectors: np.ndarray) -> dict[str, np.ndarray]:
        step = {"lstm": self._lstm, "gru_before": self._gru_before, "gru_after": self._gru_after}
        step_cell = step[self.layer.cell]
        count, batch = vectors.shape[:2]
        self.state, self.vector = self.state[:batch], self.vector[:batch]
        signals = {"x": vectors}
        sums = self.contributions("x", vectors, signals)
        ahead = {}
        for product in self.products:
            if all(segment.vector == "x" for segment in product.segments):
                ahead[product.name] = self.arithmetic.rows(product, sums.pop(product.name))
        for time in range(count):
            frame = _Frame(
                self,
                {name: acc[:, time] for name, acc in sums.items()},
                {name: rows[time] for name, rows in ahead.items()},
            )
            step_cell(frame)
            for name, value in frame.signals.items():
                if name not in self.buffers:
                    self.buffers[name] = np.empty((CHUNK_FRAMES, *value.shape), value.dtype)
                self.buffers[name][time, :batch] = value
        return signals | {name: each[:count, :batch] for name, each in self.buffers.items()}

    def _output(self, vectors: np.ndarray) -> dict[str, np.ndarray]:
        signals: dict[str, np.ndarray] = {}
        for product in self.products:  # one, or none
            acc = self.contributions("h", vectors, signals)[product.name]
            signals["logits"] = self.arithmetic.rows(product, acc)
        return signals

    def contributions(
        self, vector: str, values: np.ndarray, signals: dict[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Return what a vector adds to the accumulators of each product that reads it."""
        result, spectra = {}, {}
        for product in self.products:
            for segment in product.segments:
                if segment.vector != vector:
                    continue
                if segment.matrix not in spectra:  # one transform serves all products
                    scaled = self.arithmetic.scaled(product, segment, values)
                    spectra[segment.matrix] = self.arithmetic.spectra(segment, scaled)
                    if segment.scale is not None:
                        signals[f"{segment.matrix}.scaled"] = scaled
                result[product.name] = self.arithmetic.multiply(
                    product, segment, spectra[segment.matrix]
                )
        return result

    def _lstm(self, frame: "_Frame") -> None:
        frame.feed("h", self.vector)
        step = self.arithmetic.lstm_step(self.layer, frame.rows("gates"), self.state)
        self.state, m = step
        frame.signals["c"] = self.state
        if any(product.name == "projection" for product in self.products):
            frame.feed("m", m)
            self.vector = self.arithmetic.project(self.layer, frame.rows("projection"))
        else:
            self.vector = m
        frame.signals["h"] = self.vector

    def _gru_before(self, frame: "_Frame") -> None:
        frame.feed("h", self.vector)
        z, r = self.arithmetic.gru_gates(frame.rows("zr"))
        rh = self.arithmetic.gru_reset_step(r, self.state)
        frame.feed("rh", rh)
        self._gru_update(frame, frame.rows("n"), z)

    def _gru_after(self, frame: "_Frame") -> None:
        frame.feed("h", self.vector)
        z, r = self.arithmetic.gru_gates(frame.rows("zr"))
        row = self.arithmetic.gru_candidate_row(frame.rows("nx"), frame.rows("nh"), r)
        self._gru_update(frame, row, z)

    def _gru_update(self, frame: "_Frame", row_n: np.ndarray, z: np.ndarray) -> None:
        self.state, self.vector = self.arithmetic.gru_update_step(row_n, z, self.state)
        frame.signals |= {"z": z, "state": self.state, "h": self.vector}


class _Frame:
    """One time step of a layer: open accumulators, rows that are closed, and signals so far."""

    def __init__(
        self, walker: _LayerWalk, sums: dict[str, np.ndarray], closed: dict[str, np.ndarray]
    ) -> None:
        self.walker, self.sums, self.closed = walker, sums, closed
        self.signals: dict[str, np.ndarray] = {}

    def feed(self, vector: str, values: np.ndarray) -> None:
        """Add a vector's part to every product that reads it."""
        if vector != "h":  # the signal h is this frame's, not the one fed back
            self.signals[vector] = values
        parts = self.walker.contributions(vector, values, self.signals)
        for name, part in parts.items():
            if name in self.sums:
                part += self.sums[name]
            self.sums[name] = part

    def rows(self, name: str) -> np.ndarray:
        """Close a product, or the pair ``name_h`` and ``name_x``, and return its rows."""
        found = []
        for product in self.walker.products:
            if product.name in (name, f"{name}_h", f"{name}_x"):
                row = self.closed.get(product.name)
                if row is None:
                    row = self.walker.arithmetic.rows(product, self.sums[product.name])
                self.signals[f"{product.name}.row"] = row
                found.append(row)
        return found[0] if len(found) == 1 else self.walker.arithmetic.add_rows(*found)
