"""A torch program as data: nodes of aten operations with named arguments, and constants."""

import copy
import io
import logging
import traceback
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence

from ernn.errors import ModelFileError

REMEDY = (
    "import the recurrent submodule alone, or export the network to ONNX, "
    "where ernn leaves on the host what it cannot build"
)


@dataclass(frozen=True)
class Ref:
    """The value of an input, a constant or a node."""

    name: str


@dataclass(frozen=True)
class Node:
    """A call of an operation."""

    name: str
    op: str  # "lstm", of aten, or "getitem"
    overload: str
    args: dict[str, Any]  # by the operation's names, its defaults among them
    where: str  # path of the module, or the node's name where that is the whole
    shapes: tuple[tuple[int, ...], ...]  # of the tensors that it returns


@dataclass(frozen=True)
class Graph:
    """What a program does, in order."""

    inputs: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]  # of the inputs
    constants: dict[str, torch.Tensor]
    nodes: tuple[Node, ...]
    outputs: tuple[Any, ...]  # Ref, or a constant


def refs(values: list[Any]) -> Iterator[Ref]:
    """Yield every reference in arguments."""
    for value in values:
        if isinstance(value, list):
            yield from refs(value)
        elif isinstance(value, Ref):
            yield value


def operation(op: str, overload: str) -> Any:
    """Return an operation of aten.

    Raises:
        ValueError: there is none.
    """
    packet = getattr(torch.ops.aten, op)
    if overload not in packet.overloads():  # a file may name anything
        raise ValueError(f"aten.{op}.{overload} is not known")
    return getattr(packet, overload)


def exported(module: torch.nn.Module, example: tuple[torch.Tensor, ...]) -> Graph:
    """Return the graph of a module in evaluation mode, by torch.export.

    Raises:
        ModelFileError: torch.export cannot follow the module, or the module changes itself.
    """
    try:
        with warnings.catch_warnings(), torch.no_grad(), _quiet():
            warnings.simplefilter("ignore")  # of nn.LSTM's own weights, and of tracing
            program = torch.export.export(module, example, strict=False)
    except Exception as error:  # whatever the user's forward() or torch's tracer raises
        if _packs(error):
            raise ModelFileError(
                f"{type(module).__name__} packs sequences (pack_padded_sequence)",
                allowed="tensors",
                remedy="give a forward() without packing; ernn takes sequences of any length",
            ) from None
        told = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelFileError(
            f"torch.export cannot follow {type(module).__name__}",
            given=told[:200],
            allowed="a forward() of tensors that does not branch on their values",
            remedy="check that module(example) runs, or import its recurrent submodule alone",
        ) from None
    signature = program.graph_signature
    kept = {**program.state_dict, **program.constants}
    held = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    constants = {name: kept[target].detach() for name, target in held.items()}
    placeholders = {n.name: n for n in program.graph.nodes if n.op == "placeholder"}
    inputs = tuple(signature.user_inputs)
    (end,) = (node for node in program.graph.nodes if node.op == "output")
    nodes = tuple(_node(node) for node in program.graph.nodes if node.op == "call_function")
    require_unchanged(signature.buffers_to_mutate.values(), nodes, held)
    shapes = tuple(_shapes(placeholders[name])[0] for name in inputs)
    return Graph(inputs, shapes, constants, nodes, tuple(map(_referred, end.args[0])))


def require_unchanged(changed: Iterable[str], nodes: Iterable[Node], held: dict[str, str]) -> None:
    """Refuse a program that changes what it holds.

    Args:
        changed: names that it says to change.
        nodes: of the program.
        held: the module's names of its constants.

    Raises:
        ModelFileError: it does.
    """
    found = {*changed, *(held[name] for name in map(_written, nodes) if name in held)}
    if found:
        raise ModelFileError(
            f"the module changes {', '.join(sorted(found))} when it runs",
            allowed="states that are inputs and outputs of forward(), or start at zero",
            remedy="take the state as an argument and return it",
        )


def _written(node: Node) -> str:
    """Return the name of what an operation changes in place."""
    first = next(iter(node.args.values()), None)
    writes = node.op.endswith("_") and node.op != "detach_"
    return first.name if writes and isinstance(first, Ref) else ""


def _packs(error: Exception) -> bool:
    """Return whether a packed sequence is held where the error comes from."""
    calls = (frame.f_locals for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(isinstance(one, PackedSequence) for held in calls for one in held.values())


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch from logging what becomes an error."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(before)


def _node(node: Any) -> Node:
    stack = node.meta.get("nn_module_stack") or {}
    path = str(list(stack.values())[-1][0]) if stack else ""
    if getattr(node.target, "__name__", "") == "getitem":
        op, overload = "getitem", ""
        args = {"self": _referred(node.args[0]), "index": node.args[1]}
    elif isinstance(node.target, torch._ops.OpOverload) and node.target.namespace == "aten":
        op, overload = node.target._opname, node.target._overloadname
        args = named(node.target, [_referred(one) for one in node.args], _referred(node.kwargs))
    else:
        op, overload, args = str(node.target), "", {"self": _referred(list(node.args))}
    where = path.removeprefix("L['self'].") or node.name
    return Node(node.name, op, overload, args, where, _shapes(node))


def named(target: Any, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by name, defaults among them."""
    bound = {}
    for place, argument in enumerate(target._schema.arguments):
        if place < len(args):
            bound[argument.name] = args[place]
        elif argument.name in kwargs:
            bound[argument.name] = kwargs[argument.name]
        elif argument.has_default_value():
            bound[argument.name] = argument.default_value
    return bound


def _shapes(node: Any) -> tuple[tuple[int, ...], ...]:
    made = node.meta.get("val")
    tensors = made if isinstance(made, tuple | list) else [made]
    return tuple(tuple(t.shape) if isinstance(t, torch.Tensor) else () for t in tensors)


def _referred(value: Any) -> Any:
    if isinstance(value, torch.fx.Node):
        return Ref(value.name)
    if isinstance(value, list | tuple):
        return [_referred(one) for one in value]
    if isinstance(value, dict):
        return {name: _referred(one) for name, one in value.items()}
    return value


def ready(module: torch.nn.Module) -> torch.nn.Module:
    """Return a copy of a module for evaluation, on the CPU, in float32 or float64.

    Raises:
        ModelFileError: it cannot be copied.
    """
    module = getattr(module, "_orig_mod", module)  # of torch.compile
    try:
        made = copy.deepcopy(module).cpu().eval()
    except Exception as error:
        raise ModelFileError(
            f"{type(module).__name__} cannot be copied",
            given=str(error).splitlines()[0][:200] if str(error) else type(error).__name__,
            remedy="give one that copy.deepcopy() takes; remove_weight_norm() where it has one",
        ) from None
    narrow = any(p.is_floating_point() and p.itemsize < 4 for p in made.parameters())
    return made.float() if narrow else made
