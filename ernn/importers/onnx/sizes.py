"""The sizes at which a graph is looked at: one sequence, several steps, the rest as small as works.

A file says which dimensions are free, not what they mean. It shows at the recurrent nodes: a
dimension that makes more steps there is a length; one that makes more sequences is the batch.
"""

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from ernn.errors import ModelFileError
from ernn.importers.onnx.graph import Graph, dimension, free, rank
from ernn.importers.onnx.recurrent import KINDS

if TYPE_CHECKING:
    from onnx import ModelProto

_LARGEST_VALUE = 2**24  # elements of a graph input that is filled with one number
_LENGTHS = (24, 1024, 2**15)  # tried for a length; the first that makes several steps
_LADDER = tuple(2**power for power in range(1, 16))  # tried where size 1 is too small


def sized_graph(model: "ModelProto", given: Mapping[str, object]) -> tuple[Graph, set[str]]:
    """Return the graph of one sequence, and the free dimensions of its length.

    Args:
        model: from `read_onnx`.
        given: values of graph inputs, and sizes of free dimensions.

    Raises:
        ModelFileError: one of them is not in the graph, or an `If` stays open.
    """
    free_ones = sorted(
        {dimension(one, a) for one in model.graph.input for a in range(rank(one)) if free(one, a)}
    )
    infos = {one.name: one for one in model.graph.input}
    if unknown := [name for name in given if name not in infos and name not in free_ones]:
        raise ModelFileError(
            f"inputs: {unknown[0]!r} is no input and no free dimension of the graph",
            allowed=", ".join([*infos, *free_ones]),
        )
    fixed = {name: _value(infos[name], value) for name, value in given.items() if name in infos}
    sizes = {name: int(given[name]) for name in given if name in free_ones}  # type: ignore[call-overload]
    left = [name for name in free_ones if name not in sizes]
    sizes |= _large_enough(model, fixed, sizes, left)
    graph = Graph(model, fixed, sizes)
    single = _single(model, fixed, sizes, graph)
    sizes |= single
    graph = Graph(model, fixed, sizes) if single else graph
    before, lengths = _steps(graph), {}
    for name in left:
        for length in _LENGTHS if name not in sizes else ():
            longer = _tried(model, fixed, {**sizes, name: length})
            if longer is not None and _steps(longer) > max(before, 1):
                lengths[name] = length
                break
    if lengths:
        graph = Graph(model, fixed, {**sizes, **lengths})
    return graph, set(lengths)


def _value(info, value: object) -> np.ndarray:
    """Return the value of a graph input as its type; a number fills its shape."""
    from onnx import helper

    kind = helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type)
    array = np.asarray(value, kind)
    if array.ndim == 0 and rank(info) > 0:
        shape = [one.dim_value or 1 for one in info.type.tensor_type.shape.dim]
        if not 0 < prod(shape) <= _LARGEST_VALUE:
            raise ModelFileError(f"the input {info.name!r} has the shape {shape}")
        array = np.full(shape, array)
    return array


def _tried(model, fixed, sizes) -> Graph | None:
    try:
        return Graph(model, fixed, sizes)
    except ModelFileError:
        return None


def _large_enough(model, fixed, sizes, left) -> dict[str, int]:
    """Return sizes of free dimensions for which the shapes of the graph are known."""
    found: dict[str, int] = {}
    open_ones = _open(_tried(model, fixed, sizes))
    for name in left:
        if open_ones == 0:
            break
        for size in _LADDER:
            now = _open(_tried(model, fixed, {**sizes, **found, name: size}))
            if now < open_ones:
                found[name], open_ones = size, now
                break
    return found


def _open(graph: Graph | None) -> float:
    """Return how many tensors have no known shape."""
    if graph is None:
        return float("inf")
    return sum(name not in graph.shapes for node in graph.live for name in node.output if name)


def _single(model, fixed, sizes, graph: Graph) -> dict[str, int]:
    """Return the dimensions of a fixed batch of several sequences, each set to 1."""
    before = _entering(graph)
    batch = max((batch for _, batch in before), default=1)
    if batch == 1:
        return {}
    found = {}
    for one in graph.inputs:
        for axis in range(rank(one) - 1):
            name = dimension(one, axis)
            if one.type.tensor_type.shape.dim[axis].dim_value != batch:
                continue
            alone = _tried(model, fixed, {**sizes, name: 1})
            after = _entering(alone) if alone is not None else []
            if [steps for steps, _ in after] == [steps for steps, _ in before]:
                found[name] = 1
    alone = _tried(model, fixed, {**sizes, **found})
    if alone is None or any(batch > 1 for _, batch in _entering(alone)):
        raise ModelFileError(
            f"the network was exported for {batch} sequences at a time, and its shapes hold that",
            allowed="1, or a free dimension",
            remedy="export it with an example of one sequence",
        )
    return found


def _steps(graph: Graph) -> int:
    return max((steps for steps, _ in _entering(graph)), default=0)


def _entering(graph: Graph) -> list[tuple[int, int]]:
    """Return steps and sequences of what enters each recurrent node."""
    found = []
    for node in graph.live:
        shape = graph.shapes.get(node.input[0]) if node.op_type in KINDS else None
        if shape is not None and len(shape) == 3:
            first = any(a.name == "layout" and a.i for a in node.attribute)
            found.append((shape[1], shape[0]) if first else (shape[0], shape[1]))
    return found
