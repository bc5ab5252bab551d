"""Unused paths: cells that nobody reads, and what only feeds them, leave a model.

A word of cells is used if a used row of a matrix has weights for it, or if it is an output of the
model. Whatever else there is cannot change an output and goes: its rows, its columns, its biases.
As in 1908.10017, whose paths are those of filters; here they are those of the words of vectors.
"""

from dataclasses import dataclass, replace

import numpy as np

from ernn.compressed import CompressedLayer, CompressedModel, StructuredMatrix
from ernn.graphs.cell import INPUT, OUTPUT
from ernn.graphs.reads import FEATURES

Words = np.ndarray  # of a vector: which words are used, bool


@dataclass(frozen=True)
class Removed:
    """What left a model: values by vector, such as ``"layer0.cells"``, and weights in all."""

    values: dict[str, tuple[int, ...]]
    weights: int

    def __str__(self) -> str:
        told = ", ".join(f"{len(gone)} of {name}" for name, gone in self.values.items())
        return f"{told}; {self.weights:,} weights"


def without_unused(model: CompressedModel) -> tuple[CompressedModel, Removed]:
    """Return a model of the same outputs without what is unused, and what that was.

    A layer of which nothing is used keeps its first word.
    """
    used = _Used(model)
    if used.all():
        return model, Removed({}, 0)
    layers = tuple(_kept(index, layer, used) for index, layer in enumerate(model.layers))
    output = model.output and _cut(model.output, 1, None, used.entering(len(layers)), model.word)
    made = replace(model, layers=layers, output=output)
    return made, Removed(used.gone(), model.parameters - made.parameters)


class _Used:
    """Which words of every vector of a model are used: the least that its outputs need."""

    def __init__(self, model: CompressedModel) -> None:
        self.model, word = model, model.word
        self.cells = [np.zeros(layer.hidden // word, bool) for layer in model.layers]
        self.outputs = [
            np.zeros(layer.output // word, bool) if "projection" in layer.matrices else cells
            for layer, cells in zip(model.layers, self.cells, strict=True)
        ]
        if model.output is None:
            self.outputs[-1][: -(-model.labels // word) or None] = True
        while self._spread():
            pass
        for vector in (*self.outputs, *self.cells):  # a layer must have something
            vector[0] |= not vector.any()

    def all(self) -> bool:
        """Tell whether everything is used."""
        return all(vector.all() for vector in (*self.cells, *self.outputs))

    def entering(self, index: int) -> Words:
        """Return the words that a layer's input has left."""
        return np.concatenate([self._vector(source) for source in self.model.sources(index)])

    def gone(self) -> dict[str, tuple[int, ...]]:
        """Name the values that are not used."""
        found = {}
        for index, (cells, outputs) in enumerate(zip(self.cells, self.outputs, strict=True)):
            vectors = {"cells": cells} if cells is outputs else {"cells": cells, "outputs": outputs}
            for name, vector in vectors.items():
                values = np.flatnonzero(np.repeat(~vector, self.model.word))
                if len(values):
                    found[f"layer{index}.{name}"] = tuple(values.tolist())
        return found

    def _vector(self, source: int) -> Words:
        if source == FEATURES:
            return np.ones(self.model.size(FEATURES) // self.model.word, bool)
        return self.outputs[source]

    def _spread(self) -> bool:
        """Mark what used rows read, and tell whether that was news."""
        before = sum(vector.sum() for vector in (*self.cells, *self.outputs))
        for index, layer in reversed(list(enumerate(self.model.stack))):
            for name, matrix in layer.matrices.items():
                described = layer.kind.matrices[name]
                rows = _weights(matrix, len(described.gates), self.model.word)
                if index < len(self.cells):  # all of the output layer's are used
                    rows = rows[(self.outputs if name == "projection" else self.cells)[index]]
                read = np.asarray(rows.any(axis=0))
                if described.vector != INPUT:
                    own = self.outputs if described.vector == OUTPUT else self.cells
                    own[index] |= read
                    continue
                start = 0
                for source in self.model.sources(index):
                    vector = self._vector(source)
                    vector |= read[start : start + len(vector)]
                    start += len(vector)
        return sum(vector.sum() for vector in (*self.cells, *self.outputs)) > before


def _weights(matrix: StructuredMatrix, gates: int, word: int) -> np.ndarray:
    """Return which words of rows, of any gate, have weights for which words of columns."""
    blocks, subs = matrix.generators.any(axis=-1), word // matrix.block
    p, q = blocks.shape
    parts = blocks.reshape(gates, p // (gates * subs), subs, q // subs, subs)
    return np.asarray(parts.any(axis=(0, 2, 4)))


def _kept(index: int, layer: CompressedLayer, used: _Used) -> CompressedLayer:
    """Return a layer with its used words."""
    word = used.model.word
    cells, outputs = used.cells[index], used.outputs[index]
    matrices = {}
    for name, matrix in layer.matrices.items():
        described = layer.kind.matrices[name]
        rows = outputs if name == "projection" else cells
        entering = {INPUT: used.entering(index), OUTPUT: outputs}
        columns = entering.get(described.vector, cells)
        matrices[name] = _cut(matrix, len(described.gates), rows, columns, word)
    values = np.repeat(cells, word)
    return replace(
        layer,
        hidden=int(values.sum()),
        matrices=matrices,
        bias=layer.bias.reshape(-1, len(values))[:, values].ravel(),
        parameters={name: array[..., values] for name, array in layer.parameters.items()},
    )


def _cut(
    matrix: StructuredMatrix, gates: int, rows: Words | None, columns: Words, word: int
) -> StructuredMatrix:
    """Return some words of rows (None: all) of every gate, and some words of columns."""
    subs, every, factors = word // matrix.block, slice(None), matrix.factors
    if rows is not None:
        down = np.flatnonzero(np.tile(np.repeat(rows, subs), gates))
        factors = matrix.kind.cut(factors, down, every)
    across = np.flatnonzero(np.repeat(columns, subs))
    return replace(matrix, factors=matrix.kind.cut(factors, every, across))
