"""From a list of items to a dense model: what folds into a neighbour is folded, and told.

A linear layer and the function behind it are one feed-forward layer. A scale and shift goes into
the matrix in front of it, or else into the one behind. A linear layer at the end is the output
layer. Picking the last step commutes with everything that has no memory, so it may stand before
them. A layer that reads a concatenation or a sum reads several vectors (`ernn.importers.points`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ernn.compressed import CompressedLayer, CompressedModel, circulant_matrix
from ernn.errors import ModelFileError
from ernn.graphs.reads import FEATURES, Reads
from ernn.importers.layers import (
    Activation,
    Added,
    Affine,
    Dropped,
    Item,
    Joined,
    LastStep,
    Linear,
    Recurrent,
    require_shape,
)
from ernn.importers.points import Point, added, joined, vector


@dataclass(frozen=True)
class Assembled:
    """A dense model without padding, and what was done to get it."""

    model: CompressedModel
    names: tuple[str, ...]  # of the source, for each layer of the model's stack
    last: bool  # the source uses only the last step of a sequence
    notes: tuple[str, ...]  # what was dropped, folded or added


def assemble(items: Sequence[Item], features: int) -> Assembled:
    """Return the model of a chain.

    Args:
        items: in the order of the data; each but `Joined` and `Added` reads the one in front of it.
        features: values of a frame that enters it.

    Raises:
        ModelFileError: the items do not fit each other, or are no network that ernn can build.
    """
    merged = _Merged(items, features)
    layers = merged.layers
    if not any(isinstance(layer.item, Recurrent) for layer in layers):
        raise ModelFileError(
            "there is no recurrent layer in the network",
            allowed="LSTM, GRU or RNN, with linear layers before and behind",
            remedy="ernn builds recurrent networks",
        )
    made = [_layer(layer) for layer in layers]
    names = tuple(layer.item.name for layer in layers)
    final = layers[-1].item
    if isinstance(final, _Dense) and final.function == "none":
        model = CompressedModel(
            features=features,
            layers=tuple(made[:-1]),
            output=made[-1].matrices["input"],
            output_bias=made[-1].bias,
            labels=len(made[-1].bias),
            output_reads=made[-1].reads,
        )
    else:
        model = CompressedModel(features, tuple(made), labels=made[-1].output)
    return Assembled(model, names, merged.last, tuple(merged.notes))


@dataclass(frozen=True)
class _Dense:
    """A linear layer with the function behind it."""

    name: str
    weight: np.ndarray
    bias: np.ndarray
    function: str = "none"

    @property
    def entering(self) -> np.ndarray:
        return self.weight

    @property
    def outputs(self) -> int:
        return len(self.bias)


_Single = Recurrent | Linear | Activation | Affine | LastStep | Dropped


@dataclass(frozen=True)
class _Placed:
    """A layer, and the vectors that it reads, in the order of its columns."""

    item: "Recurrent | _Dense"
    reads: Reads


class _Merged:
    """The layers of a list of items, each with what was folded into it."""

    def __init__(self, items: Sequence[Item], features: int) -> None:
        self.layers: list[_Placed] = []
        self.notes: list[str] = []
        self.readers = Counter(
            part
            for place, item in enumerate(items)
            for part in (item.parts if isinstance(item, Joined | Added) else (place - 1,))
        )
        points = {-1: vector(FEATURES, features, self.readers[-1] == 1)}
        for place, item in enumerate(items):
            if isinstance(item, Joined):
                found = joined(item, [points[part] for part in item.parts])
            elif isinstance(item, Added):
                found = added(item, [points[part] for part in item.parts])
            else:
                found = self._followed(item, points[place - 1])
            alone = found.alone and self.readers[place] <= 1
            points[place] = replace(found, alone=alone)
        self._end(points[len(items) - 1])
        self.last = bool(points[len(items) - 1].last)

    def _followed(self, item: _Single, at: Point) -> Point:
        """Return what an item makes of a tensor."""
        if isinstance(item, Dropped):
            self.notes.append(f"{item.name} dropped: {item.reason}")
            return at
        if isinstance(item, LastStep):
            return replace(at, last=item.name)
        front = self._front(at)
        if isinstance(item, Affine):
            _expect(item.name, len(item.scale), at.size)
            if front is None:
                return at.scaled(item)
            self._replace(at, _behind(front, item))
            self.notes.append(f"{item.name} folded into {front.name}")
            return at
        if isinstance(item, Activation):
            if front is not None:
                self._replace(at, replace(front, function=item.function))
                return at
            made = f"{item.name} became a feed-forward layer of {at.size} values"
            self.notes.append(f"{made}: ernn's functions stand behind a matrix")
            return self._add(_identity(item.name, at.size, item.function), at)
        if at.last and isinstance(item, Recurrent):
            raise ModelFileError(
                f"{item.name} reads {at.last}, the last step of a sequence alone",
                allowed="recurrent layers that read every step",
                remedy="import the two parts as networks of their own",
            )
        own = _Dense(item.name, item.weight, item.bias) if isinstance(item, Linear) else item
        _expect(own.name, own.entering.shape[1], at.size)
        if at.name:
            self.notes.append(f"{at.name} folded into {own.name}")
        return self._add(own, at)

    def _front(self, at: Point) -> "_Dense | None":
        """Return the linear layer without a function that a tensor leaves for one reader alone."""
        if not at.alone or at.whole is None or at.whole == FEATURES:
            return None
        front = self.layers[at.whole].item
        return front if isinstance(front, _Dense) and front.function == "none" else None

    def _replace(self, at: Point, item: "_Dense") -> None:
        assert at.whole is not None
        self.layers[at.whole] = replace(self.layers[at.whole], item=item)

    def _add(self, item: "Recurrent | _Dense", at: Point) -> Point:
        """Append a layer that reads a tensor; return what it makes."""
        columns, more = at.read_by(item.entering)
        matrix, bias = np.concatenate(list(columns.values()), axis=1), item.bias + more
        if isinstance(item, _Dense):
            item = replace(item, weight=matrix, bias=bias)
        else:
            item = replace(item, matrices={**item.matrices, "input": matrix}, bias=bias)
        number, reads = len(self.layers), tuple(columns)
        self.layers.append(_Placed(item, () if reads == (number - 1,) else reads))
        return replace(vector(number, item.outputs), last=at.last)

    def _end(self, at: Point) -> None:
        """Let the last layer make what leaves the network."""
        if at.name or at.whole != len(self.layers) - 1:
            name = at.name or "the output"
            self._add(_identity(name, at.size, "none"), at)
            self.notes.append(f"{name} became a feed-forward layer of {at.size} values")


def _identity(name: str, size: int, function: str) -> "_Dense":
    return _Dense(name, np.eye(size), np.zeros(size), function)


def _expect(name: str, given: int, size: int) -> None:
    if given != size:
        raise ModelFileError(f"{name} takes {given} values a step", allowed=f"{size}, as enter it")


def _behind(layer: _Dense, affine: Affine) -> _Dense:
    """Return a linear layer with a scale and shift behind it."""
    weight, bias = layer.weight * affine.scale[:, None], layer.bias * affine.scale + affine.shift
    return replace(layer, weight=weight, bias=bias)


def _layer(placed: _Placed) -> CompressedLayer:
    """Return a layer of a model; every matrix is dense."""
    layer, reads = placed.item, placed.reads
    if isinstance(layer, _Dense):
        require_shape(f"the bias of {layer.name}", layer.bias, (len(layer.weight),))
        require_shape(f"the weights of {layer.name}", layer.weight, layer.weight.shape)
        matrices = {"input": circulant_matrix(layer.weight[..., None])}
        rows = len(layer.bias)
        return CompressedLayer("dense", rows, matrices, layer.bias, {}, layer.function, reads)
    hidden = layer.matrices["projection" if "projection" in layer.matrices else "recurrent"].shape[
        1
    ]
    held = {**layer.matrices, **layer.parameters, "bias": layer.bias}
    for name, array in held.items():
        require_shape(f"{name} of {layer.name}", array, array.shape)
    made = {name: circulant_matrix(matrix[..., None]) for name, matrix in layer.matrices.items()}
    return CompressedLayer(
        layer.cell, hidden, made, layer.bias, layer.parameters, layer.activation, reads
    )
