"""Sentences for the synthesizers: a small grammar over our own words, and invented words."""

import numpy as np

from ernn.speech import words

INVENTED_SHARE = 0.15  # of the names, nouns, adjectives and verbs

_NOUNS = words.PEOPLE + words.THINGS + words.IDEAS
_PARTS = {
    "name": words.NAMES,
    "noun": _NOUNS,
    "place": words.PLACES,
    "nouns": tuple(noun + ("es" if noun[-1] in "hsxz" else "s") for noun in _NOUNS),
    "adj": words.ADJECTIVES,
    "does": words.VERBS,
    "acts": words.ACTIONS,
    "adv": words.ADVERBS,
    "a": words.DETERMINERS,
    "in": words.PREPOSITIONS,
    "and": words.CONJUNCTIONS,
    "two": words.NUMBERS,
}
_CONTENT = ("name", "noun", "nouns", "place", "adj", "does", "acts")
_PATTERNS = tuple(
    pattern.split()
    for pattern in (
        "a adj noun acts adv",
        "a noun does a adj noun",
        "a noun does a noun in a place",
        "in a adj place , a noun does a noun",
        "name does a adj noun in a noun",
        "name acts in a adj place and name does a noun",
        "a adj noun does name adv",
        "adv , a noun does two adj nouns",
        "two nouns acts in a place",
        "name and two adj nouns acts adv",
        "a noun does name and a nouns acts",
        "two adj nouns does a noun in name",
    )
)
_ONSETS = tuple(
    "b bl br ch d dr f fl fr g gl gr h j k kl kr l m n p pl pr r s sh sk sl sm sn sp st str sw "
    "t th thr tr tw v w y z".split()
)
_NUCLEI = tuple("a ai ar au e ea ee er i igh o oa oi oo ou ow u ure y".split())
_CODAS = tuple("b tch d dge ft g k l lb m mp n nd ng nk nt p r s sh sk st t th v x z".split())


def sentence(rng: np.random.Generator) -> str:
    """Return one sentence of about three seconds."""
    spoken = " ".join(_word(rng, part) for part in _pick(rng, _PATTERNS)).replace(" ,", ",")
    return spoken[0].upper() + spoken[1:] + "."


def invented_word(rng: np.random.Generator) -> str:
    """Return a pronounceable word that no dictionary holds, one to three syllables long."""
    syllables = (_pick(rng, _ONSETS) + _pick(rng, _NUCLEI) for _ in range(rng.integers(1, 4)))
    return "".join(syllables) + _pick(rng, _CODAS)


def _word(rng: np.random.Generator, part: str) -> str:
    if part in _CONTENT and rng.random() < INVENTED_SHARE:
        return invented_word(rng)
    return _pick(rng, _PARTS[part]) if part in _PARTS else part


def _pick(rng: np.random.Generator, choices):
    return choices[rng.integers(len(choices))]
