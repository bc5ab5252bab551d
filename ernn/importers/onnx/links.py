"""What single operations are to ernn: items of a chain, with what enters and leaves each.

What enters and leaves is told by origins, one row per step: two operations follow each other if
the origins of one's output are those of the other's input, however the values were carried.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ernn.errors import ModelFileError
from ernn.importers.layers import Activation, Affine, Item, Recurrent, batch_norm, linear
from ernn.importers.onnx.graph import Graph
from ernn.importers.onnx.origins import Origins
from ernn.importers.onnx.recurrent import initial_states, recurrent_item

if TYPE_CHECKING:
    from onnx import NodeProto

_FUNCTIONS = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh"}
_ARITHMETIC = ("Add", "Sub", "Mul", "Div")
ELEMENTWISE = (*_FUNCTIONS, *_ARITHMETIC, "BatchNormalization")


@dataclass(frozen=True)
class State:
    """A state of a layer: where it starts and where it ends, as origins (H,)."""

    before: np.ndarray | None  # None: from zero
    after: np.ndarray | None  # None: no operation gives it out


@dataclass(frozen=True)
class Link:
    """An item of a chain."""

    item: Item
    nodes: tuple["NodeProto", ...]
    into: np.ndarray  # (T, n) origins
    out: np.ndarray  # (T, m)
    states: tuple[State, ...] = ()


class Links:
    """Makes links of the operations of a graph."""

    def __init__(self, graph: Graph, origins: Origins) -> None:
        self.graph, self.origins = graph, origins

    def behind(self, node: "NodeProto", into: np.ndarray) -> Link | None:
        """Return the link of a node that reads these values (T, n), or their last row."""
        if node.op_type in ELEMENTWISE:
            data = self._data(node)
            if data is None:
                return None
            _, view = data
            for rows in (into, into[-1:]):
                if view.size == rows.size:
                    places = places_of(view, rows)
                    if places is not None:
                        return self._elementwise(node, rows, places)
            return None
        link = self.whole(node)
        matches = link is not None and (same(link.into, into) or same(link.into, into[-1:]))
        return link if matches else None

    def making(self, node: "NodeProto", out: np.ndarray) -> Link | None:
        """Return the link of a node that makes these values (T, m)."""
        if node.op_type in ELEMENTWISE:
            data = self._data(node)
            if data is None:
                return None
            places = self.origins.places(out)
            return self._elementwise(node, data[1].ravel()[places], places)
        link = self.whole(node)
        matches = link is not None and (same(link.out, out) or same(link.out[-1:], out))
        return link if matches else None

    def recurrent(self, node: "NodeProto") -> Link:
        """Return the link of an LSTM, GRU or RNN.

        Raises:
            ModelFileError: ernn does not build it; the sentence names what.
        """
        item = recurrent_item(node, self.graph)
        read, out = self.origins.of(node.input[0]), self.origins.steps(node)
        if read is None or out is None:
            raise ModelFileError(
                f"{item.name} reads a tensor of unknown shape or of more than one sequence",
                remedy="export it for one sequence (batch 1), or give free dimensions by inputs",
            )
        ends = [out[-1], None]
        if node.op_type == "LSTM" and len(node.output) > 2 and node.output[2]:
            cells = self.origins.of(node.output[2])
            ends[1] = None if cells is None else cells.ravel()
        states = []
        for name, end in zip(initial_states(node, self.graph), ends, strict=False):
            before = self.origins.of(name) if name else None
            if name and before is None:
                raise ModelFileError(f"{item.name}: its initial state {name} cannot be followed")
            states.append(State(None if before is None else before.ravel(), end))
        return Link(item, (node,), read.reshape(len(out), -1), out, tuple(states))

    def whole(self, node: "NodeProto") -> Link | None:
        """Return the link of a node with a matrix: it fixes which axis holds the steps."""
        make = {"MatMul": self._matmul, "Gemm": self._gemm, "Conv": self._conv}.get(node.op_type)
        return make(node) if make else None

    def _matmul(self, node: "NodeProto") -> Link | None:
        left, right = (self.graph.constant(name) for name in node.input)
        made = self.origins.of(node.output[0])
        weight, at = (right, 0) if right is not None else (left, 1)
        read = self.origins.of(node.input[at])
        if weight is None or read is None or made is None or weight.ndim < 2 or read.ndim < 2:
            return None
        if weight.size != weight.shape[-2] * weight.shape[-1]:
            return None
        weight = weight.reshape(weight.shape[-2:])
        if at == 1:  # W x, the steps in columns
            if read.size != read.shape[-2] * read.shape[-1]:
                return None
            read, made, weight = read.swapaxes(-1, -2), made.swapaxes(-1, -2), weight.T
        return _linear(node, weight.T, None, read, made)

    def _gemm(self, node: "NodeProto") -> Link | None:
        told = _attributes(node)
        read, made = self.origins.of(node.input[0]), self.origins.of(node.output[0])
        weight = self.graph.constant(node.input[1])
        if read is None or made is None or weight is None:
            return None
        weight = (weight if told.get("transB") else weight.T) * np.float64(told.get("alpha", 1.0))
        bias = None
        if len(node.input) > 2 and node.input[2]:
            given = self.graph.constant(node.input[2])
            if given is None or given.size not in (1, len(weight)):
                return None
            scaled = given.astype(np.float64).ravel() * told.get("beta", 1.0)
            bias = np.broadcast_to(scaled, len(weight))
        return _linear(node, weight, bias, read.T if told.get("transA") else read, made)

    def _conv(self, node: "NodeProto") -> Link | None:
        """A convolution over one step is a linear layer, its channels the features."""
        told = _attributes(node)
        read, made = self.origins.of(node.input[0]), self.origins.of(node.output[0])
        weight = self.graph.constant(node.input[1])
        if read is None or made is None or weight is None or told.get("group", 1) != 1:
            return None
        plain = all(size == 1 for size in (*weight.shape[2:], *told.get("strides", ())))
        if not plain or any(told.get("pads", ())):
            return None
        bias = self.graph.constant(node.input[2]) if len(node.input) > 2 and node.input[2] else None
        weight = weight.reshape(weight.shape[:2])
        return _linear(node, weight, bias, np.moveaxis(read, 1, -1), np.moveaxis(made, 1, -1))

    def _data(self, node: "NodeProto") -> tuple[int, np.ndarray] | None:
        """Return the one input of an elementwise node that is no constant, and its origins."""
        reads = [at for at, name in enumerate(node.input) if name not in self.graph.values]
        if len(reads) != 1 or (node.op_type == "BatchNormalization" and reads != [0]):
            return None
        view, made = (self.origins.of(name) for name in (node.input[reads[0]], node.output[0]))
        if view is None or made is None or view.shape != made.shape:
            return None
        return reads[0], view

    def _elementwise(self, node: "NodeProto", into: np.ndarray, places: np.ndarray) -> Link | None:
        made = self.origins.of(node.output[0])
        data = self._data(node)
        if made is None or data is None:
            return None
        out, name = made.ravel()[places], named(node)
        if node.op_type in _FUNCTIONS:
            return Link(Activation(name, _FUNCTIONS[node.op_type]), (node,), into, out)
        if node.op_type == "BatchNormalization":
            whole = self._batch_norm(node, made.shape)
        else:
            whole = self._arithmetic(node, data[0], made.shape)
        if whole is None:
            return None
        scale, shift = (np.broadcast_to(one, made.shape).ravel()[places] for one in whole)
        if (scale != scale[0]).any() or (shift != shift[0]).any():
            return None  # another one at every step
        return Link(Affine(name, scale[0].copy(), shift[0].copy()), (node,), into, out)

    def _arithmetic(self, node: "NodeProto", at: int, shape: tuple[int, ...]):
        constant = np.asarray(self.graph.constant(node.input[1 - at]), np.float64)
        if node.op_type == "Add":
            return np.ones(1), constant
        if node.op_type == "Sub":
            return (np.ones(1), -constant) if at == 0 else (-np.ones(1), constant)
        if node.op_type == "Mul":
            return constant, np.zeros(1)
        if at == 1 or (constant == 0).any():
            return None
        return 1 / constant, np.zeros(1)

    def _batch_norm(self, node: "NodeProto", shape: tuple[int, ...]):
        told = _attributes(node)
        if told.get("training_mode") or len([name for name in node.output if name]) > 1:
            return None
        scale, bias, mean, variance = (self.graph.values[name] for name in node.input[1:5])
        made = batch_norm(named(node), mean, variance, scale, bias, told.get("epsilon", 1e-5))
        axes = (-1, *(1,) * (len(shape) - 2))
        return made.scale.reshape(axes), made.shift.reshape(axes)


def named(node: "NodeProto") -> str:
    """Return what a user knows a node by."""
    return node.name or next(filter(None, node.output))


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays of origins are the same values."""
    return one.shape == other.shape and bool((one == other).all())


def is_recurrent(link: Link) -> bool:
    """Whether a link is a recurrent layer."""
    return isinstance(link.item, Recurrent)


def _linear(node, weight, bias, read: np.ndarray, made: np.ndarray) -> Link | None:
    rows, cols = weight.shape
    if read.shape[-1] != cols or made.shape[-1] != rows:
        return None
    into, out = read.reshape(-1, cols), made.reshape(-1, rows)
    return Link(linear(named(node), weight, bias), (node,), into, out)


def places_of(view: np.ndarray, rows: np.ndarray) -> np.ndarray | None:
    """Return where the values of rows (T, n) are in a view, or None if one is not there."""
    order = np.argsort(view.ravel())
    ordered = view.ravel()[order]
    found = np.searchsorted(ordered, rows).clip(max=len(ordered) - 1)
    return order[found] if (ordered[found] == rows).all() else None


def _attributes(node: "NodeProto") -> dict:
    from onnx import helper

    return {a.name: helper.get_attribute_value(a) for a in node.attribute}
