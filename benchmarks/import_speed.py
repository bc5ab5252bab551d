"""How long an import takes, and how much memory: the LSTMs of STAC-ML Markets (Inference).

    .venv/bin/python benchmarks/import_speed.py

Random weights (seed 0) in torch's form, a linear layer on the last step, written by torch's own
exporter to ONNX; each file is imported in a process of its own, torch and onnxruntime included.
The comparison with onnxruntime on random frames is part of the time.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

SIZES = {  # name: layers, values of a layer, values of a frame, frames
    "LSTM_A": (2, 100, 100, 50),
    "LSTM_B": (3, 200, 250, 100),
    "LSTM_C": (4, 1000, 500, 100),
}


def write(path: Path, layers: int, hidden: int, features: int, frames: int) -> int:
    """Write a network as ONNX; return its weights."""
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = torch.nn.LSTM(features, hidden, layers, batch_first=True)
            self.linear = torch.nn.Linear(hidden, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.linear(self.lstm(x)[0][:, -1])

    torch.manual_seed(0)
    network = Network().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, about itself
        torch.onnx.export(network, (torch.zeros(1, frames, features),), str(path), dynamo=False)
    return sum(parameter.numel() for parameter in network.parameters())


def read(path: Path) -> None:
    """Import a file; print seconds, the process's memory in GB, and the difference."""
    from ernn.importers.onnx.network import from_onnx

    start = time.monotonic()
    network = from_onnx(path)
    seconds = time.monotonic() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{seconds:.1f} s | {memory:.2f} GB | {network.differences[0]}")


def main() -> None:
    """Print a row per network, or import one file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", nargs="?", type=Path, help=argparse.SUPPRESS)
    file = parser.parse_args().file
    if file is not None:
        read(file)
        return
    from ernn.machine import describe_machine

    print(f"{describe_machine('torch', 'onnxruntime')}; seed 0\n")
    print("| network | weights | time | memory | largest difference |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, sizes in SIZES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.onnx"
            weights = write(path, *sizes)
            told = subprocess.run(
                [sys.executable, __file__, path], check=True, capture_output=True, text=True
            )
        print(f"| {name} | {weights:,} | {told.stdout.strip()} |", flush=True)


if __name__ == "__main__":
    main()
