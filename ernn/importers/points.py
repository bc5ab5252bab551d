"""What is known of a tensor on the way from layer to layer: a sum of scaled, placed vectors.

Concatenations, additions, scales and shifts are folded into the matrix that reads the tensor, which
then has columns for every vector.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ernn.errors import ModelFileError
from ernn.importers.layers import Added, Affine, Joined

Array = np.ndarray


@dataclass(frozen=True)
class Piece:
    """A vector, each value times a scale, at a place of a tensor."""

    vector: int  # a layer's number, or FEATURES
    place: int
    scale: Array


@dataclass(frozen=True)
class Point:
    """A tensor between layers: shift + the sum of its pieces."""

    pieces: tuple[Piece, ...]
    shift: Array  # (size,)
    name: str = ""  # of the scales and shifts in it, for people
    last: str = ""  # what took the last step of the sequence, if anything did
    alone: bool = True  # nothing else reads it, nor what it was made of behind its layer

    @property
    def size(self) -> int:
        """Values a step."""
        return len(self.shift)

    @property
    def whole(self) -> int | None:
        """The vector that it is, as it is; None: it is more, or less."""
        if self.name or len(self.pieces) != 1:
            return None
        return self.pieces[0].vector

    def scaled(self, affine: Affine) -> "Point":
        """Return the tensor behind a scale and shift."""
        pieces = tuple(
            replace(one, scale=one.scale * affine.scale[one.place : one.place + len(one.scale)])
            for one in self.pieces
        )
        name = f"{self.name} and {affine.name}" if self.name else affine.name
        return replace(
            self, pieces=pieces, shift=self.shift * affine.scale + affine.shift, name=name
        )

    def read_by(self, matrix: Array) -> tuple[dict[int, Array], Array]:
        """Return the columns of a matrix that reads the tensor by vector, and what joins its bias.

        Args:
            matrix: (rows, size).
        """
        found: dict[int, Array] = {}
        for one in self.pieces:
            columns = matrix[:, one.place : one.place + len(one.scale)] * one.scale
            known = found.get(one.vector)
            found[one.vector] = columns if known is None else known + columns
        return dict(sorted(found.items())), matrix @ self.shift


def vector(number: int, size: int, alone: bool = True) -> Point:
    """Return a vector as it is."""
    return Point((Piece(number, 0, np.ones(size)),), np.zeros(size), alone=alone)


def joined(item: Joined, parts: Sequence[Point]) -> Point:
    """Return tensors side by side."""
    first, pieces = 0, []
    for part in parts:
        pieces += [replace(one, place=one.place + first) for one in part.pieces]
        first += part.size
    shift = np.concatenate([part.shift for part in parts])
    return _together(item, parts, tuple(pieces), shift)


def added(item: Added, parts: Sequence[Point]) -> Point:
    """Return the sum of tensors, each with its sign.

    Raises:
        ModelFileError: they are not of one size.
    """
    sizes = [part.size for part in parts]
    if len(set(sizes)) > 1:
        given = f"it adds outputs of {' and '.join(map(str, sizes))} values"
        raise ModelFileError(item.name, given=given, allowed="outputs of one size")
    pieces = tuple(
        replace(one, scale=sign * one.scale)
        for sign, part in zip(item.signs, parts, strict=True)
        for one in part.pieces
    )
    shift = sum((sign * one.shift for sign, one in zip(item.signs, parts, strict=True)), 0.0)
    return _together(item, parts, pieces, np.asarray(shift))


def _together(
    item: Joined | Added, parts: Sequence[Point], pieces: tuple[Piece, ...], shift: Array
) -> Point:
    if len({bool(part.last) for part in parts}) > 1:
        raise ModelFileError(
            item.name,
            given="it puts every step of one output and the last step of another together",
            allowed="outputs of the same steps",
        )
    if len(parts) == 1 and isinstance(item, Joined):
        return parts[0]
    names = dict.fromkeys([part.name for part in parts if part.name] + [item.name])
    return Point(pieces, shift, " and ".join(names), parts[0].last, alone=False)
