"""Make sequences to classify: noisy sines, squares, sawtooths and chirps, for waveforms.toml.

    python asr_models/make_waveforms.py out/waveforms.npz

A sequence is a stretch of one waveform, of a pitch, phase, loudness and length of its own, in
frames of 8 samples. docs/own_data.md explains the arrays.
"""

import sys
from pathlib import Path

import numpy as np

CLASSES = ("sine", "square", "sawtooth", "chirp")
COUNTS = {"train": 800, "dev": 200, "test": 400}
SAMPLES = 8  # of a frame
FRAMES = (16, 25)  # the shortest sequence, and one more than the longest


def waveform(kind: str, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Return a noisy waveform of about unit size."""
    pitch = np.full(samples, rng.uniform(0.02, 0.06))  # turns per sample
    if kind == "chirp":
        pitch = pitch * np.linspace(0.4, 2.2, samples)
    turns = (np.cumsum(pitch) + rng.uniform()) % 1
    shapes = {"square": np.sign(turns - 0.5), "sawtooth": 2 * turns - 1}
    clean = shapes.get(kind, np.sin(2 * np.pi * turns))
    return rng.uniform(0.5, 1.0) * clean + rng.normal(0, 0.4, samples)


def make(seed: int = 0, counts: dict[str, int] = COUNTS) -> dict[str, np.ndarray]:
    """Return the arrays of the file; the same seed gives the same arrays."""
    rng = np.random.default_rng(seed)
    frames, lengths, targets, splits = [], [], [], []
    for split, count in counts.items():
        for number in range(count):
            lengths.append(rng.integers(*FRAMES))
            targets.append(number % len(CLASSES))
            splits.append(split)
            wave = waveform(CLASSES[targets[-1]], lengths[-1] * SAMPLES, rng)
            frames.append(wave.reshape(-1, SAMPLES))
    return {
        "frames": np.concatenate(frames).astype(np.float32),  # all sequences end to end
        "lengths": np.array(lengths),
        "targets": np.array(targets),  # one of each sequence
        "splits": np.array(splits),
        "classes": np.array(CLASSES),
    }


if __name__ == "__main__":
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "out/waveforms.npz")
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **make())
    print(f"{sum(COUNTS.values())} sequences in {path}")
