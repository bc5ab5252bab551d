"""Import a torch module: its program by torch.export, checked against the module itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils._pytree import tree_flatten, tree_leaves, tree_map, tree_unflatten

from ernn.errors import ModelFileError
from ernn.importers.assemble import assemble
from ernn.importers.layers import Dropped, Item
from ernn.importers.network import TOLERANCE, ImportedNetwork, Runtime, checked
from ernn.importers.torch.graph import Graph, exported, ready
from ernn.importers.torch.program import read_program, runner
from ernn.importers.torch.walk import Walked, walk
from ernn.importers.torch.writes import stacked

_STEPS = 32  # of a sequence, where one is put together from pieces of the example's length


@dataclass(frozen=True)
class Program:
    """A program of torch that can be run."""

    graph: Graph
    call: Callable[[list[torch.Tensor]], list[torch.Tensor]]  # on the CPU
    dtype: torch.dtype  # of its inputs


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
        return _program(Path(module), data, tolerance)
    if not isinstance(module, torch.nn.Module):
        raise ModelFileError(
            f"{type(module).__name__} is no torch.nn.Module", remedy="give a module"
        )
    name = f"torch module {type(module).__name__}"
    return imported(name, module, example, data=data, tolerance=tolerance)


def _program(path: Path, data: Sequence[np.ndarray], tolerance: float) -> ImportedNetwork:
    """Import the file of a program that torch.export saved."""
    if path.suffix != ".pt2":
        raise ModelFileError(
            f"{path} is no exported program",
            allowed=".pt2, as torch.export.save writes it",
            remedy="give a state dict to ernn.from_state_dict",
        )
    graph, dtype = read_program(path)
    walked = walk(graph)
    states = [source for source in walked.fed.values() if source is not None]
    program = Program(graph, runner(graph, [0, *states], dtype), dtype)
    return _compared(f"torch program {path.name}", program, walked, data, tolerance)


def imported(
    name: str,
    module: torch.nn.Module,
    example: Any,
    *,
    data: Sequence[np.ndarray],
    tolerance: float,
    naming: Callable[[str], str] = str,
) -> ImportedNetwork:
    """Import a module as `from_torch` does, under a name in words.

    Args:
        name: of the source.
        module: as in `from_torch`, like all others.
        example: one sequence.
        data: of the user.
        tolerance: of the comparison.
        naming: gives the name to tell for the path of a layer in the module.
    """
    made = ready(module)
    inputs = _inputs(made, example)
    tensors, form = tree_flatten(inputs)
    graph = stacked(exported(made, inputs))
    walked = walk(graph)
    dropped: list[Item] = [
        Dropped(path or "Identity", "it does nothing")
        for path, part in made.named_modules()
        if isinstance(part, torch.nn.Identity)
    ]
    items = [replace(item, name=naming(item.name)) for item in (*walked.items, *dropped)]

    def call(given: list[torch.Tensor]) -> list[torch.Tensor]:
        with torch.no_grad():
            return tree_leaves(made(*tree_unflatten(given, form)))

    program = Program(graph, call, tensors[0].dtype)
    return _compared(name, program, replace(walked, items=items), data, tolerance)


def _compared(
    name: str,
    program: Program,
    walked: Walked,
    data: Sequence[np.ndarray],
    tolerance: float,
) -> ImportedNetwork:
    """Assemble what was found in a program, and run the program beside it."""
    made = assemble(walked.items, walked.features)
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
    steps = pieces * walked.steps
    run = _runtime(program, walked)
    return checked(name, made, run, steps=steps, data=data, tolerance=tolerance)


def _runtime(program: Program, walked: Walked) -> Runtime:
    """Return what runs a program on a sequence, piece after piece, its states fed back."""
    graph, dtype = program.graph, program.dtype

    def piece(frames: np.ndarray, states: list[torch.Tensor]) -> tuple[np.ndarray, list]:
        ordered = frames.T if walked.turned else frames
        x = torch.tensor(ordered, dtype=dtype).reshape(graph.shapes[0])  # may be written to
        outputs = program.call([x, *states])
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
