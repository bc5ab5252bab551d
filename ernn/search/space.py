"""What is searched: points, and the recipe of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ernn.recipe import BLOCK_SIZES, MATRICES, Recipe

SUBSTITUTES = {"lstm": "gru"}  # what is tried in a cell's place, with the same number of cells


class Variant(Protocol):
    """One model of a search, of whatever space; it can be a key, and be sorted with others."""

    @property
    def cell(self) -> str:
        """As a recipe calls it."""

    @property
    def name(self) -> str:
        """As a folder is called."""

    @property
    def compressed(self) -> bool:
        """Whether it is another one than the dense model."""

    @property
    def params(self) -> Mapping[str, Any]:
        """As a study keeps it."""

    def applied(self, recipe: Recipe) -> Recipe:
        """Return the recipe of the point."""


@dataclass(frozen=True, order=True)
class Point:
    """One model: what the search chooses and everything else as in the recipe."""

    cell: str  # as a recipe calls it
    block: int  # of the recurrent matrices; 1 in both: the dense model
    wide: int  # of the input and projection matrices

    @property
    def name(self) -> str:
        """As a folder is called, such as ``"lstm-8-16"``."""
        return f"{self.cell}-{self.block}-{self.wide}" if self.compressed else f"{self.cell}-dense"

    @property
    def compressed(self) -> bool:
        """Whether it has any blocks."""
        return max(self.block, self.wide) > 1

    @property
    def params(self) -> dict[str, Any]:
        """As a study keeps it."""
        return {"cell": self.cell, "block": self.block, "wide": self.wide}

    def applied(self, recipe: Recipe) -> Recipe:
        """Return the recipe of the point; see `variant`."""
        model, layers = recipe.model.model_copy(update={"cell": self.cell}), []
        for layer in model.layers:
            cell = model.cell_of(layer)
            own = dict.fromkeys(f"block_{name}" for name in MATRICES)
            projection = layer.projection if cell.projects else 0
            changed: dict[str, int | None] = {**own, "projection": projection, "block": self.wide}
            looped = cell.matrices.keys() - {"input", "projection"}  # read in the recurrence
            changed |= dict.fromkeys((f"block_{name}" for name in looped), self.block)
            layers.append(layer.model_copy(update=changed))
        chosen = {"layers": layers, "pad": largest_block(recipe)}
        name = f"{recipe.name[:48]}-{self.name}"
        return recipe.model_copy(update={"name": name, "model": model.model_copy(update=chosen)})

    def __str__(self) -> str:
        """Return the point in words."""
        cell = self.cell.upper()
        if not self.compressed:
            return f"dense {cell}"
        if self.block == self.wide:
            return f"{cell} with blocks of {self.block}"
        return f"{cell} with blocks of {self.block}, of {self.wide} outside the recurrent matrices"


def dense(cell: str) -> Point:
    """Return the point of the dense model."""
    return Point(cell, 1, 1)


def largest_block(recipe: Recipe) -> int:
    """Return the largest block size that every matrix of every layer has room for."""
    rows = [size for layer in recipe.model.layers for size in (layer.hidden, layer.projection)]
    return max(block for block in BLOCK_SIZES if block <= min(filter(None, rows)))


def variant(recipe: Recipe, point: Variant) -> Recipe:
    """Return the recipe of a point.

    All variants are padded alike, so that those of one cell share a dense model. A cell without a
    projection gets as many cells as one with. Layers that name a cell of their own keep it.
    """
    return point.applied(recipe)
