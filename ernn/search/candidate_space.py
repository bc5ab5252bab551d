"""The space of a search over every matrix: which candidates a recipe and its part allow.

A candidate is written as a sequence of tokens, two for a matrix. Which tokens may follow is known
before anything is planned: the recipe has rules for blocks and tiles of a matrix, and the planner
refuses a model whose weights no memory of the part holds, however the rest of it is chosen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution

from ernn.bilinear import spectral
from ernn.errors import PlanError, RecipeError, ShapeError
from ernn.graphs.cell import INPUT
from ernn.graphs.reads import FEATURES
from ernn.parts.part import load_part
from ernn.recipe import Recipe
from ernn.search.candidates import DENSE, KEEPS, LADDER, Candidate, Choice
from ernn.search.space import Variant
from ernn.train.acoustic import AcousticModel


def _density(choice: Choice) -> float:
    """Return the share of a matrix's values that is stored."""
    return choice.keep * spectral(choice.block).products / choice.block**2


class Space:
    """Every candidate that a recipe allows; also how a study keeps one."""

    cost, metric = "cycles", "cycles per frame"

    def __init__(
        self,
        recipe: Recipe,
        features: int,
        outputs: int,
        blocks: Sequence[int],
        keeps: Sequence[float] = KEEPS,
    ) -> None:
        """Find what every matrix may have.

        Args:
            recipe: what stays: cells, sizes, tiles, part.
            features: values per frame.
            outputs: of the model.
            blocks: sizes to choose from.
            keeps: shares of tiles to choose from.

        Raises:
            RecipeError: a matrix has no choice that the recipe's rules allow.
            PlanError: no memory of the part holds the weights of any candidate.
        """
        self.blocks, self.keeps = tuple(sorted(blocks)), tuple(sorted(keeps, reverse=True))
        self.cell = recipe.model.cell
        model = AcousticModel(recipe.model.dense(), features, outputs)
        names = [name for name in model.matrices() if name != "output"]
        self.dense = Candidate(self.cell, tuple((name, DENSE) for name in names))
        self.matrices: dict[str, dict[Choice, int]] = {}  # least stored weights of each choice
        padded = AcousticModel(self.dense.applied(recipe).model, features, outputs).matrices()
        for name in names:
            shape = padded[name].rows, padded[name].cols
            self.matrices[name] = self._choices(recipe, name, shape, features)
        if all(set(found) == {DENSE} for found in self.matrices.values()):
            raise RecipeError(
                "the space has no point but the dense model",
                given="all that the recipe's rules allow is blocks of 1 with all tiles",
                remedy="give larger --blocks or a smaller --keep",
            )
        part = load_part(recipe.hardware.part)
        bits = recipe.quantization.weight_bits
        whole = recipe.model.output_layer and recipe.model.output_keep == 1
        output = outputs * padded["output"].cols // recipe.model.output_block if whole else 0
        self.room = part.most_bits // bits - output
        self._stored = np.array(
            [
                [[found.get(Choice(b, k), self.room + 1) for k in self.keeps] for b in self.blocks]
                for found in self.matrices.values()
            ]
        )
        least = [min(found.values()) for found in self.matrices.values()]
        self.least = [sum(least[index:]) for index in range(len(least) + 1)]  # of those behind
        if self.least[0] > self.room:
            raise PlanError(
                f"no point of the space fits {part.name}",
                given=f"its smallest weights take {self.least[0] * bits / 1024:,.0f} kbit",
                allowed=f"{part.most_bits / 1024:,.0f} kbit in all memories",
                remedy="take larger --blocks, a smaller --keep, fewer bits or a larger part",
            )

    def _choices(
        self, recipe: Recipe, name: str, shape: tuple[int, int], features: int
    ) -> dict[Choice, int]:
        """Return what the recipe's rules allow for a matrix, with its least stored weights."""
        place, matrix = name.split(".")
        index = int(place.removeprefix("layer"))
        found, refusal = {}, ""
        for block in self.blocks:
            for keep in self.keeps:
                choice = Choice(block, keep)
                chosen = tuple((n, choice if n == name else c) for n, c in self.dense.choices)
                applied = replace(self.dense, choices=chosen).applied(recipe)
                layer = applied.model.layers[index]
                vector = applied.model.cell_of(layer).matrices[matrix].vector
                first = vector == INPUT and applied.model.sources(index) == (FEATURES,)
                p, q = (size // block for size in shape)
                try:
                    Recipe.from_dict(applied.model_dump(mode="json", exclude_none=True))
                    used = features if first else None
                    applied.model.structure_of(layer, matrix, used).check(p, q)
                except (RecipeError, ShapeError) as error:
                    refusal = refusal or str(error.fault)
                    continue
                columns = -(-features // block) if first else q
                tile = layer.tile or applied.model.tile
                rounding = prod(size or (p, columns)[axis] for axis, size in enumerate(tile))
                blocks = p * columns if keep == 1 else max(1, int(keep * p * columns) - rounding)
                found[choice] = blocks * spectral(block).products
        if not found:
            raise RecipeError(
                f"the {name} matrix has no point in the space",
                given=refusal,
                remedy="give other --blocks or --keep",
            )
        return found

    # Tokens: places in `blocks` and `keeps`, by turns

    @property
    def length(self) -> int:
        """Tokens of a candidate."""
        return 2 * len(self.matrices)

    def mask(self, tokens: Sequence[int]) -> np.ndarray:
        """Return which tokens may follow these, as booleans."""
        index, behind = divmod(len(tokens), 2)
        stored = sum(self._stored[n, tokens[2 * n], tokens[2 * n + 1]] for n in range(index))
        fits = self._stored[index] <= self.room - stored - self.least[index + 1]
        legal: np.ndarray = fits[tokens[-1]] if behind else fits.any(1)
        return legal

    def _choice(self, pair: Sequence[int]) -> Choice:
        return Choice(self.blocks[pair[0]], self.keeps[pair[1]])

    def candidate(self, tokens: Sequence[int]) -> Candidate:
        """Return what a sequence of tokens says."""
        pairs = [self._choice(tokens[index : index + 2]) for index in range(0, self.length, 2)]
        return Candidate(self.cell, tuple(zip(self.matrices, pairs, strict=True)))

    def draw(self, rng: np.random.Generator) -> Candidate:
        """Return a candidate at random, every token as likely as the others that may follow."""
        tokens: list[int] = []
        while len(tokens) < self.length:
            tokens.append(int(rng.choice(np.flatnonzero(self.mask(tokens)))))
        return self.candidate(tokens)

    def __iter__(self) -> Iterator[Candidate]:
        """Yield every candidate."""
        stack: list[list[int]] = [[]]
        while stack:
            tokens = stack.pop()
            if len(tokens) == self.length:
                yield self.candidate(tokens)
            else:
                stack += [[*tokens, int(t)] for t in np.flatnonzero(self.mask(tokens))[::-1]]

    @property
    def size(self) -> int:
        """No more candidates than this."""
        return prod(len(found) for found in self.matrices.values())

    @property
    def smallest(self) -> Candidate:
        """The candidate of least weights."""
        least = ((name, min(found, key=_density)) for name, found in self.matrices.items())
        return Candidate(self.cell, tuple(least))

    def allows(self, candidate: Candidate) -> bool:
        """Whether tokens for a candidate may follow each other."""
        never = self.room + 1
        sizes = (self.matrices[name].get(choice, never) for name, choice in candidate.choices)
        return sum(sizes) <= self.room

    # As a study keeps them

    @property
    def told(self) -> dict[str, Any]:
        """What the space is made of."""
        return {"blocks": list(self.blocks), "keep": list(self.keeps)}

    def distributions(self, point: Variant) -> dict[str, BaseDistribution]:
        """Return what the parameters of a candidate are from, the dense model's among them."""
        blocks = CategoricalDistribution(sorted({1, *self.blocks}))
        keeps = CategoricalDistribution(sorted({1.0, *self.keeps}))
        found: dict[str, BaseDistribution] = {
            "cell": CategoricalDistribution((self.cell,)),
            "fraction": CategoricalDistribution(LADDER),
        }
        for name in self.matrices:
            found |= {f"{name} block": blocks, f"{name} keep": keeps}
        return found

    def point(self, params: dict[str, Any]) -> Candidate | None:
        """Return the candidate of some parameters."""
        if params.keys() != self.dense.params.keys():
            return None
        choices = tuple(
            (name, Choice(params[f"{name} block"], params[f"{name} keep"]))
            for name in self.matrices
        )
        return Candidate(params["cell"], choices, params["fraction"])
