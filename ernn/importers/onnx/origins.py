"""Where each value of a tensor comes from, through everything that only moves values.

Transposes, slices, reshapes, splits and concatenations compute nothing. The origin of a tensor is
an array of its shape that names for each value the operation (or input) that made it, and its
place there. Two tensors with equal origins are the same numbers, however they were carried about.
"""

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from ernn.importers.onnx.graph import Graph, evaluate

if TYPE_CHECKING:
    from onnx import NodeProto

MOVING = {
    "Identity",
    "Dropout",
    "Cast",
    "Transpose",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
    "Flatten",
    "Slice",
    "Gather",
    "Split",
    "Concat",
    "Expand",
    "Where",
}
BITS = 32  # of a place; above it the number of the maker
_LARGEST = 2**24  # values of a tensor whose origins are followed
_FLOATS = {1, 10, 11, 16}  # a cast between these is seen through
_NEUTRAL = {"Add": 0, "Sub": 0, "Mul": 1, "Div": 1}
_SEEN_THROUGH = {"Identity", "Dropout", "Cast"}


class Origins:
    """The origins of the tensors of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.makers: list[str] = []  # tensors that are their own origin
        self._numbers: dict[str, int] = {}
        self._known: dict[str, np.ndarray | None] = {}
        self._joined: list[tuple[np.ndarray, np.ndarray]] = []
        self.order = [one.name for one in graph.inputs]  # tensors as they come to be
        for name in self.order:
            self._known[name] = self.own(name, graph.shapes.get(name))
        for node in graph.live:
            self._visit(node)

    def of(self, name: str) -> np.ndarray | None:
        """Return the origins of a tensor, or None where they cannot be followed."""
        if name not in self._known and name in self.graph.values:
            return self.own(name, self.graph.values[name].shape)
        return self._known.get(name)

    def own(self, name: str, shape: tuple[int, ...] | None) -> np.ndarray | None:
        """Return the origins of a tensor that was computed, an array of its shape."""
        if shape is None or prod(shape) > _LARGEST:
            return None
        if name not in self._numbers:
            self._numbers[name] = len(self.makers)
            self.makers.append(name)
        first = self._numbers[name] << BITS
        return np.arange(first, first + prod(shape), dtype=np.int64).reshape(shape)

    def join(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Take values (T, n) of several makers for those of one; return their new origins."""
        joined = self.own(name, rows.shape)
        assert joined is not None
        order = np.argsort(rows, axis=None)
        self._joined.append((rows.ravel()[order], joined.ravel()[order]))
        self._known = {
            tensor: None if codes is None else _moved_to(codes, *self._joined[-1])
            for tensor, codes in self._known.items()
        }
        return joined

    def now(self, codes: np.ndarray) -> np.ndarray:
        """Return origins from before the last `join` as they are now."""
        for before, after in self._joined:
            codes = _moved_to(codes, before, after)
        return codes

    def made_by(self, codes: np.ndarray) -> list[str]:
        """Return the tensors that values come from."""
        return [self.makers[number] for number in np.unique(codes >> BITS)]

    def places(self, codes: np.ndarray) -> np.ndarray:
        """Return the places of values in the tensor that made them."""
        return codes & ((1 << BITS) - 1)

    def moves(self, node: "NodeProto") -> bool:
        """Whether a node computes nothing."""
        if node.op_type == "Cast":
            kinds = [self.graph.types.get(name) for name in (node.input[0], node.output[0])]
            return all(kind is not None and kind.tensor_type.elem_type in _FLOATS for kind in kinds)
        if node.op_type == "Dropout" and len(node.input) > 2 and node.input[2]:
            training = self.graph.constant(node.input[2])
            return training is not None and not training.any()
        return node.op_type in MOVING or self._neutral(node) is not None

    def _visit(self, node: "NodeProto") -> None:
        self.order += [name for name in node.output if name]
        moved = self._moved(node) if self.moves(node) else None
        for index, name in enumerate(node.output):
            if name and moved is not None and index < len(moved):
                self._known[name] = moved[index]
            elif name:
                self._known[name] = self.own(name, self.graph.shapes.get(name))
        if node.op_type in ("LSTM", "GRU", "RNN"):
            self._states(node)

    def _neutral(self, node: "NodeProto") -> str | None:
        """Return the data of an operation that adds 0 or multiplies by 1, else None."""
        if node.op_type not in _NEUTRAL:
            return None
        for at, name in enumerate(node.input):
            value = self.graph.constant(node.input[1 - at])
            if value is not None and (at == 0 or node.op_type in ("Add", "Mul")):
                kept = self.graph.shapes.get(name) == self.graph.shapes.get(node.output[0])
                if kept and (value == _NEUTRAL[node.op_type]).all():
                    return name
        return None

    def _moved(self, node: "NodeProto") -> list[np.ndarray] | None:
        """Return the origins of the outputs of a node that computes nothing, where known."""
        data = {"Concat": range(len(node.input)), "Where": (1, 2)}.get(node.op_type, (0,))
        if node.op_type in _SEEN_THROUGH or (kept := self._neutral(node)) is not None:
            found = self.of(node.input[0] if node.op_type in _SEEN_THROUGH else kept or "")
            return None if found is None else [found]
        shapes = [self.graph.shapes.get(name) for name in node.output if name]
        if any(shape is None or prod(shape) > _LARGEST for shape in shapes):
            return None
        values: list[np.ndarray | None] = []
        for index, name in enumerate(node.input):
            known = self.of(name) if index in data else self.graph.constant(name)
            if name and known is None:
                return None
            values.append(known)
        try:
            return evaluate(node, values, self.graph.opset)
        except Exception:  # the host may run it; nothing is followed through it
            return None

    def _states(self, node: "NodeProto") -> None:
        """The last state of one layer is the last step of its output."""
        every = self.steps(node)
        if every is not None and len(node.output) > 1 and node.output[1]:
            shape = self.graph.shapes.get(node.output[1])
            if shape is not None and prod(shape) == every.shape[1]:
                self._known[node.output[1]] = every[-1].reshape(shape)

    def steps(self, node: "NodeProto") -> np.ndarray | None:
        """Return the origins (T, H) of all steps of a forward layer at batch 1, or None."""
        entering = self.graph.shapes.get(node.input[0])
        told = {a.name: a for a in node.attribute}
        recurrent = self.graph.constant(node.input[2])
        if entering is None or recurrent is None or len(entering) != 3:
            return None
        if recurrent.ndim != 3 or len(recurrent) != 1:
            return None
        layout = told["layout"].i if "layout" in told else 0
        if entering[1 - layout] != 1 or ("direction" in told and told["direction"].s != b"forward"):
            return None
        steps, hidden = entering[layout], recurrent.shape[-1]
        name = node.output[0] or f"{node.name}:Y"
        return self.own(name, (steps, hidden))


def _moved_to(codes: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    at = np.searchsorted(before, codes).clip(max=len(before) - 1)
    return np.where(before[at] == codes, after[at], codes)
