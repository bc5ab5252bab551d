"""The speakers of the synthetic corpus: a voice, a manner of speaking and a recorder."""

import re
from dataclasses import dataclass

import numpy as np

from ernn.speech import flite
from ernn.speech.espeak import EspeakVoice
from ernn.speech.flite import FliteVoice

# Voices of espeak-ng that sound like somebody. Left out are whispers, monsters and robots, and the
# voices with added breath (f2, f3, f5, ...): their noise starts from uninitialised memory, so they
# never say the same twice.
VARIANTS = tuple(
    "Alex Andrea Andy Annie Denis Diogo Gene Gene2 Henrique Hugo Lee Marco Mario Michael Mike "
    "Nguyen Reed RicishayMax RicishayMax2 RicishayMax3 Tweaky adam anika announcer antonio aunty "
    "belinda benjamin boris david ed edward edward2 f1 f4 grandma grandpa gustave ian iven iven2 "
    "iven3 iven4 john klatt3 klatt4 klatt5 klatt6 linda m1 m2 m3 m4 m5 m6 m7 m8 marcelo max michel "
    "miguel mike2 norbert pablo paul pedro quincy rob robert shelby steph steph2 steph3 travis "
    "zac".split()
)
SPLITS = ("train", "dev", "test")
_SHARES = (0.66, 0.12, 0.22)  # of the voices
_FLITE = "flite:"  # in front of the names of flite's voices


@dataclass(frozen=True)
class Speaker:
    """One synthetic speaker."""

    name: str
    voice: EspeakVoice | FliteVoice
    stretch: float  # resampling factor: above 1 lowers formants and pitch
    tilt_db_per_octave: float


def split_families(seed: int, with_flite: bool = False) -> dict[str, list[tuple[str, ...]]]:
    """Deal the families of voices out to the splits, so that no voice is in two of them.

    Voices whose names differ in a number or in case only (``steph``, ``steph2``) are one family.
    """
    families: dict[str, tuple[str, ...]] = {}
    extra = tuple(_FLITE + name for name in flite.VOICES) if with_flite else ()
    for variant in VARIANTS + extra:
        family = re.sub(r"\d+$", "", variant).lower()
        families[family] = (*families.get(family, ()), variant)
    dealt = np.random.default_rng([seed, len(SPLITS)]).permutation(sorted(families))
    bounds = np.round(np.cumsum(_SHARES) * len(dealt)).astype(int)
    groups = np.split(dealt, bounds[:-1])
    return {
        split: [families[family] for family in group]
        for split, group in zip(SPLITS, groups, strict=True)
    }


def draw_speaker(name: str, family: tuple[str, ...], rng: np.random.Generator) -> Speaker:
    """Give a voice of a family a manner of speaking and a recorder."""
    variant = family[rng.integers(len(family))]
    rate, pitch, pitch_range = rng.uniform(-1.0, 1.0, 3)
    voice = (
        FliteVoice(variant.removeprefix(_FLITE), 1 - 0.2 * rate, 2 ** (0.3 * pitch))
        if variant.startswith(_FLITE)
        else EspeakVoice(
            variant, round(175 + 40 * rate), round(50 + 25 * pitch), round(50 + 25 * pitch_range)
        )
    )
    return Speaker(name, voice, rng.uniform(0.88, 1.14), rng.uniform(-3.0, 3.0))
