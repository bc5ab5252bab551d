"""What happens to speech between mouth and recorder: voice colour, room and noise."""

from dataclasses import replace

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

from ernn.speech.recording import Recording

NOISES = ("white", "pink", "babble")
RATE = 16_000  # samples per second of every recording that features are made from

_PIVOT_HZ = 1000.0  # where a spectral tilt changes nothing
_SLACK = 2000  # samples of silence that keep a circular filter from reaching around


def resample(recording: Recording, factor: float = 1.0) -> Recording:
    """Bring a recording to 16 kHz and stretch it, which moves its formants and pitch.

    Args:
        recording: at any sample rate.
        factor: above 1 for a longer recording with lower formants and pitch.
    """
    ratio = factor * RATE / recording.rate
    if ratio == 1:
        return recording
    size = _fft_size(len(recording.audio))
    resized = round(size * ratio)
    ratio = resized / size
    # Cutting or extending the spectrum is band-limited interpolation.
    audio = irfft(rfft(recording.audio, size), resized) * np.float32(ratio)
    audio = audio[: round(len(recording.audio) * ratio)]
    ends = recording.ends
    if ends is not None:
        ends = np.minimum(np.round(ends * ratio).astype(np.int64), len(audio))
    return replace(recording, audio=audio, rate=RATE, ends=ends)


def tilt(audio: np.ndarray, db_per_octave: float) -> np.ndarray:
    """Raise or lower the spectrum by so many decibels per octave, with no delay."""
    size = _fft_size(len(audio))
    octaves = np.log2(np.maximum(rfftfreq(size, 1 / RATE), 50.0) / _PIVOT_HZ)
    spectrum = rfft(audio, size) * 10 ** (db_per_octave * octaves / 20)
    return irfft(spectrum, size)[: len(audio)].astype(np.float32)


def reverberate(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Put speech into a random room: direct sound, then a decaying diffuse tail."""
    seconds = rng.uniform(0.15, 0.5)  # until the tail has lost 60 dB
    direct_to_tail_db = rng.uniform(3.0, 12.0)
    time = np.arange(round(seconds * RATE)) / RATE
    tail = rng.standard_normal(len(time)) * 10 ** (-3 * time / seconds)
    tail[: round(0.002 * RATE)] = 0  # no reflection arrives earlier
    tail *= 10 ** (-direct_to_tail_db / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    size = _fft_size(len(audio) + len(tail))
    return irfft(rfft(audio, size) * rfft(tail, size), size)[: len(audio)].astype(np.float32)


def noise(kind: str, size: int, rng: np.random.Generator, babble: np.ndarray) -> np.ndarray:
    """Return noise of power 1.

    Args:
        kind: one of NOISES.
        size: how many samples.
        rng: where the randomness comes from.
        babble: many voices at once, which ``"babble"`` cuts its noise from.
    """
    if kind == "babble":
        start = rng.integers(len(babble))
        sound = np.take(babble, np.arange(start, start + size), mode="wrap")
    else:
        sound = rng.standard_normal(next_fast_len(size, real=True))
    if kind == "pink":
        spectrum = rfft(sound)
        sound = irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), len(sound))
    sound = sound[:size]
    return sound / np.sqrt(np.mean(sound**2) + 1e-20)


def add_noise(audio: np.ndarray, sound: np.ndarray, snr_db: float) -> np.ndarray:
    """Add noise of power 1 at a signal-to-noise ratio over the whole recording."""
    level = np.sqrt(np.mean(audio**2)) * 10 ** (-snr_db / 20)
    return (audio + level * sound).astype(np.float32)


def _fft_size(count: int) -> int:
    return next_fast_len(count + _SLACK, real=True)
