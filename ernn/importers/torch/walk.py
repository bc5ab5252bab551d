"""Follow a torch program from its input to its output: which chain of layers is it?"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ernn.errors import ModelFileError
from ernn.importers.layers import Dropped, Item, LastStep
from ernn.importers.torch.graph import Graph, Node, Ref, operation
from ernn.importers.torch.layers import COMPUTED, key_of
from ernn.importers.torch.shapes import SHAPES
from ernn.importers.torch.values import (
    APART,
    APART_REMEDY,
    FEATURES,
    TIME,
    Chain,
    Constant,
    Frames,
    Initial,
    Known,
    Refused,
    States,
    refuse,
)

MOST_VALUES = 2**28  # of a constant that is computed; far above any network that ernn builds

# What may be computed of constants; nothing here reads files or runs what is given to it.
_FOLDED = set(
    "zeros ones full zeros_like ones_like new_zeros new_ones new_full scalar_tensor t transpose"
    " permute view reshape _unsafe_view flatten expand unsqueeze squeeze mul add sub div neg exp"
    " sqrt rsqrt pow sum mean norm linalg_vector_norm _weight_norm cat stack clone alias detach"
    " detach_ to _to_copy contiguous select slice mm matmul softplus sigmoid tanh abs lift_fresh"
    " lift_fresh_copy reciprocal split chunk unbind repeat".split()
)
OPERATIONS = {*_FOLDED, *SHAPES, *COMPUTED}
_OF_SHAPE = ("zeros_like", "ones_like", "new_zeros", "new_ones")  # the values are not used
_ALLOWED = "LSTM, GRU, RNN, Linear, ReLU, Sigmoid, Tanh, BatchNorm1d"
_REASONS = {
    "layer_norm": "its mean and spread are those of every frame, so it does not fold",
    "native_layer_norm": "its mean and spread are those of every frame, so it does not fold",
    "group_norm": "its mean and spread are those of every frame, so it does not fold",
    "_pack_padded_sequence": "packed sequences; give sequences without packing",
    "_pad_packed_sequence": "packed sequences; give sequences without packing",
    "flip": "it turns the sequence round",
    "copy_": "it is written to in another way than each step once, as out[:, t]",
    "softmax": "let the network end before it, and take softmax on the host",
    "log_softmax": "let the network end before it, and take softmax on the host",
}


@dataclass(frozen=True)
class Walked:
    """What was found."""

    items: list[Item]
    features: int
    steps: int  # of the example
    last: bool
    turned: bool  # features are before the steps in the input
    turned_output: bool
    fed: dict[str, int | None]  # inputs that are states, and the outputs that they come from


def walk(graph: Graph) -> Walked:
    """Return the chain of a graph.

    Raises:
        ModelFileError: an operation that the output depends on is none that ernn can build.
    """
    shape = graph.shapes[0]
    known = Known(shape)
    frames = Frames(Chain(), tuple(range(len(shape))))
    values: dict[str, Any] = {graph.inputs[0]: frames}
    values |= {name: Initial(name) for name in graph.inputs[1:]}
    values |= {name: Constant(tensor, name) for name, tensor in graph.constants.items()}
    shapes = dict(zip(graph.inputs, graph.shapes, strict=True))
    for node in graph.nodes:
        shapes[node.name] = node.shapes[0]
        try:
            values[node.name] = _follow(known, node, values, shapes)
        except ModelFileError as error:
            values[node.name] = Refused(error)
        except (
            ArithmeticError,
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
        ) as error:
            given = f"it is used in a way that ernn does not follow ({error})"
            values[node.name] = Refused(refuse(node, given))
    return _end(graph, known, [_value(one, values) for one in graph.outputs])


def _follow(known: Known, node: Node, values: dict[str, Any], shapes: dict[str, Any]) -> Any:
    """Return the value of a node."""
    args = {name: _value(given, values) for name, given in node.args.items()}
    tensors = list(_tensors(list(args.values())))
    for one in tensors:
        if isinstance(one, Refused):
            return one
    if node.op in _REASONS:
        raise refuse(node, _REASONS[node.op], _ALLOWED)
    if node.op == "getitem":
        made = args["self"]
        return made[args["index"]] if isinstance(made, list) else made
    if node.op in _OF_SHAPE or all(isinstance(one, Constant) for one in tensors):
        return _folded(node, args)
    first = next(iter(node.args.values()))
    first = first[0] if isinstance(first, list) and first else first
    args["sizes"] = shapes.get(first.name, ()) if isinstance(first, Ref) else ()
    for operations in (SHAPES, COMPUTED):
        if node.op in operations:
            made = operations[node.op](known, node, args)
            if node.op.endswith("_") and isinstance(first, Ref):
                values[first.name] = made  # done in place
            return made
    raise refuse(node, "ernn has no layer for it", _ALLOWED)


def _folded(node: Node, args: dict[str, Any]) -> Any:
    """Return what an operation makes of constants."""
    if node.op in COMPUTED and node.op not in _FOLDED:
        raise refuse(node, f"it computes on a state alone, {APART}", remedy=APART_REMEDY)
    if node.op not in _FOLDED:
        raise refuse(node, "it computes a constant in a way that ernn does not follow")
    if node.op in _OF_SHAPE:
        _require_small(node, node.shapes)
        make = torch.zeros if "zeros" in node.op else torch.ones
        return Constant(make(node.shapes[0]), (node.op, node.shapes[0]))
    key = (node.op, *((name, key_of(value)) for name, value in args.items()))
    try:
        with torch.no_grad():
            ghost = _call(node, args, torch.device("meta"))  # its sizes, before memory is taken
            _require_small(node, [one.shape for one in _parts(ghost)])
            made = _call(node, args, torch.device("cpu"))
    except (RuntimeError, NotImplementedError) as error:
        raise refuse(node, str(error).splitlines()[0]) from None
    if isinstance(made, torch.Tensor):
        return Constant(made, key)
    return [Constant(one, (*key, index)) for index, one in enumerate(made)]


def _call(node: Node, args: dict[str, Any], device: torch.device) -> Any:
    given = {name: _plain(value, device) for name, value in args.items()}
    if "device" in given:
        given["device"] = device
    return operation(node.op, node.overload)(**given)


def _parts(made: Any) -> list[torch.Tensor]:
    return [made] if isinstance(made, torch.Tensor) else list(made)


def _require_small(node: Node, shapes: Iterable[Sequence[int]]) -> None:
    for shape in shapes:
        if math.prod(shape) > MOST_VALUES:
            raise refuse(node, f"a constant of {tuple(shape)}", f"{MOST_VALUES:,} values")


def _value(given: Any, values: dict[str, Any]) -> Any:
    if isinstance(given, Ref):
        return values.get(given.name)  # None: a part of a program in a program
    if isinstance(given, list):
        return [_value(one, values) for one in given]
    return given


def _plain(value: Any, device: torch.device) -> Any:
    if isinstance(value, Constant):
        return value.tensor.to(device)
    return [_plain(one, device) for one in value] if isinstance(value, list) else value


def _tensors(values: list[Any]):
    for value in values:
        if isinstance(value, list):
            yield from _tensors(value)
        elif isinstance(value, Frames | States | Initial | Constant | Refused):
            yield value


def _end(graph: Graph, known: Known, outputs: list[Any]) -> Walked:
    result = outputs[0]
    if isinstance(result, Refused):
        raise result.error
    if not isinstance(result, Frames) or result.role != "h":
        raise ModelFileError(
            "the first output does not come from the frames by one chain of layers",
            allowed="outputs of a layer, for every step or the last",
            remedy="return the output of the last layer first",
        )
    if result.step not in (None, known.last):
        raise ModelFileError(
            f"the output is the step {result.step} of {known.steps}",
            allowed="every step, or the last",
            remedy="pick y[:, -1]",
        )
    items, last = result.chain.items(), result.step is not None
    time, features = known.axis(TIME), known.axis(FEATURES)
    if last:
        items.append(LastStep("the last step"))
    fed = {name: _source(known.fed.get(name), outputs) for name in graph.inputs[1:]}
    for index, one in enumerate(outputs[1:], 2):
        other = isinstance(one, Frames) and one.role == "h" and one.chain != result.chain
        if (other or isinstance(one, Refused)) and index - 1 not in fed.values():
            items.append(Dropped(f"output {index} of the module", "the first one is taken"))
    return Walked(
        items,
        known.shape[features] if features is not None else 1,
        known.steps or 1,
        last,
        turned=time is not None and features is not None and features < time,
        turned_output=not last and _turned(result, time, features),
        fed=fed,
    )


def _turned(result: Frames, time: Any, features: Any) -> bool:
    places = {axis: place for place, axis in enumerate(result.axes)}
    place = places.get(features, places.get(FEATURES))
    return time in places and place is not None and place < places[time]


def _source(wanted: tuple | None, outputs: list[Any]) -> int | None:
    """Return which output is the state that a layer ends with."""
    for index, one in enumerate(outputs[1:], 1):
        chains = getattr(one, "chains", None) or (getattr(one, "chain", None),)
        if wanted is not None and (chains, getattr(one, "role", None)) == wanted:
            return index
    return None
