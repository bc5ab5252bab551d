"""What a layer reads: the vector in front of it, or several earlier vectors side by side.

A vector has the number of the layer that makes it; `FEATURES` is what enters the model. Vectors are
read in the order in which they are made: a matrix can have its columns in any order, so one order
is enough.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

FEATURES = -1

Reads = tuple[int, ...]  # of a layer, in rising order; (): the vector in front of it alone


def sources(reads: Sequence[int], index: int) -> Reads:
    """Return the vectors that layer ``index`` of a stack reads, in order."""
    return tuple(reads) or (index - 1,)


def vector_name(vector: int) -> str:
    """Return what recipes and people call a vector."""
    return "features" if vector == FEATURES else f"layer{vector}"


def vector_named(name: str) -> int | None:
    """Return the vector of a name; None if no vector is called so."""
    number = name.removeprefix("layer")
    if name == "features":
        return FEATURES
    return int(number) if number != name and number.isdecimal() and number.isascii() else None


def read_in_words(found: Reads, index: int, named: Callable[[int], str] = vector_name) -> str:
    """Return how a line on a layer goes on where it reads other vectors than the one before."""
    return "" if found == (index - 1,) else f", reads {', '.join(map(named, found))}"


def problems(stack: Sequence[Sequence[int]]) -> Iterator[tuple[int, str, str]]:
    """Yield (layer, what is wrong, what is allowed) for what the layers of a stack read."""
    wrong = False
    for index, reads in enumerate(stack):
        earlier = ", ".join(map(vector_name, range(FEATURES, index)))
        allowed = f"some of {earlier}, each once and in this order" if index else earlier
        rising = all(one < other for one, other in pairwise(reads))
        if reads and not (rising and reads[0] >= FEATURES and reads[-1] < index):
            wrong = True
            yield index, f"reads {', '.join(map(vector_name, reads))}", allowed
    if wrong:
        return
    used = {vector for index, reads in enumerate(stack) for vector in sources(reads, index)}
    for vector in set(range(len(stack) - 1)) - used:
        yield vector, "no layer reads what it makes", "each is read by a layer behind it"
