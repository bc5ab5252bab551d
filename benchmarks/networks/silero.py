"""Silero VAD: is somebody speaking? An LSTM of 128 cells behind a convolutional front."""

from pathlib import Path

import numpy as np
import onnxruntime

from ernn import from_onnx
from networks import packages
from networks.network import Frames, Measure, Network, Part, Runs
from networks.speech import describe, speech

_FRAME, _CONTEXT = 512, 64  # samples at 16 kHz
_THRESHOLD = 0.5  # of the package


def make(cache: Path, speakers: int) -> Network:
    """Return the network; the part outside is what ernn cut off in front of the LSTM."""
    path = packages.files("silero", cache)["silero_vad_16k_sequence.onnx"]
    imported = from_onnx(path)
    front = onnxruntime.InferenceSession(imported.host["before.onnx"])
    whole = onnxruntime.InferenceSession(path)

    def frames(audio: np.ndarray) -> np.ndarray:
        (found,) = front.run([imported.entering], {"input": _windows(audio)})
        return found.reshape(len(found), -1)

    def theirs(audio: np.ndarray) -> np.ndarray:
        zero = np.zeros((1, 1, 128), np.float32)
        return whole.run(["speech_probs"], {"input": _windows(audio), "h": zero, "c": zero})[0]

    calibration = [frames(one.noisy) for one in speech(16_000, 4, seed=1)]
    test = [one.noisy for one in speech(16_000, speakers, seed=2)]
    entering: Frames = [frames(audio) for audio in test]
    said = np.concatenate([theirs(audio) for audio in test])

    def score(runs: Runs) -> tuple[float, float]:
        found = np.concatenate([one[:, 0] for one in runs["LSTM"](entering)])
        changed = (found > _THRESHOLD) != (said > _THRESHOLD)
        return 100 * float(changed.mean()), float(np.abs(found - said).max())

    return Network(
        "Silero VAD",
        packages.version("silero"),
        host="STFT and four convolutions",
        data=f"{len(said):,} frames of {describe()}, 0 to 10 dB",
        frames_per_second=16_000 / _FRAME,
        parts={"LSTM": Part(imported, calibration)},
        measures=(Measure("changed decisions", "%", 2), Measure("largest change", "", 4)),
        score=score,
    )


def _windows(audio: np.ndarray) -> np.ndarray:
    """Return (N, 576): every frame with the end of the one before it."""
    count = len(audio) // _FRAME
    whole = np.concatenate([np.zeros(_CONTEXT, np.float32), audio[: count * _FRAME]])
    return np.stack([whole[i * _FRAME : i * _FRAME + _FRAME + _CONTEXT] for i in range(count)])
