"""The nodes LSTM, GRU and RNN: every attribute and every input is honoured, or refused by name."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ernn.errors import ModelFileError
from ernn.importers.layers import ONNX, Recurrent, gru, lstm, require_shape, rnn
from ernn.importers.onnx.graph import Graph

if TYPE_CHECKING:
    from onnx import NodeProto

KINDS = ("LSTM", "GRU", "RNN")
_INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
_DEFAULTS = {"LSTM": "Sigmoid Tanh Tanh", "GRU": "Sigmoid Tanh", "RNN": "Tanh"}
_BUILT = {  # activations that ernn has
    "LSTM": ("sigmoid tanh tanh", "sigmoid sigmoid tanh"),
    "GRU": ("sigmoid tanh",),
    "RNN": ("tanh", "relu"),
}
_KNOWN = {
    "hidden_size",
    "direction",
    "activations",
    "activation_alpha",
    "activation_beta",
    "clip",
    "input_forget",
    "layout",
    "linear_before_reset",
}
_TO_REVERSE = {
    "reverse": "ernn reads a sequence forwards; reverse it on the host and export a forward layer",
    "bidirectional": "train a forward layer; a layer that looks ahead cannot answer frame by frame",
}
_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


@dataclass(frozen=True)
class RecurrentNode:
    """A node by the names of its inputs and attributes."""

    node: "NodeProto"
    graph: Graph

    @property
    def name(self) -> str:
        return self.node.name or next(filter(None, self.node.output))

    def input(self, name: str) -> str:
        """Return the tensor at an input, "" where it is left out."""
        index = _INPUTS.index(name)
        return self.node.input[index] if index < len(self.node.input) else ""

    def attribute(self, name: str):
        """Return an attribute, or None."""
        from onnx import helper

        found = [a for a in self.node.attribute if a.name == name]
        return helper.get_attribute_value(found[0]) if found else None

    def weights(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Return constant weights of this shape, without the axis of the directions; or zeros."""
        tensor = self.input(name)
        if not tensor:
            return np.zeros(shape[1:])
        value = self.graph.constant(tensor)
        if value is None:
            raise self.refused(
                f"{name} is computed from the data", f"give its value by inputs={{{tensor!r}: ...}}"
            )
        require_shape(f"{name} of {self.name}", value, shape)
        return value[0]

    def refused(self, what: str, remedy: str = "", allowed: str = "") -> ModelFileError:
        """Return the error that names this node and what ernn does not build of it."""
        told = f"{self.node.op_type} {self.name}: {what}"
        return ModelFileError(told, allowed=allowed, remedy=remedy)


def recurrent_item(node: "NodeProto", graph: Graph) -> Recurrent:
    """Return the layer of an LSTM, GRU or RNN node.

    Raises:
        ModelFileError: an attribute or input asks for what ernn does not build; it is named.
    """
    told = RecurrentNode(node, graph)
    _require_attributes(told)
    functions = _activations(told)
    kind = node.op_type
    recurrent = graph.constant(told.input("R"))
    if recurrent is None or recurrent.ndim != 3:
        raise told.refused(
            "its weights R are no constant", f"give them by inputs={{{told.input('R')!r}: ...}}"
        )
    hidden, gates = recurrent.shape[2], _GATES[kind]
    if told.attribute("hidden_size") not in (None, hidden):
        raise told.refused(
            f"hidden_size = {told.attribute('hidden_size')}", allowed=f"{hidden}, of R"
        )
    features = graph.shapes.get(told.input("X"), (0,))[-1]
    w = told.weights("W", (1, gates * hidden, features))
    r = told.weights("R", (1, gates * hidden, hidden))
    both = told.weights("B", (1, 2 * gates * hidden))
    bias, inner = both[: gates * hidden], both[gates * hidden :]
    _require_lengths(told)
    if kind == "GRU":
        after = bool(told.attribute("linear_before_reset"))
        return gru(told.name, w, r, bias, inner, ONNX["gru"], reset_after=after)
    total = bias.astype(np.float64) + inner.astype(np.float64)
    if kind == "RNN":
        return rnn(told.name, w, r, total, functions[0])
    peepholes = told.weights("P", (1, 3 * hidden)).reshape(3, hidden)[[0, 2, 1]]
    return lstm(
        told.name,
        w,
        r,
        total,
        ONNX["lstm"],
        peepholes=peepholes if peepholes.any() else None,
        activation=functions[1],
    )


def initial_states(node: "NodeProto", graph: Graph) -> list[str]:
    """Return the tensors at initial_h and, of an LSTM, initial_c; "" for a start from zero.

    Raises:
        ModelFileError: a state starts from constants that are not zero.
    """
    told = RecurrentNode(node, graph)
    found = []
    for name in ("initial_h", "initial_c") if node.op_type == "LSTM" else ("initial_h",):
        value = graph.constant(told.input(name)) if told.input(name) else np.zeros(1)
        if value is not None and value.any():
            raise told.refused(
                f"{name} is a constant that is not zero",
                "ernn starts a sequence from zero; export the network with a zero state",
            )
        found.append("" if value is not None else told.input(name))
    return found


def _require_attributes(told: RecurrentNode) -> None:
    unknown = {a.name for a in told.node.attribute} - _KNOWN
    if unknown:
        raise told.refused(f"the attribute {min(unknown)} is not known")
    direction = (told.attribute("direction") or b"forward").decode()
    if direction != "forward":
        raise told.refused(f"direction = {direction}", _TO_REVERSE.get(direction, ""), "forward")
    if told.attribute("clip") is not None:
        raise told.refused(f"clip = {told.attribute('clip'):g}", "train it without", "none")
    if told.attribute("input_forget"):
        raise told.refused("input_forget = 1 couples two gates", "train it without", "0")


def _activations(told: RecurrentNode) -> list[str]:
    kind = told.node.op_type
    given = told.attribute("activations")
    names = " ".join(one.decode() for one in given) if given else _DEFAULTS[kind]
    for name in ("activation_alpha", "activation_beta"):
        if told.attribute(name):
            raise told.refused(f"{name} = {told.attribute(name)}", allowed="none")
    if names.lower() not in _BUILT[kind]:
        allowed = " or ".join(f"[{one.title().replace(' ', ', ')}]" for one in _BUILT[kind])
        raise told.refused(f"activations = [{names.replace(' ', ', ')}]", allowed=allowed)
    return names.lower().split()


def _require_lengths(told: RecurrentNode) -> None:
    """Lengths are honoured where they say nothing: every sequence is whole."""
    name = told.input("sequence_lens")
    if not name:
        return
    layout = told.attribute("layout") or 0
    steps = told.graph.shapes[told.input("X")][layout]
    lengths = told.graph.constant(name)
    if lengths is None or (lengths != steps).any():
        raise told.refused(
            f"sequence_lens is {'computed' if lengths is None else lengths.tolist()}",
            "give each sequence alone, at its length",
            f"{steps}, all steps",
        )
