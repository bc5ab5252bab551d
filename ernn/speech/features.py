"""Acoustic features: log mel bands and log energy, normalised, with two derivatives."""

import functools

import numpy as np
from scipy import sparse
from scipy.fft import rfft

from ernn.errors import CorpusError
from ernn.recipe import FeatureRecipe
from ernn.speech.recording import Recording
from ernn.speech.utterance import Utterance

_DELTA_REACH = 2  # frames on each side of the regression
_LOWEST_HZ = 60.0
_FLOOR = 1e-10  # added to powers, far below the quietest noise
_PREEMPHASIS = 0.97


def speaker_features(
    recordings: list[Recording], recipe: FeatureRecipe
) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """Compute the features of one speaker's recordings, normalised over all of them.

    Returns:
        For each recording, features (T, F) float32 and the phone index of each frame (T,)
        int16, None where a recording's times are unknown.

    Raises:
        CorpusError: a recording is shorter than a window, or a feature is not finite.
    """
    static = [log_mel(recording.audio, recording.rate, recipe) for recording in recordings]
    every = recipe.keep_every
    result = []
    for recording, bands in zip(recordings, normalise(static), strict=True):
        features = with_deltas(bands)[::every]
        if not np.isfinite(features).all():
            raise CorpusError(
                "a recording gives features that are not finite", remedy="check its samples"
            )
        centres = frame_centres(len(bands), recording.rate, recipe)[::every]
        result.append((features, recording.labels(centres)))
    return result


def speaker_utterances(
    speaker: str, named: list[tuple[str, Recording]], recipe: FeatureRecipe
) -> list[Utterance]:
    """Make utterances of one speaker's named recordings.

    Raises:
        CorpusError: see `speaker_features`.
    """
    try:
        framed = speaker_features([recording for _, recording in named], recipe)
    except CorpusError as error:
        raise error.at(f"speaker {speaker}") from None
    return [
        Utterance(name, speaker, features, labels, recording.reference(), recording.origin)
        for (name, recording), (features, labels) in zip(named, framed, strict=True)
    ]


def log_mel(audio: np.ndarray, rate: int, recipe: FeatureRecipe) -> np.ndarray:
    """Return log mel band powers and, last, log energy: (T, mel_bands + 1) float32."""
    window, step = _frame_sizes(rate, recipe)
    if len(audio) < window:
        raise CorpusError(
            f"a recording of {len(audio)} samples is shorter than a window of {window}",
            remedy="remove it, or lower window_ms",
        )
    frames = np.lib.stride_tricks.sliding_window_view(audio, window)[::step]  # (T, window)
    energy = np.mean(frames**2, axis=1, keepdims=True)
    emphasised = np.append(audio[:1], audio[1:] - np.float32(_PREEMPHASIS) * audio[:-1])
    frames = np.lib.stride_tricks.sliding_window_view(emphasised, window)[::step]
    size = 1 << (window - 1).bit_length()
    spectrum = rfft(frames * np.hamming(window).astype(np.float32), size, axis=1)
    power = spectrum.real**2 + spectrum.imag**2  # (T, size // 2 + 1)
    bands = (mel_filters(recipe.mel_bands, size, rate) @ power.T).T
    return np.log(np.hstack([bands, energy]) + np.float32(_FLOOR)).astype(np.float32)


@functools.cache
def mel_filters(bands: int, size: int, rate: int) -> sparse.csr_array:
    """Return triangular filters over the bins of a real FFT: (bands, size // 2 + 1) float32.

    Sparse: each bin is in two filters, and the sums never depend on the number of threads.
    """
    top = 2595 * np.log10(1 + rate / 2 / 700)
    low = 2595 * np.log10(1 + _LOWEST_HZ / 700)
    edges = 700 * (10 ** (np.linspace(low, top, bands + 2) / 2595) - 1)  # Hz
    low_edge, peak, high_edge = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    bins = np.arange(size // 2 + 1) * rate / size
    rising, falling = (bins - low_edge) / (peak - low_edge), (high_edge - bins) / (high_edge - peak)
    return sparse.csr_array(np.maximum(0, np.minimum(rising, falling)).astype(np.float32))


def normalise(utterances: list[np.ndarray]) -> list[np.ndarray]:
    """Shift and scale every column to mean 0 and variance 1 over all of a speaker's frames."""
    frames = np.concatenate(utterances)
    mean, deviation = frames.mean(0), frames.std(0) + 1e-5
    return [(utterance - mean) / deviation for utterance in utterances]


def with_deltas(static: np.ndarray) -> np.ndarray:
    """Append the slope of each column and the slope of that: (T, n) -> (T, 3 * n)."""
    slope = _slope(static)
    return np.hstack([static, slope, _slope(slope)])


def frame_centres(count: int, rate: int, recipe: FeatureRecipe) -> np.ndarray:
    """Return the sample in the middle of each of the first `count` frames."""
    window, step = _frame_sizes(rate, recipe)
    return np.arange(count) * step + window // 2


def _frame_sizes(rate: int, recipe: FeatureRecipe) -> tuple[int, int]:
    window = max(round(recipe.window_ms * rate / 1000), 1)
    return window, max(round(recipe.step_ms * rate / 1000), 1)


def _slope(columns: np.ndarray) -> np.ndarray:
    """Least-squares slope over five frames; the first and last frame count on outside."""
    reach = range(1, _DELTA_REACH + 1)
    padded = np.pad(columns, ((_DELTA_REACH, _DELTA_REACH), (0, 0)), mode="edge")
    count, middle = len(columns), _DELTA_REACH
    total = sum(
        n * (padded[middle + n : middle + n + count] - padded[middle - n : middle - n + count])
        for n in reach
    )
    return (total / (2 * sum(n * n for n in reach))).astype(np.float32)
