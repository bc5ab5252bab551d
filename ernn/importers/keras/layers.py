"""The layers of a Keras model as a chain of items."""

from typing import Any

import numpy as np

from ernn.errors import ModelFileError
from ernn.importers.keras.config import MERGES, KerasLayer
from ernn.importers.keras.weights import KerasWeights
from ernn.importers.layers import (
    KERAS,
    Activation,
    Added,
    Dropped,
    Item,
    Joined,
    LastStep,
    batch_norm,
    gru,
    linear,
    lstm,
    rnn,
)

_CELLS = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn"}
_FUNCTIONS = ("relu", "sigmoid", "tanh")
_IDLE = "Dropout SpatialDropout1D GaussianDropout AlphaDropout GaussianNoise Identity".split()
_IDLE += ["ActivityRegularization"]


def items_of(layers: list[KerasLayer], weights: KerasWeights) -> tuple[list[Item], int, int | None]:
    """Return the chain, the values of a frame, and the steps of a sequence if they are fixed.

    Raises:
        ModelFileError: a layer is set in a way that ernn cannot build, or its weights do not fit.
    """
    chain = _Chain(weights)
    for layer in layers:
        chain.put(layer)
    return chain.items, chain.features, chain.steps


class _Chain:
    def __init__(self, weights: KerasWeights):
        self.weights = weights
        self.items: list[Item] = []
        self.features, self.size, self.steps, self.last = 0, -1, None, False
        # Behind each layer: the place of its last item, its values, and whether it is a last step
        self.ends: list[tuple[int, int, bool]] = []

    def put(self, layer: KerasLayer) -> None:
        """Append a layer behind those that it reads."""
        read = layer.before or ((len(self.ends) - 1,) if self.ends else ())
        parts = [self.ends[place] for place in read]
        places = tuple(place for place, _, _ in parts)
        if layer.kind in ("Concatenate", *MERGES):
            self._merge(layer, parts)
        else:
            if parts:
                _, self.size, self.last = parts[0]
            if places not in ((), (len(self.items) - 1,)):
                self.items.append(Joined("", places))
            self.add(layer)
        self.ends.append((len(self.items) - 1, self.size, self.last))

    def _merge(self, layer: KerasLayer, parts: list[tuple[int, int, bool]]) -> None:
        places = tuple(place for place, _, _ in parts)
        sizes = [size for _, size, _ in parts]
        self.last = parts[0][2]
        if layer.kind == "Concatenate":
            if layer.settings.get("axis", -1) not in (-1, 1 if self.last else 2):
                raise _set(layer, "axis", layer.settings["axis"], "-1, the features")
            self.items.append(Joined(layer.name, places))
            self.size = sum(sizes)
            return
        second = -1.0 if layer.kind == "Subtract" else 1.0
        self.items.append(Added(layer.name, places, (1.0, *(second,) * (len(places) - 1))))
        self.size = sizes[0]

    def add(self, layer: KerasLayer) -> None:
        """Append what a layer does."""
        if layer.kind in _CELLS:
            self._recurrent(layer)
        elif layer.kind in _IDLE:
            self.items.append(Dropped(layer.name, f"{layer.kind} does nothing after training"))
        else:
            getattr(self, f"_{layer.kind.lower()}")(layer)

    def _sized(self, size: int) -> None:
        self.features = self.features or size
        self.size = size

    def _inputlayer(self, layer: KerasLayer) -> None:
        shape = layer.settings.get("batch_shape")
        if self.size >= 0:  # of a model in a model
            return
        if not isinstance(shape, list) or len(shape) != 3 or not shape[2]:
            raise _set(layer, "batch_shape", shape, "(None, steps or None, features)")
        self.steps = shape[1]
        self._sized(shape[2])

    def _recurrent(self, layer: KerasLayer) -> None:
        told, cell = layer.settings, _CELLS[layer.kind]
        functions = ("tanh", "relu") if cell == "rnn" else ("tanh",)
        if told.get("activation") not in functions:
            raise _set(layer, "activation", told.get("activation"), ", ".join(functions))
        if cell != "rnn" and told.get("recurrent_activation") != "sigmoid":
            given = told.get("recurrent_activation")
            raise _set(layer, "recurrent_activation", given, "sigmoid", "train with sigmoid")
        if told.get("go_backwards"):
            remedy = "train it forwards, or turn the sequences round on the host"
            raise _set(layer, "go_backwards", True, "False", remedy)
        units, gates = _units(layer), len(KERAS[cell])
        after = cell == "gru" and bool(told.get("reset_after", True))
        shapes: list[tuple[int, ...]] = [(self.size, gates * units), (units, gates * units)]
        if told.get("use_bias", True):
            shapes.append((2, gates * units) if after else (gates * units,))
        kernel, recurrent, *rest = self.weights.read(f"{layer.path}/cell", layer.name, shapes)
        bias = rest[0] if rest else np.zeros((2, gates * units) if after else gates * units)
        self._sized(len(kernel))
        name, w, r = layer.name, kernel.T, recurrent.T
        if cell == "lstm":
            self.items.append(lstm(name, w, r, bias, KERAS["lstm"]))
        elif cell == "gru":
            b, rb = bias if after else (bias, np.zeros_like(bias))
            self.items.append(gru(name, w, r, b, rb, KERAS["gru"], reset_after=after))
        else:
            self.items.append(rnn(name, w, r, bias, told["activation"]))
        self.size = units
        self._after_recurrent(layer)

    def _after_recurrent(self, layer: KerasLayer) -> None:
        told = layer.settings
        if told.get("dropout") or told.get("recurrent_dropout"):
            reason = "it does nothing after training"
            self.items.append(Dropped(f"dropout in {layer.name}", reason))
        if told.get("stateful"):
            reason = "ernn begins every sequence with a state of zeros"
            self.items.append(Dropped(f"stateful of {layer.name}", reason))
        if not told.get("return_sequences"):
            self.items.append(LastStep(layer.name))
            self.last = True

    def _dense(self, layer: KerasLayer) -> None:
        units = _units(layer)
        shapes: list[tuple[int, ...]] = [(self.size, units)]
        shapes += [(units,)] if layer.settings.get("use_bias", True) else []
        kernel, *rest = self.weights.read(layer.path, layer.name, shapes)
        self._sized(len(kernel))
        self.items.append(linear(layer.name, kernel.T, rest[0] if rest else None))
        self.size = units
        self._activation(layer)

    def _activation(self, layer: KerasLayer) -> None:
        function = layer.settings.get("activation")
        if function == "softmax":
            remedy = "let the network end before it, and take softmax on the host"
            raise _set(layer, "activation", function, "linear, relu, sigmoid, tanh", remedy)
        if function not in ("linear", None):
            if function not in _FUNCTIONS:
                raise _set(layer, "activation", function, "linear, relu, sigmoid, tanh")
            self.items.append(Activation(layer.name, function))
        elif layer.kind == "Activation":
            self.items.append(Dropped(layer.name, "it does nothing"))

    def _relu(self, layer: KerasLayer) -> None:
        for key in ("max_value", "negative_slope", "threshold"):
            if layer.settings.get(key):
                raise _set(layer, key, layer.settings[key], "0 or None")
        if layer.settings.get("max_value") == 0:
            raise _set(layer, "max_value", 0, "None")
        self.items.append(Activation(layer.name, "relu"))

    def _batchnormalization(self, layer: KerasLayer) -> None:
        told, axis = layer.settings, layer.settings.get("axis", -1)
        axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
        if axis not in (-1, 1 if self.last else 2):
            raise _set(layer, "axis", axis, "-1, the features")
        if told.get("renorm"):
            raise _set(layer, "renorm", True, "False")
        named = [name for name in ("scale", "center") if told.get(name, True)]
        shapes: list[tuple[int, ...]] = [(self.size,)] * (2 + len(named))
        *trained, mean, variance = self.weights.read(layer.path, layer.name, shapes)
        self._sized(len(mean))
        by_name = dict(zip(named, trained, strict=True))
        gamma, beta = by_name.get("scale"), by_name.get("center")
        epsilon = float(told.get("epsilon", 1e-3))
        self.items.append(batch_norm(layer.name, mean, variance, gamma, beta, epsilon))

    def _flatten(self, layer: KerasLayer) -> None:
        if not self.last:
            given = f"{layer.name} puts the steps beside each other"
            raise ModelFileError(given, allowed="Flatten behind the last step", remedy="remove it")
        self.items.append(Dropped(layer.name, "it changes nothing"))

    def _reshape(self, layer: KerasLayer) -> None:
        shape = layer.settings.get("target_shape")
        kept = [[self.size], [-1]] if self.last else [[self.steps, self.size], [-1, self.size]]
        if shape not in kept:
            raise _set(layer, "target_shape", shape, f"{kept[0]}, which changes nothing")
        self.items.append(Dropped(layer.name, "it changes nothing"))


def _units(layer: KerasLayer) -> int:
    units = layer.settings.get("units")
    if not isinstance(units, int) or isinstance(units, bool) or units < 1:
        raise _set(layer, "units", units, "1 or more")
    return units


def _set(layer: KerasLayer, key: str, given: Any, allowed: str, remedy: str = "") -> ModelFileError:
    what = f"{layer.kind} {layer.name} has {key} = {given}"
    return ModelFileError(what, allowed=allowed, remedy=remedy or "train it with one that is")
