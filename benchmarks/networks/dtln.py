"""DTLN removes noise in two stages. The first one, two LSTMs of 128 cells, becomes hardware."""

from pathlib import Path

import numpy as np
import onnxruntime

from ernn import from_onnx
from networks import packages
from networks.network import Frames, Measure, Network, Part, Runs
from networks.speech import describe, si_sdr, speech

_RATE, _BLOCK, _HOP = 16_000, 512, 128


def make(cache: Path, speakers: int) -> Network:
    """Return the network; its second stage runs in onnxruntime."""
    paths = packages.files("dtln", cache)
    imported = from_onnx(paths["model_1.onnx"])
    second = onnxruntime.InferenceSession(paths["model_2.onnx"])
    test = speech(_RATE, speakers, seed=2)
    entering: Frames = [np.abs(spectra(one.noisy)).astype(np.float32) for one in test]

    def score(runs: Runs) -> tuple[float, float]:
        once, twice = [], []
        for one, mask in zip(test, runs["LSTMs"](entering), strict=True):
            blocks = np.fft.irfft(mask * spectra(one.noisy)).astype(np.float32)
            for ratios, made in ((once, blocks), (twice, refined(second, blocks))):
                estimate = _added(made)
                inner = slice(_BLOCK, len(estimate) - _BLOCK)
                ratios.append(si_sdr(one.clean[inner], estimate[inner]))
        return float(np.mean(twice)), float(np.mean(once))

    before = np.mean([si_sdr(one.clean, one.noisy) for one in test])
    calibration = [
        np.abs(spectra(one.noisy)).astype(np.float32) for one in speech(_RATE, 4, seed=1)
    ]
    return Network(
        "DTLN, model 1",
        packages.version("dtln"),
        host="spectra, the signal of them, and model 2, whose LSTMs are no nodes of the file",
        data=f"{speakers} speakers of {describe()}, {before:.2f} dB before",
        frames_per_second=_RATE / _HOP,
        parts={"LSTMs": Part(imported, calibration)},
        measures=(Measure("SI-SDR", "dB", 2), Measure("SI-SDR of model 1 alone", "dB", 2)),
        score=score,
    )


def spectra(audio: np.ndarray) -> np.ndarray:
    """Return (T, 257) of blocks without a window, a quarter of a block apart."""
    starts = range(0, len(audio) - _BLOCK + 1, _HOP)
    return np.fft.rfft(np.stack([audio[first : first + _BLOCK] for first in starts]))


def refined(second: onnxruntime.InferenceSession, blocks: np.ndarray) -> np.ndarray:
    """Return the blocks (T, 512) behind the second stage, block after block."""
    signal, state = second.get_inputs()
    held = np.zeros(state.shape, np.float32)
    made = []
    for block in blocks:
        one, held = second.run(None, {signal.name: block[None, None], state.name: held})
        made.append(one.reshape(-1))
    return np.stack(made)


def _added(blocks: np.ndarray) -> np.ndarray:
    """Return the signal of overlapping blocks, each of which holds a quarter of it."""
    made = np.zeros((len(blocks) - 1) * _HOP + _BLOCK)
    for index, block in enumerate(blocks):
        made[index * _HOP : index * _HOP + _BLOCK] += block / (_BLOCK // _HOP)
    return made
