"""Operations of torch that move values and leave them as they are: axes, steps, one tensor of many.

Every function takes what is `Known`, the node, and its arguments by name with the values of
tensors put in and "sizes", the shape of the first, and returns the value of the node.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ernn.importers.layers import Joined
from ernn.importers.torch.graph import Node
from ernn.importers.torch.values import (
    APART,
    APART_REMEDY,
    FEATURES,
    TIME,
    Axes,
    Frames,
    Initial,
    Known,
    States,
    refuse,
)

Operation = Callable[[Known, Node, dict[str, Any]], Any]


def _same(known: Known, node: Node, args: dict[str, Any]) -> Any:
    if tuple(args["sizes"]) != node.shapes[0]:
        raise refuse(node, f"it makes {node.shapes[0]} of {args['sizes']}", "the same size")
    return args["self"]


def _moved(known: Known, node: Node, value: Frames | Initial, axes: Axes) -> Frames | Initial:
    return value if isinstance(value, Initial) else replace(value, axes=axes)


def _axes(node: Node, value: Any) -> list[Any]:
    if isinstance(value, Initial):
        return [None] * 8  # of a state that is an input only its whole is followed
    if not isinstance(value, Frames):
        raise refuse(node, "it takes the states of several layers together")
    return list(value.axes)


def _permute(known: Known, node: Node, args: dict[str, Any]) -> Any:
    axes = _axes(node, args["self"])
    return _moved(known, node, args["self"], tuple(axes[dim] for dim in args["dims"]))


def _transpose(known: Known, node: Node, args: dict[str, Any]) -> Any:
    axes = _axes(node, args["self"])
    a, b = (args.get(f"dim{n}", args.get(f"axis{n}", n)) for n in (0, 1))  # t() has none
    axes[a], axes[b] = axes[b], axes[a]
    return _moved(known, node, args["self"], tuple(axes))


def _unsqueeze(known: Known, node: Node, args: dict[str, Any]) -> Any:
    axes = _axes(node, args["self"])
    axes.insert(args["dim"] % (len(axes) + 1), None)
    return _moved(known, node, args["self"], tuple(axes))


def _reshaped(known: Known, node: Node, args: dict[str, Any]) -> Any:
    """Follow a view: axes that are longer than 1 must stay as they are.

    Raises:
        ModelFileError: they do not.
    """
    value, before, after = args["self"], args["sizes"], node.shapes[0]
    if isinstance(value, Initial):
        return value
    old = [(size, axis) for size, axis in zip(before, _axes(node, value), strict=True) if size > 1]
    if [size for size, _ in old] != [size for size in after if size > 1]:
        raise refuse(
            node,
            given=f"it makes {tuple(after)} of {tuple(before)}",
            allowed="a view that leaves steps and features as they are",
        )
    rest = iter(old)
    axes = tuple(next(rest)[1] if size > 1 else None for size in after)
    return replace(value, axes=axes)


def _select(known: Known, node: Node, args: dict[str, Any]) -> Any:
    value, dim, index = args["self"], args["dim"], args["index"]
    if isinstance(value, States) and dim == 0:
        return Frames(value.chains[index], value.axes[1:], value.step, value.role)
    axes = _axes(node, value)
    if isinstance(value, Initial):
        return value
    axis = axes.pop(dim)
    return _step(known, node, value, axis, index, tuple(axes))


def _step(known: Known, node: Node, value: Frames, axis: Any, index: int, axes: Axes) -> Frames:
    """Return one step of frames, if the axis that something is picked from is time."""
    if axis is None or (known.roles.get(axis) != FEATURES and known.shape[axis] == 1):
        return replace(value, axes=axes)
    if known.roles.get(axis, TIME) != TIME:
        raise refuse(node, f"it picks one of the {known.roles[axis]}")
    place = len(axes)
    known.claim(node, (*axes, axis), place, TIME)
    return replace(value, axes=axes, step=index % known.shape[axis])


def _slice(known: Known, node: Node, args: dict[str, Any]) -> Any:
    value, dim = args["self"], args["dim"]
    if isinstance(value, Initial):
        return value
    axes = _axes(node, value)
    axis, size = axes[dim], args["sizes"][dim]
    picked = range(size)[slice(args["start"], args["end"], args["step"])]
    if len(picked) == size and args["step"] == 1:
        return value
    if len(picked) != 1 and axis is not None and known.roles.get(axis) == FEATURES:
        given = f"it takes {len(picked)} of {size} features, {APART}"
        raise refuse(node, given, "all of them", APART_REMEDY)
    if len(picked) != 1:
        raise refuse(node, f"it takes {len(picked)} of {size}", "all of them, or the last step")
    axes[dim] = None
    return _step(known, node, value, axis, picked[0], tuple(axes))


def _narrow(known: Known, node: Node, args: dict[str, Any]) -> Any:
    start = args["start"]
    return _slice(known, node, {**args, "end": start + args["length"], "step": 1})


def _unbind(known: Known, node: Node, args: dict[str, Any]) -> Any:
    return [_select(known, node, {**args, "index": i}) for i in range(len(node.shapes))]


def _split(known: Known, node: Node, args: dict[str, Any]) -> Any:
    dim = args["dim"]
    widths = [shape[dim] for shape in node.shapes]
    starts = [sum(widths[:i]) for i in range(len(widths))]
    return [
        _narrow(known, node, {**args, "start": start, "length": width})
        for start, width in zip(starts, widths, strict=True)
    ]


def _index(known: Known, node: Node, args: dict[str, Any]) -> Any:
    raise refuse(node, "it picks values by a tensor of places", "y[:, -1], or every step")


def _stack(known: Known, node: Node, args: dict[str, Any]) -> Any:
    if all(isinstance(one, Initial) for one in args["tensors"]):
        return args["tensors"][0]
    value = _every_step(known, node, args["tensors"])
    axes = list(value.axes)
    axes.insert(args["dim"] % (len(axes) + 1), known.axis(TIME))
    return replace(value, axes=tuple(axes))


def _cat(known: Known, node: Node, args: dict[str, Any]) -> Any:
    dim, parts = args["dim"], args["tensors"]
    if isinstance(parts[0], Frames) and parts[0].axes[dim] is not None:
        return _side_by_side(known, node, parts, dim)
    value = _every_step(known, node, parts)
    axes = list(value.axes)
    axes[dim] = known.axis(TIME)
    return replace(value, axes=tuple(axes))


def _side_by_side(known: Known, node: Node, parts: list[Any], dim: int) -> Frames:
    """Return the features of several outputs as one vector."""
    for part in parts:
        if not isinstance(part, Frames):
            raise refuse(node, "it puts features beside something else", "outputs of layers")
        known.claim(node, part.axes, dim, FEATURES)
    made = known.together(same_steps(node, parts, dim), Joined(node.where or "a cat", ()))
    axes = list(made.axes)
    axes[dim] = FEATURES
    return replace(made, axes=tuple(axes))


def same_steps(node: Node, parts: list[Frames], dim: int = -1) -> list[Frames]:
    """Return outputs that are put together, if all are of the same steps.

    Args:
        node: that does it.
        parts: the outputs.
        dim: the axis of their features.
    """

    def rest(part: Frames) -> tuple[Any, ...]:
        axes = list(part.axes)
        del axes[dim]
        return (*axes, part.step, part.role)

    if len({rest(part) for part in parts}) > 1 or parts[0].role != "h":
        given = "it puts outputs of different steps, or with their axes in another order, together"
        raise refuse(node, given, "outputs of layers at the same steps")
    return parts


def _every_step(known: Known, node: Node, parts: list[Any]) -> Frames:
    """Return frames that were put together again from all their steps."""
    first = parts[0]
    alike = all(
        isinstance(part, Frames)
        and (part.chain, part.axes, part.role) == (first.chain, first.axes, first.role)
        for part in parts
    )
    if not alike:
        raise refuse(
            node,
            "it joins values of different layers, or of cells whose weights differ by step",
            "the steps of one sequence, of the same layers",
        )
    steps = [part.step for part in parts]
    if steps != ([None] if known.last is None else list(range(known.last + 1))):
        raise refuse(node, f"it joins the steps {steps[:8]}", "all steps, in their order")
    return replace(first, step=None)


_UNCHANGED = (
    "contiguous clone alias detach detach_ lift_fresh lift_fresh_copy expand expand_as"
    " to _to_copy type_as positive real"
)
SHAPES: dict[str, Operation] = {
    **dict.fromkeys(_UNCHANGED.split(), _same),
    "permute": _permute,
    **dict.fromkeys(("transpose", "t", "swapaxes", "swapdims", "transpose_"), _transpose),
    **dict.fromkeys(("unsqueeze", "unsqueeze_"), _unsqueeze),
    **dict.fromkeys(
        ("view", "reshape", "_unsafe_view", "flatten", "unflatten", "squeeze", "squeeze_"),
        _reshaped,
    ),
    "select": _select,
    "slice": _slice,
    "narrow": _narrow,
    "unbind": _unbind,
    **dict.fromkeys(("split", "chunk", "split_with_sizes"), _split),
    "index": _index,
    "stack": _stack,
    "cat": _cat,
}
