"""OpenDPD's model of a power amplifier: a GRU of 37 cells on samples of a 200 MHz radio signal."""

from pathlib import Path

import numpy as np
import torch
from scipy.signal import welch
from torch import nn

from ernn import from_torch
from ernn.score import NMSE, Score
from networks import packages
from networks.network import Frames, Lesson, Measure, Network, Part, Runs

_RATE_HZ, _CHANNEL_HZ = 983.04e6, 200e6
_PIECE, _WARM = 2048, 200  # samples of a sequence, and more in front that are not judged
_SECTIONS = {
    "training": {"batch": 64, "chunk_frames": 100, "evaluate_every": 250, "patience": 16},
    "compression": {"updates": 500, "retrain_updates": 4000},
}


class Amplifier(nn.Module):
    """The recurrent part: six values of a sample in, I and Q out."""

    def __init__(self, weights: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.rnn = nn.GRU(6, 37, bias=False, batch_first=True)
        self.fc_out = nn.Linear(37, 2, bias=False)
        own = {name.removeprefix("backbone."): value for name, value in weights.items()}
        self.load_state_dict({name: own[name] for name in self.state_dict()})

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """(1, T, 6) to (1, T, 2)."""
        return self.fc_out(self.rnn(frames)[0])


def make(cache: Path, pieces: int) -> Network:
    """Return the network, judged by what the amplifier was measured to do."""
    paths = packages.files("opendpd", cache)
    with np.load(paths["apa-200mhz-b-pa-v6.npz"], allow_pickle=False) as stored:
        weights = {name: torch.from_numpy(stored[name]) for name in stored}
    with np.load(paths["apa-200mhz-b-measured-v4.npz"], allow_pickle=False) as stored:
        signals = {name: stored[name] for name in stored}
    train, sent, measured = (signals[name] for name in ("x_train", "x_test", "y_test"))
    imported = from_torch(Amplifier(weights).eval(), torch.zeros(1, 8, 6))
    pieces = min(pieces, len(sent) // _PIECE)
    judged = slice(0, pieces * _PIECE)
    skipped, truth = skip(sent, weights)[judged], measured[judged]
    entering = _pieces(features(sent), pieces)

    def score(runs: Runs) -> tuple[Score, float]:
        outputs = runs["GRU"](entering)
        settled = [one[-_PIECE:] for one in outputs]
        found = np.concatenate(settled) + skipped
        error, energy = (
            np.square(one).reshape(pieces, -1).sum(1, dtype=float) for one in (found - truth, truth)
        )
        groups = tuple(map(str, range(pieces)))
        return Score(NMSE, groups, {"error_energy": error, "energy": energy}), aclr(found)

    def arrays(runs: Runs) -> dict[str, np.ndarray]:
        """Return what the GRU has to add to the convolutions, in pieces."""
        frames: Frames = []
        targets: Frames = []
        splits: list[str] = []
        for split, name in (("train", "train"), ("dev", "val"), ("test", "test")):
            given, wanted = signals[f"x_{name}"], signals[f"y_{name}"]
            count = len(given) // _PIECE if split != "test" else pieces
            frames += _pieces(features(given), count)
            targets += _pieces(wanted - skip(given, weights), count)
            splits += [split] * count
        lengths = np.array([len(one) for one in frames])
        made = {"frames": np.concatenate(frames), "targets": np.concatenate(targets)}
        return {**made, "lengths": lengths, "splits": np.array(splits)}

    return Network(
        "OpenDPD, amplifier",
        packages.version("opendpd"),
        host="amplitudes of the samples, and two convolutions that are added to the output",
        data=f"{pieces * _PIECE:,} measured samples (200 MHz, 256-QAM); the measured signal's own "
        f"ACLR is {aclr(truth):.2f} dB",
        frames_per_second=_RATE_HZ,
        parts={
            "GRU": Part(
                imported,
                _pieces(features(train), 8),
                lesson=Lesson(imported, arrays, _SECTIONS),
            )
        },
        measures=(Measure("NMSE", "dB", 2), Measure("ACLR", "dB", 2)),
        score=score,
    )


def features(samples: np.ndarray) -> np.ndarray:
    """Return I, Q, amplitude, its cube, and the next sample's I and Q of samples (T, 2)."""
    amplitude = np.hypot(samples[:, :1], samples[:, 1:])
    return np.concatenate([samples, amplitude, amplitude**3, np.roll(samples, -1, axis=0)], axis=1)


def skip(samples: np.ndarray, weights: dict[str, torch.Tensor]) -> np.ndarray:
    """Return what the convolutions beside the GRU add, for samples (T, 2).

    The first one has three taps, 16 samples apart; a hard swish stands behind each of them.
    """
    first, second = (weights[f"backbone.tcn.{index}.weight"] for index in (0, 2))
    given = torch.from_numpy(samples.T[None].astype(np.float32))
    hard_swish = nn.functional.hardswish
    inner = hard_swish(nn.functional.conv1d(given, first, padding=16, dilation=16))
    return hard_swish(nn.functional.conv1d(inner, second))[0].T.numpy()


def aclr(signal: np.ndarray) -> float:
    """Return the power of the worse neighbour channel against the channel's own, in dB."""
    spectrum = welch(
        signal[:, 0] + 1j * signal[:, 1], _RATE_HZ, nperseg=4096, return_onesided=False
    )
    frequency, density = spectrum
    near = [np.abs(frequency - shift * _CHANNEL_HZ) < _CHANNEL_HZ / 2 for shift in (-1, 0, 1)]
    low, own, high = (density[where].sum() for where in near)
    return float(10 * np.log10(max(low, high) / own))


def _pieces(frames: np.ndarray, count: int) -> Frames:
    """Return sequences with samples in front of them, in which the state settles."""
    led = np.concatenate([np.zeros((_WARM, frames.shape[1])), frames])
    return [led[i * _PIECE : i * _PIECE + _WARM + _PIECE] for i in range(count)]
