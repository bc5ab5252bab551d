"""NSNet2 removes noise: two GRUs and four linear layers give every band of a spectrum a gain."""

from pathlib import Path

import numpy as np

from ernn import from_onnx
from networks import packages
from networks.network import Frames, Measure, Network, Part, Runs
from networks.speech import describe, si_sdr, speech

_FLOOR = 1e-12  # of powers
_LEAST = 1e-4  # gain, -80 dB


def make_16k(cache: Path, speakers: int) -> Network:
    """Return the network for 16 kHz: windows of 320 samples, half overlapped."""
    window = np.sqrt(np.hanning(320))
    return _make(
        "NSNet2, 16 kHz", "nsnet2-20ms-baseline.onnx", cache, speakers, 16_000, window, 160
    )


def make_48k(cache: Path, speakers: int) -> Network:
    """Return the network for 48 kHz: windows of 960 samples every 512, as in the package."""
    window = np.sqrt(np.hanning(961)[:-1])
    file = "nsnet2-20ms-48k-baseline.onnx"
    return _make("NSNet2, 48 kHz", file, cache, speakers, 48_000, window, 512)


def _make(
    title: str, file: str, cache: Path, speakers: int, rate: int, window: np.ndarray, hop: int
) -> Network:
    imported = from_onnx(packages.files("nsnet2", cache)[file])
    size = 2 * (imported.model.features - 1)  # of the transform

    def spectra(audio: np.ndarray) -> np.ndarray:
        starts = range(0, len(audio) - len(window) + 1, hop)
        framed = np.stack([audio[first : first + len(window)] for first in starts])
        return np.fft.rfft(framed * window, size)

    def signal(found: np.ndarray, length: int) -> np.ndarray:
        pieces = np.fft.irfft(found, size)[:, : len(window)] * window
        made, weight = np.zeros(length), np.full(length, 1e-9)
        for first, piece in zip(range(0, length, hop), pieces, strict=False):
            made[first : first + len(window)] += piece
            weight[first : first + len(window)] += window**2
        return made / weight

    def frames(audio: np.ndarray) -> np.ndarray:
        powers = np.square(np.abs(spectra(audio)))
        return np.log10(np.maximum(powers, _FLOOR)).astype(np.float32)

    test = speech(rate, speakers, seed=2)
    entering: Frames = [frames(one.noisy) for one in test]

    def score(runs: Runs) -> tuple[float, ...]:
        ratios = []
        for one, gains in zip(test, runs["network"](entering), strict=True):
            kept = np.clip(gains, _LEAST, 1)
            ratios.append(
                _si_sdr(one.clean, signal(kept * spectra(one.noisy), len(one.noisy)), hop)
            )
        return (float(np.mean(ratios)),)

    before = np.mean([si_sdr(one.clean, one.noisy) for one in test])
    return Network(
        title,
        packages.version("nsnet2"),
        host="spectra, and the signal of them"
        + ("; limits of the gain" if imported.outside else ""),
        data=f"{speakers} speakers of {describe()}, {before:.2f} dB before",
        frames_per_second=rate / hop,
        parts={"network": Part(imported, [frames(one.noisy) for one in speech(rate, 4, seed=1)])},
        measures=(Measure("SI-SDR", "dB", 2),),
        score=score,
    )


def _si_sdr(clean: np.ndarray, made: np.ndarray, hop: int) -> float:
    """Compare all but the ends, which fewer windows cover."""
    inner = slice(2 * hop, -2 * hop)
    return si_sdr(clean[inner], made[inner])
