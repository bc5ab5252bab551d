"""Every structure that ernn knows, by name."""

from ernn.errors import ShapeError
from ernn.structures.circulant import Circulant
from ernn.structures.dense import Dense
from ernn.structures.scaled import Scaled
from ernn.structures.structure import Structure

KNOWN: dict[str, type[Structure]] = {kind.name: kind for kind in (Dense, Circulant, Scaled)}


def structure_named(name: str, block: int) -> Structure:
    """Return the structure of a name for blocks of a size; see `kind_named`."""
    return kind_named(name).of(block)


def kind_named(name: str) -> type[Structure]:
    """Return the class of the structures of a name.

    Raises:
        ShapeError: there is no such structure.
    """
    if name not in KNOWN:
        remedy = f"choose one of {', '.join(sorted(KNOWN))}"
        raise ShapeError(f"structure {name!r} is not known", remedy=remedy)
    return KNOWN[name]
