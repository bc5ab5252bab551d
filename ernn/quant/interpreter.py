"""Interpret a model over time: the recurrence itself, for any cell and any arithmetic.

An `Arithmetic` computes (floats in ernn.quant.float_model, integers in ernn.quant.integer_model),
a graph of ernn.cells says what; this file does it in order and gives every signal its name.
Products with the input do not wait for the previous step, so they are done for a chunk of frames
at once, and so is all of a layer that has no recurrence.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from ernn.graphs.cell import INPUT, OUTPUT, Matvec, Region
from ernn.graphs.reads import FEATURES, sources
from ernn.quant.program import row_signal, signal, stem

CHUNK_FRAMES = 16  # frames whose signals live at a time
LANES = 64  # utterances that run together: the more, the fewer calls; the fewer, the less memory

Note = Callable[[str, np.ndarray, int, np.ndarray], None]
"""(signal, utterances, first frame, (frames, utterances, size)): the values are lent, not given."""
Progress = Callable[[int, int], None]


class Elements(Protocol):
    """The element-wise values of one layer by name, each (..., size)."""

    def put(self, names: Sequence[str], values: np.ndarray) -> None:
        """Take values that lie side by side, (..., names * size)."""

    def run(self, region: Region) -> None:
        """Compute what a region writes, and what it makes on the way."""

    def get(self, name: str) -> np.ndarray:
        """Return a value; it is lent until the next `run` or `put`."""


class Arithmetic(Protocol):
    """One way to compute: vectors and rows are (..., size), accumulators (bins, ..., blocks).

    `product` and `segment` are of the model that the arithmetic belongs to, layers of its `stack`.
    """

    @property
    def stack(self) -> Sequence[Any]: ...
    @property
    def products(self) -> Sequence[Any]: ...
    @property
    def dtype(self) -> type: ...  # of every array

    def scaled(self, product: Any, segment: Any, vector: np.ndarray) -> np.ndarray: ...
    def spectra(self, segment: Any, scaled: np.ndarray) -> np.ndarray: ...
    def multiply(self, product: Any, segment: Any, spectra: np.ndarray) -> np.ndarray: ...
    def rows(self, product: Any, acc: np.ndarray) -> np.ndarray: ...
    def add_rows(self, row_h: np.ndarray, row_x: np.ndarray) -> np.ndarray: ...
    def elements(self, layer: int, lead: tuple[int, ...]) -> Elements: ...


def interpret(
    arithmetic: Arithmetic,
    frames: np.ndarray,
    lengths: np.ndarray,
    note: Note,
    progress: Progress | None = None,
) -> None:
    """Run every layer over utterances from a state of zeros, telling ``note`` each signal.

    Signals are ``layer<n>.<vector>``, ``layer<n>.<matrix>.scaled`` (where there is a scale),
    ``layer<n>.<product>.row``, ``layer<n>.<state>`` and the cell's own `signals`; of the output
    layer ``output.scaled`` and ``logits``.

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
        layers = [_LayerInterpreter(arithmetic, index) for index in range(len(arithmetic.stack))]
        for start, stop, count in _chunks(lengths[chosen]):
            running = chosen[:count]
            entering: np.ndarray = np.ascontiguousarray(
                frames[start:stop, running], arithmetic.dtype
            )
            made = {FEATURES: entering}  # vectors of the chunk
            for layer in layers:
                read = [made[vector] for vector in sources(layer.layer.reads, layer.index)]
                signals = layer.run(read[0] if len(read) == 1 else np.concatenate(read, -1))
                for name, values in signals.items():
                    note(name, running, start, values)
                if layer.leaving in signals:
                    made[layer.index] = signals[layer.leaving]
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


Arrays = dict[str, np.ndarray]


class _LayerInterpreter:
    """One layer with its state between chunks."""

    def __init__(self, arithmetic: Arithmetic, index: int) -> None:
        self.arithmetic, self.index = arithmetic, index
        self.layer = arithmetic.stack[index]
        self.cell, options = self.layer.kind, self.layer.options
        self.products = [product for product in arithmetic.products if product.layer == index]
        self.steps = self.cell.steps(options)
        self.fed = set(self.cell.vectors(options)) - {INPUT, OUTPUT}  # inner vectors
        self.shown = {name: name for name in (*self.fed, *self.cell.signals)}
        if self.cell.units:
            self.shown[OUTPUT] = OUTPUT
        if self.cell.state:
            self.shown[self.cell.state.name] = self.cell.state.next
        self.leaving = signal(self.cell, index, OUTPUT)
        self.elements: Elements | None = None
        self.batch = 0  # utterances of the chunk before
        self.buffers: Arrays = {}  # kept between chunks: new memory is slow

    def run(self, vectors: np.ndarray) -> Arrays:
        """Compute one chunk (frames, B, X) and return its signals, each (frames, B, size)."""
        signals: Arrays = (
            {} if not self.cell.units else {signal(self.cell, self.index, INPUT): vectors}
        )
        sums = self._contributions(INPUT, vectors, signals)
        if not self.cell.recurrent:
            self.elements = self.arithmetic.elements(self.index, vectors.shape[:2])
            self._step(self.elements, sums, {}, signals)
            return signals
        ahead = {}
        for product in self.products:
            if all(segment.vector == INPUT for segment in product.segments):
                ahead[product.name] = self.arithmetic.rows(product, sums.pop(product.name))
        count, batch = vectors.shape[:2]
        elements = self._carry(batch)
        for time in range(count):
            now = {name: acc[:, time] for name, acc in sums.items()}
            closed = {name: rows[time] for name, rows in ahead.items()}
            found: Arrays = {}
            self._feed(OUTPUT, elements.get(OUTPUT), now, found)
            self._step(elements, now, closed, found)
            if self.cell.state:
                elements.put([self.cell.state.name], elements.get(self.cell.state.next))
            for name, value in found.items():
                if name not in self.buffers:
                    self.buffers[name] = np.empty((CHUNK_FRAMES, *value.shape), value.dtype)
                self.buffers[name][time, :batch] = value
        return signals | {name: each[:count, :batch] for name, each in self.buffers.items()}

    def _carry(self, batch: int) -> Elements:
        """Return the values of the step before for so many utterances, at first zeros."""
        if self.elements is None or batch != self.batch:
            sizes = {OUTPUT: self.layer.output}
            if self.cell.state:
                sizes[self.cell.state.name] = self.layer.hidden
            before, self.elements = self.elements, self.arithmetic.elements(self.index, (batch,))
            for name, size in sizes.items():
                zeros = np.zeros((batch, size), self.arithmetic.dtype)
                self.elements.put([name], zeros if before is None else before.get(name)[:batch])
            self.batch = batch
        return self.elements

    def _step(self, elements: Elements, sums: Arrays, closed: Arrays, signals: Arrays) -> None:
        """Do products and regions in order; ``closed`` holds rows that are there already."""
        for step in self.steps:
            if isinstance(step, Matvec):
                rows = self._rows(step.name, sums, closed, signals)
                if self.cell.units:
                    elements.put(step.rows, rows)
                continue
            elements.run(step)
            for vector in self.fed.intersection(step.writes):
                self._feed(vector, elements.get(vector), sums, signals)
        for name, value in self.shown.items():
            signals[signal(self.cell, self.index, name)] = elements.get(value)

    def _feed(self, vector: str, values: np.ndarray, sums: Arrays, signals: Arrays) -> None:
        """Add a vector's part to every product that reads it."""
        for name, part in self._contributions(vector, values, signals).items():
            if name in sums:
                part += sums[name]
            sums[name] = part

    def _contributions(self, vector: str, values: np.ndarray, signals: Arrays) -> Arrays:
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
                        name = signal(self.cell, self.index, f"{segment.matrix}.scaled")
                        signals[name] = scaled
                result[product.name] = self.arithmetic.multiply(
                    product, segment, spectra[segment.matrix]
                )
        return result

    def _rows(self, name: str, sums: Arrays, closed: Arrays, signals: Arrays) -> np.ndarray:
        """Close a product, or a pair of them, and return its rows."""
        found = []
        for product in self.products:
            if stem(product.name) == name:
                row = closed.get(product.name)
                if row is None:
                    row = self.arithmetic.rows(product, sums[product.name])
                signals[row_signal(self.cell, self.index, product.name)] = row
                found.append(row)
        return found[0] if len(found) == 1 else self.arithmetic.add_rows(*found)
