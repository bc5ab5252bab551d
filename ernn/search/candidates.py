"""Candidates: a block size and a share of tiles for every matrix, and the recipe of each."""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from ernn.recipe import MATRICES, Recipe
from ernn.search.space import largest_block

KEEPS = (1.0, 0.5, 0.25, 0.125)  # shares of tiles, if a user names none
LADDER = (4, 1)  # trainings take one in so many of a recipe's updates


@dataclass(frozen=True, order=True)
class Choice:
    """What is chosen for one matrix."""

    block: int  # 1: no blocks
    keep: float  # share of its tiles that have weights

    def __str__(self) -> str:
        """Return the choice as a folder is called: blocks of 8 and half of the tiles: ``8k50``."""
        return f"{self.block}" if self.keep == 1 else f"{self.block}k{100 * self.keep:g}"


DENSE = Choice(1, 1.0)


@dataclass(frozen=True, order=True)
class Candidate:
    """One model, and how long it is trained."""

    cell: str
    choices: tuple[tuple[str, Choice], ...]  # of every matrix, by name: "layer0.input"
    fraction: int = 1  # one in so many of the recipe's updates

    @property
    def compressed(self) -> bool:
        """Whether any matrix has blocks or lacks tiles."""
        return any(choice != DENSE for _, choice in self.choices)

    @property
    def full(self) -> "Candidate":
        """The same model, trained in full."""
        return replace(self, fraction=1)

    @property
    def name(self) -> str:
        """As a folder is called: ``"gru-8-4k50-4"``, and ``"-in-4"`` behind a quarter's."""
        if not self.compressed:
            return f"{self.cell}-dense"
        listed = "-".join(str(choice) for _, choice in self.choices)
        if len(listed) > 100:
            listed = hashlib.sha256(listed.encode()).hexdigest()[:16]
        return f"{self.cell}-{listed}" + (f"-in-{self.fraction}" if self.fraction > 1 else "")

    @property
    def params(self) -> dict[str, Any]:
        """As a study keeps it."""
        found: dict[str, Any] = {"cell": self.cell, "fraction": self.fraction}
        for matrix, choice in self.choices:
            found |= {f"{matrix} block": choice.block, f"{matrix} keep": choice.keep}
        return found

    def applied(self, recipe: Recipe) -> Recipe:
        """Return the recipe of the candidate; those of one recipe share a dense model."""
        chosen, layers = dict(self.choices), []
        for index, layer in enumerate(recipe.model.layers):
            own: dict[str, Any] = {f"{k}_{m}": None for k in ("block", "keep") for m in MATRICES}
            for matrix in recipe.model.matrices_of(layer):
                choice = chosen[f"layer{index}.{matrix}"]
                own |= {f"block_{matrix}": choice.block, f"keep_{matrix}": choice.keep}
            layers.append(layer.model_copy(update={**own, "block": 1, "keep": None}))
        changed = {"layers": layers, "pad": largest_block(recipe)}
        model = recipe.model.model_copy(update=changed)
        compression = recipe.compression
        updates = {
            key: max(1, getattr(compression, key) // self.fraction)
            for key in ("updates", "retrain_updates")
        }
        updates["updates_per_round"] = min(compression.updates_per_round, updates["updates"])
        tiles = {} if model.tiled else {"purify": None, "progressive": 0.0}
        mark = hashlib.sha256(self.name.encode()).hexdigest()[:8]
        return recipe.model_copy(
            update={
                "name": f"{recipe.name[:48]}-{mark}",
                "model": model,
                "compression": compression.model_copy(update={**updates, **tiles}),
            }
        )

    def __str__(self) -> str:
        """Return the candidate in words."""
        if not self.compressed:
            return f"dense {self.cell.upper()}"
        told = ", ".join(f"{matrix} {_words(choice)}" for matrix, choice in self.choices)
        return f"{self.cell.upper()}: {told}"


def _words(choice: Choice) -> str:
    blocks = "dense" if choice.block == 1 else f"blocks of {choice.block}"
    return blocks if choice.keep == 1 else f"{blocks}, {100 * choice.keep:g} % of the tiles"
