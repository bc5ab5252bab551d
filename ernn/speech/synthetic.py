"""The synthetic corpus: who speaks, what is said, and how it is recorded.

Every speaker is made from the recipe, the seed and the speaker's place in the corpus alone, so
the result does not depend on who is made where, when or by how many processes.
"""

import math
from dataclasses import dataclass

import numpy as np

from ernn.recipe import CorpusRecipe, FeatureRecipe
from ernn.speech import acoustics, espeak, flite, text
from ernn.speech.espeak import Espeak, EspeakVoice
from ernn.speech.features import speaker_utterances
from ernn.speech.flite import FliteVoice
from ernn.speech.recording import Recording
from ernn.speech.speakers import SPLITS, Speaker, draw_speaker, split_families
from ernn.speech.utterance import Utterance

SECONDS_PER_SPEAKER = 12.0
_BABBLE_VOICES = 6
_PAUSE_S = (0.08, 0.25)  # silence around an utterance


@dataclass(frozen=True)
class SyntheticTask:
    """Everything that one speaker's recordings are made from."""

    name: str
    split: str
    index: int  # of the speaker within the split
    seconds: float  # of speech to make, give or take half a sentence
    seed: int
    recipe: CorpusRecipe

    def recordings(self) -> list[tuple[str, Recording]]:
        """Speak, and return named recordings at 16 kHz."""
        rng = np.random.default_rng([self.seed, SPLITS.index(self.split), self.index])
        families = split_families(self.seed, self.recipe.flite)[self.split]
        speaker = draw_speaker(self.name, families[self.index % len(families)], rng)
        with Espeak() as synthesizer:
            spoken = _speak(synthesizer, speaker, self.seconds, rng)
            babble = _babble(synthesizer, families, rng)
        return [
            (f"{self.name}_{number:03d}", _record(recording, speaker, self.recipe, babble, rng))
            for number, recording in enumerate(spoken)
        ]

    def utterances(self, recipe: FeatureRecipe) -> list[Utterance]:
        """Return the features and labels of the recordings."""
        return speaker_utterances(self.name, self.recordings(), recipe)


def tasks(recipe: CorpusRecipe, seed: int) -> dict[str, list[SyntheticTask]]:
    """Return each split's speakers, enough for the minutes that the recipe asks for."""
    minutes = (recipe.train_minutes, recipe.dev_minutes, recipe.test_minutes)
    return {
        split: _split_tasks(split, 60 * length, recipe, seed)
        for split, length in zip(SPLITS, minutes, strict=True)
    }


def engines(with_flite: bool = False) -> list[str]:
    """Name the synthesizers and their versions, for the corpus to remember."""
    names = [f"espeak-ng {espeak.version()}"]
    return [*names, f"flite {flite.version()}"] if with_flite else names


def _split_tasks(
    split: str, seconds: float, recipe: CorpusRecipe, seed: int
) -> list[SyntheticTask]:
    count = math.ceil(seconds / SECONDS_PER_SPEAKER)
    return [
        SyntheticTask(f"{split}{index:04d}", split, index, seconds / count, seed, recipe)
        for index in range(count)
    ]


def _speak(
    synthesizer: Espeak, speaker: Speaker, seconds: float, rng: np.random.Generator
) -> list[Recording]:
    """Speak until less than half a sentence is missing, so that the total comes out."""
    spoken: list[Recording] = []
    while not spoken or seconds > spoken[-1].seconds / 2:
        said = _say(synthesizer, text.sentence(rng), speaker.voice)
        before, after = (round(rng.uniform(*_PAUSE_S) * said.rate) for _ in range(2))
        spoken.append(acoustics.resample(said.padded(before, after), speaker.stretch))
        seconds -= spoken[-1].seconds
    return spoken


def _say(synthesizer: Espeak, sentence: str, voice: EspeakVoice | FliteVoice) -> Recording:
    if isinstance(voice, FliteVoice):
        return flite.say(sentence, voice)
    return synthesizer.say(sentence, voice)


def _babble(
    synthesizer: Espeak, families: list[tuple[str, ...]], rng: np.random.Generator
) -> np.ndarray:
    """Return about three seconds of several voices of the same split talking at once."""
    tracks = []
    for _ in range(_BABBLE_VOICES):
        talker = draw_speaker("babble", families[rng.integers(len(families))], rng)
        said = _say(synthesizer, text.sentence(rng), talker.voice)
        tracks.append(acoustics.resample(said, talker.stretch).audio)
    size = max(len(track) for track in tracks)
    levelled = [np.resize(track / (track.std() + 1e-9), size) for track in tracks]
    return np.sum(levelled, axis=0)


def _record(
    recording: Recording,
    speaker: Speaker,
    recipe: CorpusRecipe,
    babble: np.ndarray,
    rng: np.random.Generator,
) -> Recording:
    audio = acoustics.tilt(recording.audio, speaker.tilt_db_per_octave)
    if rng.random() < recipe.reverb_fraction:
        audio = acoustics.reverberate(audio, rng)
    kind = acoustics.NOISES[rng.integers(len(acoustics.NOISES))]
    sound = acoustics.noise(kind, len(audio), rng, babble)
    snr_db = rng.uniform(recipe.snr_db_min, recipe.snr_db_max)
    return recording.with_audio(acoustics.add_noise(audio, sound, snr_db))
