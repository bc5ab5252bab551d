"""How fast layers train: frames/s forward and backward, beside torch's dense layer of that size.

    .venv/bin/python benchmarks/training_speed.py
    .venv/bin/python benchmarks/training_speed.py --device cuda
    .venv/bin/python benchmarks/training_speed.py --cells gru --hidden 128 --forms

One layer, 153 inputs (padded as in a model), 64 steps x batch 32. Layers take turns, and of each
the fastest run counts: in processor time where one thread does the work, so that a busy machine
disturbs little, else in wall time. `--forms` times each block size three times: all products by
the expanded dense matrix, only those of the input in the transformed domain, and all of them.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from unittest.mock import patch

import torch
from torch import Tensor, nn

from ernn.compressed import padded
from ernn.recipe import LayerRecipe, ModelRecipe
from ernn.train import cells
from ernn.train.allocator import keep_memory

INPUTS, STEPS, BATCH = 153, 64, 32
CELLS = ("gru", "gru-after", "lstm")
FORMS = ("dense", "input", "all")


def ours(cell: str, hidden: int, projection: int, block: int) -> tuple[cells.Layer, int]:
    """Return a layer held by its generators, where it has any, and its padded number of inputs."""
    recipe = ModelRecipe(
        cell="lstm" if cell == "lstm" else "gru",
        reset="after" if cell == "gru-after" else "before",
        layers=[LayerRecipe(hidden=hidden, projection=projection, block=block)],
    )
    inputs = padded(INPUTS, recipe.word)
    layer = cells.build(recipe, recipe.layers[0], inputs)
    layer.reset(torch.Generator().manual_seed(0))
    for matrix in layer.matrices.values():
        matrix.constrain()
    return layer, inputs


def theirs(cell: str, hidden: int, projection: int) -> nn.Module:
    """Return torch's layer of the same size; it has no peepholes."""
    if cell == "lstm":
        return nn.LSTM(INPUTS, hidden, proj_size=projection)
    return nn.GRU(INPUTS, hidden)


def update(layer: nn.Module, frames: Tensor) -> None:
    """Run forward and backward."""
    layer.zero_grad()
    outputs = layer(frames)
    (outputs[0] if isinstance(outputs, tuple) else outputs).square().sum().backward()


def in_form(form: str, layer: cells.Layer, frames: Tensor) -> Callable[[], None]:
    """Return a run in which the form of the products is fixed, or left to the rule ("auto")."""
    if form == "auto":
        return lambda: update(layer, frames)
    for name, matrix in layer.matrices.items():
        matrix.fft = form == "all" or (form == "input" and name == "input")

    def run() -> None:
        with patch.object(cells, "transforming_pays", return_value=False):
            update(layer, frames)

    return run


def fastest(runs: list[Callable[[], None]], device: str, rounds: int) -> list[float]:
    """Return the seconds of each run's fastest round, after one that does not count."""
    alone = device == "cpu" and torch.get_num_threads() == 1
    clock = time.thread_time if alone else time.perf_counter
    best = [float("inf")] * len(runs)
    for done in range(rounds + 1):
        for index, run in enumerate(runs):
            start = clock()
            run()
            if device == "cuda":
                torch.cuda.synchronize()
            if done:
                best[index] = min(best[index], clock() - start)
    return best


def compare(cell: str, hidden: int, given: argparse.Namespace) -> None:
    """Print one line for torch's layer and one per block size and form."""
    projection = 512 if cell == "lstm" and hidden == 1024 else 0
    forms = FORMS if given.forms else ("auto",)
    cases = [
        (block, form) for block in given.blocks for form in (forms if block > 1 else ("auto",))
    ]
    frames = torch.randn(STEPS, BATCH, INPUTS, device=given.device)
    layer = theirs(cell, hidden, projection).to(given.device)
    runs = [lambda: update(layer, frames)]
    for block, form in cases:
        built, inputs = ours(cell, hidden, projection, block)
        built.to(given.device)
        padding = nn.functional.pad(frames, (0, inputs - INPUTS))
        runs.append(in_form(form, built, padding))
    dense, *times = fastest(runs, given.device, given.rounds)
    size = f"{hidden}/{projection}" if projection else f"{hidden}"
    print(f"{cell:10}{size:>9}   torch       {STEPS * BATCH / dense:10,.0f} frames/s")
    for (block, form), seconds in zip(cases, times, strict=True):
        rate = STEPS * BATCH / seconds
        print(f"{'':22}k = {block:<3}{form:5}{rate:10,.0f} frames/s{dense / seconds:7.2f} x torch")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--cells", nargs="+", default=CELLS, choices=CELLS)
    parser.add_argument("--hidden", nargs="+", type=int, default=[128, 256, 512, 1024])
    parser.add_argument("--blocks", nargs="+", type=int, default=[1, 4, 8, 16])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--forms", action="store_true", help="time every form of the products")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    keep_memory()  # as training does; torch's layers gain as well
    warnings.filterwarnings("ignore", "LSTM with projections")
    print(
        f"{given.device}, torch {torch.__version__}, {given.threads} thread(s), {BATCH} x {STEPS}"
    )
    for cell in given.cells:
        for hidden in given.hidden:
            compare(cell, hidden, given)


if __name__ == "__main__":
    main()
