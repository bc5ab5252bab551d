"""How fast the integer model runs: frames per second on one core, bit-exact as ever.

    .venv/bin/python benchmarks/integer_speed.py

Weights and features are random (seed 0), 12 bits, 153 features, one thread. Seconds are of
processor time, the least of several runs; "quantize" is calibration and rounding.
"""

import argparse
import os
import platform
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import process_time

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy, which reads it once

import numpy as np

from ernn.compressed import (
    GATES,
    CellKind,
    CirculantMatrix,
    CompressedLayer,
    CompressedModel,
)
from ernn.quant.quantize import quantize
from ernn.recipe import QuantizationRecipe

FEATURES, LABELS, RUNS = 153, 40, 3

# Name, cell, cells of each layer, projection (0: none), block size, utterances, frames of each.
MODELS: tuple[tuple[str, CellKind, tuple[int, ...], int, int, int, int], ...] = (
    ("GRU 2x128, k=8", "gru_before", (128, 128), 0, 8, 64, 200),
    ("GRU 2x128, k=8, reset after", "gru_after", (128, 128), 0, 8, 64, 200),
    ("LSTM 2x128, k=8", "lstm", (128, 128), 0, 8, 64, 200),
    ("LSTM 1024/512, k=8", "lstm", (1024,), 512, 8, 32, 100),
    ("LSTM 1024/512, k=16", "lstm", (1024,), 512, 16, 32, 100),
)


def random_model(
    rng: np.random.Generator, cell: CellKind, sizes: tuple[int, ...], projected: int, block: int
) -> CompressedModel:
    """Return a model with weights of a trained model's size; LSTMs have peepholes."""

    def matrix(rows: int, columns: int) -> CirculantMatrix:
        shape = (rows // block, columns // block, block)
        return CirculantMatrix(rng.normal(0, 1 / np.sqrt(columns), shape))

    layers, entering = [], -(-FEATURES // block) * block
    for hidden in sizes:
        output = projected or hidden
        columns = {"input": entering, "recurrent": output, "candidate": hidden}
        matrices = {
            name: matrix(len(gates) * hidden, columns[name])
            for name, gates in GATES[cell].items()
            if name != "projection"
        }
        if projected:
            matrices["projection"] = matrix(output, hidden)
        bias = rng.normal(0, 0.3, len(GATES[cell]["input"]) * hidden)
        peepholes = rng.normal(0, 0.1, (3, hidden)) if cell == "lstm" else None
        candidate_bias = rng.normal(0, 0.3, hidden) if cell == "gru_after" else None
        layers.append(CompressedLayer(cell, hidden, matrices, bias, peepholes, candidate_bias))
        entering = output
    rows = -(-LABELS // block) * block
    return CompressedModel(
        FEATURES, tuple(layers), matrix(rows, entering), rng.normal(0, 0.3, rows), LABELS
    )


def best_seconds(action: Callable[[], object], runs: int) -> float:
    """Return the least processor time of several runs: the one that least else disturbed."""
    times = []
    for _ in range(runs):
        start = process_time()
        action()
        times.append(process_time() - start)
    return min(times)


def machine() -> str:
    """Return the processor's name, with the versions that matter."""
    name, cpus = platform.machine(), Path("/proc/cpuinfo")
    if cpus.exists():
        lines = cpus.read_text().splitlines()
        name = next((line.partition(": ")[2] for line in lines if "model name" in line), name)
    return f"{name}, one thread, Python {platform.python_version()}, numpy {np.__version__}"


def main() -> None:
    """Print a line per model."""
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    print(f"{machine()}; seed 0")
    for name, cell, sizes, projected, block, utterances, frames in MODELS:
        rng = np.random.default_rng(0)
        model = random_model(rng, cell, sizes, projected, block)
        features = rng.normal(0, 1, (utterances, frames, FEATURES))
        calibration = list(features[:4, :100])
        start = process_time()
        integer = quantize(model, QuantizationRecipe(), calibration)
        quantizing = process_time() - start
        integer.run(features[:, :20])  # compiles, the first time on a machine
        seconds = best_seconds(partial(integer.run, features), RUNS)
        rate = utterances * frames / seconds
        batch = f"{utterances} utterances:"
        print(f"{name:28s} {batch} {rate:6.0f} frames/s   quantize {quantizing:.2f} s", flush=True)


if __name__ == "__main__":
    main()
