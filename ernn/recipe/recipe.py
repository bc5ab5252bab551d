"""A whole recipe: everything a user can set, in one TOML file, validated once and all at once."""

import re
from pathlib import Path
from typing import Any

from pydantic import field_validator, model_validator

from ernn.datafile import load_toml
from ernn.errors import RecipeError
from ernn.recipe.hardware import HardwareRecipe, SimulationRecipe
from ernn.recipe.model import ModelRecipe
from ernn.recipe.quantization import QuantizationRecipe
from ernn.recipe.section import NotNegative, Section, Seed
from ernn.recipe.speech import CorpusRecipe, FeatureRecipe
from ernn.recipe.training import CompressionRecipe, TrainingRecipe

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Recipe(Section):
    """One accelerator, from speech to report."""

    name: str
    seed: Seed = 0
    per_bound_points: NotNegative | None = None  # allowed loss of PER, integer against dense
    corpus: CorpusRecipe = CorpusRecipe()
    features: FeatureRecipe = FeatureRecipe()
    model: ModelRecipe
    training: TrainingRecipe = TrainingRecipe()
    compression: CompressionRecipe = CompressionRecipe()
    quantization: QuantizationRecipe = QuantizationRecipe()
    hardware: HardwareRecipe = HardwareRecipe()
    simulation: SimulationRecipe = SimulationRecipe()

    @property
    def corpus_seed(self) -> int:
        """The seed that the corpus is made from."""
        return self.seed if self.corpus.seed is None else self.corpus.seed

    @property
    def search_bound_points(self) -> float | None:
        """The bound that bits are searched against, if they are."""
        return self.per_bound_points if self.quantization.search else None

    @model_validator(mode="after")
    def _search_has_a_bound(self) -> "Recipe":
        if self.quantization.search and self.per_bound_points is None:
            raise ValueError(
                "quantization.search = true needs per_bound_points, the allowed loss of PER"
            )
        return self

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if not NAME.fullmatch(name):
            raise ValueError(
                "use 1 to 64 letters, digits, '-' or '_', starting with a letter or digit"
            )
        return name

    @classmethod
    def load(cls, path: Path) -> "Recipe":
        """Read and check a TOML recipe.

        Raises:
            RecipeError: the file cannot be read, or anything in it is wrong; every problem is
                named in one message.
        """
        return cls.from_dict(load_toml(Path(path), RecipeError, "a TOML recipe"), str(path))

    def with_hardware(self, changes: dict[str, Any]) -> "Recipe":
        """Return the recipe with other keys in its hardware section, checked anew.

        Raises:
            RecipeError: a key that is not known, or a value that is not allowed.
        """
        data = self.model_dump(mode="json")
        return self.from_dict({**data, "hardware": {**data["hardware"], **changes}}, self.name)
