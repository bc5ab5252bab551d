"""Speech and noise for voice networks: espeak-ng says sentences, the same on every machine."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.signal import resample_poly

from ernn.speech import acoustics, espeak, text
from ernn.speech.espeak import Espeak
from ernn.speech.speakers import draw_speaker, split_families

_PAUSE_S = 0.6  # of silence before, between and behind the sentences
_KINDS = ("white", "pink", "babble")


@dataclass(frozen=True)
class Spoken:
    """Some sentences of one speaker, alone and in noise."""

    clean: np.ndarray  # (N,) float32
    noisy: np.ndarray


def describe() -> str:
    """Say in words what the speech is."""
    return f"synthetic speech (espeak-ng {espeak.version()}) in noise"


@cache
def speech(
    rate: int, speakers: int, seed: int, sentences: int = 2, snr_db: tuple[float, float] = (0, 10)
) -> list[Spoken]:
    """Return speech of some speakers in white, pink and babble noise, in turn.

    Args:
        rate: samples per second.
        speakers: how many; each says something else.
        seed: of everything.
        sentences: of each.
        snr_db: from, to.
    """
    rng = np.random.default_rng(seed)
    families = [one for split in split_families(0).values() for one in split]
    with Espeak() as synthesizer:

        def said() -> np.ndarray:
            family = families[rng.integers(len(families))]
            voice = draw_speaker("speaker", family, rng).voice
            audio = [synthesizer.say(text.sentence(rng), voice).audio for _ in range(sentences)]
            pause = np.zeros(round(_PAUSE_S * synthesizer.rate), np.float32)
            joined = np.concatenate([pause, *(part for one in audio for part in (one, pause))])
            return resample_poly(joined, rate, synthesizer.rate).astype(np.float32)

        voices = [said() for _ in range(speakers)]
        others = [said() for _ in range(6)]
    size = max(map(len, others))
    babble = np.sum([np.resize(one / one.std(), size) for one in others], axis=0)
    made = []
    for index, voice in enumerate(voices):
        clean = 0.1 * voice / voice.std()
        sound = acoustics.noise(_KINDS[index % len(_KINDS)], len(clean), rng, babble)
        noisy = acoustics.add_noise(clean, sound, rng.uniform(*snr_db))
        gain = min(1.0, 0.95 / np.abs(noisy).max())  # both at one level, nothing clipped
        made.append(Spoken((gain * clean).astype(np.float32), (gain * noisy).astype(np.float32)))
    return made


def si_sdr(clean: np.ndarray, estimate: np.ndarray) -> float:
    """Return the scale-invariant ratio of signal and distortion in dB."""
    clean, estimate = (one.astype(np.float64) - one.mean() for one in (clean, estimate))
    signal = (estimate @ clean) / (clean @ clean) * clean
    return float(10 * np.log10((signal @ signal) / np.square(estimate - signal).sum()))
