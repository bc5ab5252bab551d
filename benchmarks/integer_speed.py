"""How fast the integer model runs: frames per second on one core, bit-exact as ever.

    .venv/bin/python benchmarks/integer_speed.py

Weights and features are random (seed 0), 12 bits, 153 features, one thread. Seconds are of
processor time, the least of several runs; "quantize" is calibration and rounding.
"""

import argparse
import os
from collections.abc import Callable
from functools import partial
from time import process_time

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy, which reads it once

import numpy as np

from ernn.machine import describe_machine
from ernn.quant.quantize import quantize
from ernn.random_model import random_model
from ernn.recipe import QuantizationRecipe

FEATURES, LABELS, RUNS = 153, 40, 3

# Name, cell, cells of a layer, layers, projection, block size, utterances, frames of each.
MODELS: tuple[tuple[str, str, int, int, int, int, int, int], ...] = (
    ("GRU 2x128, k=8", "gru_before", 128, 2, 0, 8, 64, 200),
    ("GRU 2x128, k=8, reset after", "gru_after", 128, 2, 0, 8, 64, 200),
    ("LSTM 2x128, k=8", "lstm", 128, 2, 0, 8, 64, 200),
    ("LSTM 1024/512, k=8", "lstm", 1024, 1, 512, 8, 32, 100),
    ("LSTM 1024/512, k=16", "lstm", 1024, 1, 512, 16, 32, 100),
)


def best_seconds(action: Callable[[], object], runs: int) -> float:
    """Return the least processor time of several runs: the one that least else disturbed."""
    times = []
    for _ in range(runs):
        start = process_time()
        action()
        times.append(process_time() - start)
    return min(times)


def main() -> None:
    """Print a line per model."""
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    print(f"{describe_machine('numpy')}, one thread; seed 0")
    for name, cell, hidden, layers, projection, block, utterances, frames in MODELS:
        rng = np.random.default_rng(0)
        model = random_model(
            rng, cell, hidden, layers, block, FEATURES, LABELS, projection, scales=False
        )
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
