"""Import a torch module: its program by torch.export, checked against the module itself."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils._pytree import tree_flatten, tree_leaves, tree_map, tree_unflatten

from ernn.errors import ModelFileError
from ernn.importers.assemble import assemble
from ernn.importers.layers import Dropped, Item
from ernn.importers.network import TOLERANCE, ImportedNetwork, Runtime, checked
from ernn.importers.torch_graph import Graph, exported, ready
from ernn.importers.torch_program import read_program, runner
from ernn.importers.torch_walk import Walked, walk

Call = Callable[[list[torch.Tensor]], list[torch.Tensor]]  # a program, on the CPU

_STEPS = 32  # of a sequence, where one is put together from pieces of the example's length


def from_torch(
    module: torch.nn.Module | str | Path,
    example: Any = None,
    *,
    data: Sequence[np.ndarray] = (),
    tolerance: float = TOLERANCE,
) -> ImportedNetwork:
    """Import a torch module, which is left as it is, or the file of an exported program.

    Args:
        module: of LSTM, GRU or RNN layers or cells, with what `docs/import.md` lists around them;
            or a .pt2 file, which has its own example.
        example: one sequence, as the module takes it: (T, F), (1, T, F) or (T, 1, F), tensor or
            array; a tuple if states are inputs too. Only its size counts.
        data: frames (T, F) of some sequences, to compare on beside random ones.
        tolerance: largest difference to the module, against the largest output or 1.

    Raises:
        ModelFileError: the module, or an operation of it, is none that ernn can build.
        MismatchError: ernn's model computes something else.
    """
    if isinstance(module, str | Path):
        return _program(Path(module), data=data, tolerance=tolerance)
    if not isinstance(module, torch.nn.Module):
        raise ModelFileError(
            f"{type(module).__name__} is no torch.nn.Module", remedy="give a module"
        )
    made = ready(module)
    inputs = _inputs(made, example)
    tensors, form = tree_flatten(inputs)
    graph = exported(made, inputs)
    walked = walk(graph)
    dropped: list[Item] = [
        Dropped(name or "Identity", "it does nothing")
        for name, part in made.named_modules()
        if isinstance(part, torch.nn.Identity)
    ]
    name = f"torch module {type(module).__name__}"

    def call(given: list[torch.Tensor]) -> list[torch.Tensor]:
        with torch.no_grad():
            return tree_leaves(made(*tree_unflatten(given, form)))

    dtype = tensors[0].dtype
    return compared(name, graph, walked, dropped, call, dtype, data=data, tolerance=tolerance)


def _program(path: Path, **options: Any) -> ImportedNetwork:
    graph, dtype = read_program(path)
    walked = walk(graph)
    states = [source for source in walked.fed.values() if source is not None]
    call = runner(graph, [0, *states], dtype)
    return compared(f"torch program {path.name}", graph, walked, [], call, dtype, **options)


def compared(
    name: str,
    graph: Graph,
    walked: Walked,
    dropped: list[Item],
    call: Call,
    dtype: torch.dtype,
    **options: Any,
) -> ImportedNetwork:
    """Assemble what was found in a program, and run the program beside it.

    Args:
        name: of the source, in words.
        graph: the program.
        walked: what was found in it.
        dropped: what the program does not show.
        call: runs the program.
        dtype: of its inputs.
        options: of `checked`.
    """
    made = assemble([*dropped, *walked.items], walked.features)
    fed = any(output is not None for output in walked.fed.values())
    if walked.steps == 1 and not fed:
        raise ModelFileError(
            "the example has one step, so that what a layer remembers cannot be compared",
            allowed="two steps or more, or states that are inputs and outputs",
            remedy="give a longer example",
        )
    pieces = max(1, _STEPS // walked.steps) if fed else 1
    if walked.fed:
        note = f"{', '.join(walked.fed)}: states, zero at the start of a sequence"
        made = replace(made, notes=(*made.notes, note))
    run = _runtime(graph, walked, call, dtype)
    return checked(name, made, run, steps=pieces * walked.steps, **options)


def _runtime(graph: Graph, walked: Walked, call: Callable[..., Any], dtype: torch.dtype) -> Runtime:
    def piece(frames: np.ndarray, states: list[torch.Tensor]) -> tuple[np.ndarray, list]:
        ordered = frames.T if walked.turned else frames
        x = torch.from_numpy(np.ascontiguousarray(ordered)).to(dtype).reshape(graph.shapes[0])
        outputs = call([x, *states])
        if walked.last:
            y = outputs[0].reshape(1, -1)
        elif walked.turned_output:
            y = outputs[0].reshape(-1, walked.steps).T
        else:
            y = outputs[0].reshape(walked.steps, -1)
        after = [
            state if source is None else outputs[source].reshape(state.shape)
            for state, source in zip(states, walked.fed.values(), strict=True)
        ]
        return y.numpy(), after

    def run(frames: np.ndarray) -> np.ndarray:
        states = [torch.zeros(shape, dtype=dtype) for shape in graph.shapes[1:]]
        told = []
        for first in range(0, len(frames), walked.steps):
            y, states = piece(frames[first : first + walked.steps], states)
            told.append(y)
        return told[-1] if walked.last else np.concatenate(told)

    return run


def _inputs(module: torch.nn.Module, example: Any) -> tuple[Any, ...]:
    """Return the example as tensors of the module's own floating type."""
    dtype = next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)

    def tensor(one: Any) -> torch.Tensor:
        return torch.as_tensor(one).detach().cpu().to(dtype)

    try:
        inputs = tree_map(tensor, example if isinstance(example, tuple) else (example,))
        leaves = tree_leaves(inputs)
    except (TypeError, ValueError, RuntimeError):
        inputs, leaves = (), []
    if not leaves or leaves[0].dim() not in (2, 3) or not all(one.numel() for one in leaves):
        raise ModelFileError(
            "the example is no sequence",
            given=str(tuple(leaves[0].shape)) if leaves else type(example).__name__,
            allowed="(T, F), (1, T, F) with batch_first=True, or (T, 1, F); states behind it",
            remedy="give torch.zeros(1, T, F) of your sizes",
        )
    return inputs
