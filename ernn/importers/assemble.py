"""From a chain of items to a dense model: what folds into a neighbour is folded, and told.

A linear layer and the function behind it are one feed-forward layer. A scale and shift goes into
the matrix in front of it, or else into the one behind. A linear layer at the end is the output
layer. Picking the last step commutes with everything that has no memory, so it may stand before
them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ernn.compressed import CompressedLayer, CompressedModel, circulant_matrix
from ernn.errors import ModelFileError
from ernn.importers.layers import (
    Activation,
    Affine,
    Dropped,
    Item,
    LastStep,
    Linear,
    Recurrent,
    require_shape,
)


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
        items: in the order of the data.
        features: values of a frame that enters it.

    Raises:
        ModelFileError: the items do not fit each other, or are no network that ernn can build.
    """
    notes: list[str] = []
    layers, last = _merged(items, features, notes)
    if not any(isinstance(layer, Recurrent) for layer in layers):
        raise ModelFileError(
            "there is no recurrent layer in the network",
            allowed="LSTM, GRU or RNN, with linear layers before and behind",
            remedy="ernn builds recurrent networks",
        )
    made = [_layer(layer) for layer in layers]
    names = tuple(layer.name for layer in layers)
    final = layers[-1]
    if isinstance(final, _Dense) and final.function == "none":
        model = CompressedModel(
            features=features,
            layers=tuple(made[:-1]),
            output=made[-1].matrices["input"],
            output_bias=made[-1].bias,
            labels=len(made[-1].bias),
        )
    else:
        model = CompressedModel(features, tuple(made), labels=made[-1].output)
    return Assembled(model, names, last, tuple(notes))


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


def _merged(
    items: Sequence[Item], features: int, notes: list[str]
) -> tuple[list[Recurrent | _Dense], bool]:
    layers: list[Recurrent | _Dense] = []
    size, last, pending = features, "", None
    for item in items:
        if isinstance(item, Dropped):
            notes.append(f"{item.name} dropped: {item.reason}")
        elif isinstance(item, LastStep):
            last = item.name
        elif isinstance(item, Affine):
            _expect(item.name, len(item.scale), size)
            if layers and isinstance(layers[-1], _Dense) and layers[-1].function == "none":
                layers[-1] = _behind(layers[-1], item)
                notes.append(f"{item.name} folded into {layers[-1].name}")
            else:
                pending = item if pending is None else _both(pending, item)
        elif isinstance(item, Activation):
            front = layers[-1] if layers else None
            if pending is None and isinstance(front, _Dense) and front.function == "none":
                layers[-1] = replace(front, function=item.function)
            else:
                scale, shift = _affine(pending, size)
                layers.append(_Dense(item.name, np.diag(scale), shift, item.function))
                made = f"{item.name} became a feed-forward layer of {size} values"
                notes.append(f"{made}: ernn's functions stand behind a matrix")
                pending = None
        else:
            if last and isinstance(item, Recurrent):
                raise ModelFileError(
                    f"{item.name} reads {last}, the last step of a sequence alone",
                    allowed="recurrent layers that read every step",
                    remedy="import the two parts as networks of their own",
                )
            cols = (item.weight if isinstance(item, Linear) else item.matrices["input"]).shape[1]
            _expect(item.name, cols, size)
            made_of = (
                _Dense(item.name, item.weight, item.bias) if isinstance(item, Linear) else item
            )
            if pending is not None:
                notes.append(f"{pending.name} folded into {item.name}")
                made_of, pending = _ahead(made_of, pending), None
            layers.append(made_of)
            size = made_of.outputs
    if pending is not None:
        scale, shift = _affine(pending, size)
        layers.append(_Dense(pending.name, np.diag(scale), shift))
        notes.append(f"{pending.name} became a feed-forward layer of {size} values")
    return layers, bool(last)


def _expect(name: str, given: int, size: int) -> None:
    if given != size:
        raise ModelFileError(f"{name} takes {given} values a step", allowed=f"{size}, as enter it")


def _affine(affine: Affine | None, size: int) -> tuple[np.ndarray, np.ndarray]:
    if affine is None:
        return np.ones(size), np.zeros(size)
    return affine.scale, affine.shift


def _both(first: Affine, second: Affine) -> Affine:
    name = f"{first.name} and {second.name}"
    return Affine(name, first.scale * second.scale, first.shift * second.scale + second.shift)


def _behind(layer: _Dense, affine: Affine) -> _Dense:
    """Return a linear layer with a scale and shift behind it."""
    weight, bias = layer.weight * affine.scale[:, None], layer.bias * affine.scale + affine.shift
    return replace(layer, weight=weight, bias=bias)


def _ahead(layer: Recurrent | _Dense, affine: Affine) -> Recurrent | _Dense:
    """Return a layer with a scale and shift in front of its input."""
    if isinstance(layer, _Dense):
        moved = layer.weight @ affine.shift
        return replace(layer, weight=layer.weight * affine.scale, bias=layer.bias + moved)
    matrices = {**layer.matrices, "input": layer.entering * affine.scale}
    return replace(layer, matrices=matrices, bias=layer.bias + layer.entering @ affine.shift)


def _layer(layer: Recurrent | _Dense) -> CompressedLayer:
    """Return a layer of a model; every matrix is dense."""
    if isinstance(layer, _Dense):
        require_shape(f"the bias of {layer.name}", layer.bias, (len(layer.weight),))
        require_shape(f"the weights of {layer.name}", layer.weight, layer.weight.shape)
        matrices = {"input": circulant_matrix(layer.weight[..., None])}
        rows = len(layer.bias)
        return CompressedLayer("dense", rows, matrices, layer.bias, {}, layer.function)
    hidden = layer.matrices["projection" if "projection" in layer.matrices else "recurrent"].shape[
        1
    ]
    held = {**layer.matrices, **layer.parameters, "bias": layer.bias}
    for name, array in held.items():
        require_shape(f"{name} of {layer.name}", array, array.shape)
    made = {name: circulant_matrix(matrix[..., None]) for name, matrix in layer.matrices.items()}
    return CompressedLayer(layer.cell, hidden, made, layer.bias, layer.parameters, layer.activation)
