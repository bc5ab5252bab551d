"""Walk a model over time: the recurrence itself, for any arithmetic.

An `Arithmetic` computes (floats in ernn.quant.float_model, integers in ernn.quant.integer_model);
this file decides what is computed from what, and gives every signal its name. Products with the
input do not wait for the previous step, so they are done for a chunk of frames at once.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

CHUNK_FRAMES = 32  # bounds memory: a chunk of all signals is all that lives at a time

Note = Callable[[str, int, np.ndarray], None]  # (signal, first frame, (frames, B, size))
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
    arithmetic: Arithmetic, frames: np.ndarray, note: Note, progress: Progress | None = None
) -> None:
    """Run every layer over (T, B, X) frames from a state of zeros, telling ``note`` each signal.

    Signals are ``layer<n>.<vector>``, ``layer<n>.<matrix>.scaled`` (where there is a scale),
    ``layer<n>.<product>.row``, ``layer<n>.c`` or ``.state``, ``.z``, and ``logits``.
    """
    count = len(arithmetic.layers)
    walkers = [_LayerWalk(arithmetic, index, frames.shape[1], note) for index in range(count)]
    output = _LayerWalk(arithmetic, count, frames.shape[1], note)
    for start in range(0, len(frames), CHUNK_FRAMES):
        vectors = frames[start : start + CHUNK_FRAMES]
        for walker in walkers:
            vectors = walker.run(start, vectors)
        output.run_output(start, vectors)
        if progress:
            progress(min(start + CHUNK_FRAMES, len(frames)), len(frames))


class _LayerWalk:
    """One layer (or the output layer) with its state between chunks."""

    def __init__(self, arithmetic: Arithmetic, index: int, batch: int, note: Note) -> None:
        self.arithmetic, self.index, self.note = arithmetic, index, note
        self.products = [p for p in arithmetic.products if p.layer == index]
        if index < len(arithmetic.layers):
            self.layer = arithmetic.layers[index]
            self.state = np.zeros((batch, self.layer.hidden), arithmetic.dtype)
            self.vector = np.zeros((batch, self.layer.output), arithmetic.dtype)

    def run(self, start: int, vectors: np.ndarray) -> np.ndarray:
        """Walk one chunk: (frames, B, X) -> (frames, B, Y)."""
        step = {"lstm": self._lstm, "gru_before": self._gru_before, "gru_after": self._gru_after}
        step_cell = step[self.layer.cell]
        known: dict[str, np.ndarray] = {"x": vectors}
        ahead = self.contributions("x", vectors, known)
        signals = defaultdict(list)
        for time in range(len(vectors)):
            frame = _Frame(self, {name: acc[:, time] for name, acc in ahead.items()})
            step_cell(frame)
            for name, value in frame.signals.items():
                signals[name].append(value)
        known |= {name: np.stack(values) for name, values in signals.items()}
        for name, values in known.items():
            self.note(f"layer{self.index}.{name}", start, values)
        return known["h"]

    def run_output(self, start: int, vectors: np.ndarray) -> None:
        """Walk one chunk of the output layer, if there is one."""
        for product in self.products:
            known: dict[str, np.ndarray] = {}
            acc = self.contributions("h", vectors, known)[product.name]
            known["logits"] = self.arithmetic.rows(product, acc)
            for name, values in known.items():
                self.note(name, start, values)

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
    """One time step of a layer: open accumulators and the signals so far."""

    def __init__(self, walker: _LayerWalk, sums: dict[str, np.ndarray]) -> None:
        self.walker, self.sums = walker, sums
        self.signals: dict[str, np.ndarray] = {}

    def feed(self, vector: str, values: np.ndarray) -> None:
        """Add a vector's part to every product that reads it."""
        if vector != "h":  # the signal h is this frame's, not the one fed back
            self.signals[vector] = values
        parts = self.walker.contributions(vector, values, self.signals)
        for name, part in parts.items():
            self.sums[name] = self.sums[name] + part if name in self.sums else part

    def rows(self, name: str) -> np.ndarray:
        """Close a product, or the pair ``name_h`` and ``name_x``, and return its rows."""
        found = []
        for product in self.walker.products:
            if product.name in (name, f"{name}_h", f"{name}_x"):
                row = self.walker.arithmetic.rows(product, self.sums[product.name])
                self.signals[f"{product.name}.row"] = row
                found.append(row)
        return found[0] if len(found) == 1 else self.walker.arithmetic.add_rows(*found)
