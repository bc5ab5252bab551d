"""Families of words, so that no word is judged whose relatives were trained on.

"walk", "walked" and "walkers" share a stem and are said alike; a network that was trained on one
of them is not asked anything new by another. A word belongs to another one of the dictionary if an
ending makes it of that: added as it is, in the place of a final e, behind y turned into i, or
behind a doubled consonant. Families are what such pairs join. Compounds and prefixes are not seen.
"""

from collections.abc import Iterable, Iterator

ENDINGS = (
    *("s", "es", "ed", "d", "ing", "ings", "er", "ers", "r", "rs", "or", "ors", "est", "ly", "y"),
    *("ness", "nesses", "less", "ful", "fully", "able", "ably", "ible", "ment", "ments", "ion"),
    *("ions", "ation", "ations", "al", "ally", "ity", "ities", "ism", "ist", "ists", "ize", "ized"),
    *("izes", "izing", "ish", "ive", "ively", "ous", "ously", "ship", "ships", "son", "sen", "man"),
    *("mann", "men", "ic", "ical", "ically", "an", "ans", "ian", "ians", "en", "ened", "ening"),
)
_SHORTEST = 3  # letters of a stem


def stems(word: str) -> Iterator[str]:
    """Yield what a word may be made of by an ending."""
    for ending in ENDINGS:
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < _SHORTEST:
            continue
        yield stem
        yield stem + "e"
        if stem.endswith("i"):
            yield stem[:-1] + "y"
        if stem[-1] == stem[-2]:
            yield stem[:-1]


def families(words: Iterable[str]) -> dict[str, str]:
    """Return for every word one that stands for its family."""
    head = {word: word for word in words}

    def find(word: str) -> str:
        while head[word] != word:
            head[word] = word = head[head[word]]
        return word

    for word in head:
        for stem in stems(word):
            if stem in head:
                head[find(word)] = find(stem)
    return {word: find(word) for word in head}
