"""Every structure that ernn knows, by name."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeVar

from ernn.errors import ShapeError
from ernn.structures.circulant import Circulant
from ernn.structures.dense import Dense
from ernn.structures.level_sets import LEVELS
from ernn.structures.levels import Levels
from ernn.structures.magnitude import MAGNITUDE, Magnitude
from ernn.structures.scaled import Scaled
from ernn.structures.structure import Structure
from ernn.structures.tiles import Tiled

T = TypeVar("T")
KNOWN: dict[str, type[Structure]] = {kind.name: kind for kind in (Dense, Circulant, Scaled)}
# Around another one, as in "scaled+tiles" or "dense+tiles+ternary"
AROUND: dict[str, Callable[[int, Structure], Structure]] = {
    "tiles": Tiled,
    MAGNITUDE: Magnitude,
    **{name: partial(Levels, kind=name) for name in LEVELS},
}


def structure_named(name: str, block: int) -> Structure:
    """Return the structure of a name for blocks of a size: ``"scaled"``, ``"scaled+tiles"``.

    Raises:
        ShapeError: there is no such structure.
    """
    inner, *around = name.split("+")
    return _wrapped(_known(inner, KNOWN).of(block), around)


def axes_of(name: str) -> dict[str, str]:
    """Return the factors of the matrices of a structure, and their axes, whatever the block.

    Raises:
        ShapeError: there is no such structure.
    """
    inner, *around = name.split("+")
    return dict(_wrapped(_known(inner, KNOWN)(1), around).axes)


def _wrapped(found: Structure, around: Iterable[str]) -> Structure:
    for outer in around:
        found = _known(outer, AROUND)(found.block, found)
    return found


def _known(name: str, known: Mapping[str, T]) -> T:
    if name not in known:
        remedy = f"choose one of {', '.join(sorted(known))}"
        raise ShapeError(f"structure {name!r} is not known", remedy=remedy)
    return known[name]
