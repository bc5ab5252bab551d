"""Resemblyzer: who is speaking? Three LSTMs of 256 cells turn 1.6 s of speech into a vector."""

from pathlib import Path

import numpy as np
import torch
from scipy.signal import stft
from torch import nn

from ernn import from_torch
from networks import packages
from networks.network import Frames, Measure, Network, Part, Runs, with_even_weights
from networks.speech import describe, speech

_RATE, _WINDOW, _HOP, _BANDS = 16_000, 400, 160, 40
_PIECE = 160  # frames of a window; the next one begins half a window later
_LEVEL_DB = -30.0  # to which quiet speech is raised


class Encoder(nn.Module):
    """Mel spectra of a window in, its vector out, before it is scaled to length 1."""

    def __init__(self, weights: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.lstm = nn.LSTM(_BANDS, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)
        self.load_state_dict({name: weights[name] for name in self.state_dict()})

    def forward(self, mels: torch.Tensor) -> torch.Tensor:
        """(1, T, 40) to (1, 256)."""
        return torch.relu(self.linear(self.lstm(mels)[0][:, -1]))


def make(cache: Path, speakers: int) -> Network:
    """Return the network, judged by how far the vectors of speakers move."""
    return _make("Resemblyzer", cache, speakers, scaled=False)


def make_scaled(cache: Path, speakers: int) -> Network:
    """Return the network for bands that the host multiplies by powers of two."""
    return _make("Resemblyzer, inputs scaled", cache, speakers, scaled=True)


def _make(title: str, cache: Path, speakers: int, scaled: bool) -> Network:
    path = packages.files("resemblyzer", cache)["pretrained.pt"]
    weights = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
    module = Encoder(weights).eval()
    imported = from_torch(module, torch.zeros(1, _PIECE, _BANDS))
    calibration = [w for one in speech(_RATE, 4, seed=1) for w in windows(one.noisy)]
    test = [windows(one.noisy) for one in speech(_RATE, speakers, seed=2, snr_db=(10, 20))]
    entering: Frames = [window for one in test for window in one]
    scale, model = np.ones(_BANDS), imported.model
    if scaled:
        scale, model = with_even_weights(model)
    counts = np.cumsum([len(one) for one in test])[:-1]

    def vectors(found: np.ndarray) -> np.ndarray:
        """Return one vector of length 1 for each speaker, of (windows, 256)."""
        found = found / np.linalg.norm(found, axis=1, keepdims=True)
        means = np.stack([one.mean(0) for one in np.split(found, counts)])
        return means / np.linalg.norm(means, axis=1, keepdims=True)

    with torch.no_grad():
        given = torch.from_numpy(np.stack(entering).astype(np.float32))
        source = vectors(module(given).numpy())
    between = 1 - (source @ source.T)[~np.eye(len(source), dtype=bool)].mean()

    def score(runs: Runs) -> tuple[float, float]:
        found = vectors(
            np.stack([one[-1] for one in runs["LSTMs"]([one * scale for one in entering])])
        )
        distances = 1 - (found * source).sum(1)
        return float(distances.mean()), float(distances.max())

    return Network(
        title,
        packages.version("resemblyzer"),
        host="mel spectra, " + "times powers of two, " * scaled + "and the mean of the vectors",
        data=f"{speakers} speakers of {describe()}, 10 to 20 dB; the mean distance between two of "
        f"them is {between:.3f}",
        frames_per_second=_RATE / _HOP,
        parts={"LSTMs": Part(imported, [one * scale for one in calibration], model)},
        measures=(Measure("mean cosine distance", "", 5), Measure("largest one", "", 5)),
        score=score,
    )


def windows(audio: np.ndarray) -> Frames:
    """Return windows (160, 40) of mel spectra."""
    level = 20 * np.log10(np.sqrt(np.mean(np.square(audio))))
    raised = audio * 10 ** (max(0.0, _LEVEL_DB - level) / 20)
    mels = mel_spectra(raised)
    return [mels[first : first + _PIECE] for first in range(0, len(mels) - _PIECE + 1, _PIECE // 2)]


def mel_spectra(audio: np.ndarray) -> np.ndarray:
    """Return powers (T, 40) in bands of Slaney's mel scale, each of area 1."""
    spectra = stft(audio, window="hann", nperseg=_WINDOW, noverlap=_WINDOW - _HOP, padded=False)[2]
    powers = np.square(np.abs(spectra) * _WINDOW / 2)  # scipy divides by the window's sum
    return (mel_bands() @ powers).T.astype(np.float32)


def mel_bands() -> np.ndarray:
    """Return the triangles (40, 201) of the bands."""
    edges = _hertz(np.linspace(0, _mel(_RATE / 2), _BANDS + 2))
    bins = np.linspace(0, _RATE / 2, _WINDOW // 2 + 1)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - low) / (middle - low), (high - bins) / (high - middle)
    return 2 / (high - low) * np.maximum(0, np.minimum(rising, falling))


# Slaney's scale: 200/3 Hz a mel below 1 kHz, and 27 mels for every factor of 6.4 above.


def _mel(hertz: float) -> float:
    return 15 + 27 * np.log(hertz / 1000) / np.log(6.4) if hertz >= 1000 else hertz * 3 / 200


def _hertz(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))
