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
from ernn.recipe.section import Section, Seed
from ernn.recipe.source import SourceRecipe
from ernn.recipe.speech import CorpusRecipe, FeatureRecipe
from ernn.recipe.task import TaskRecipe
from ernn.recipe.training import CompressionRecipe, TrainingRecipe

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Recipe(Section):
    """One accelerator, from data to report."""

    name: str
    seed: Seed = 0
    source: SourceRecipe = SourceRecipe()
    task: TaskRecipe = TaskRecipe()
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
    def data(self) -> dict[str, str | None]:
        """Which data the task has, without how it is judged on them."""
        return {"kind": self.task.kind, "path": self.task.path}

    @property
    def unread(self) -> tuple[str, ...]:
        """What the recipe's task does not read."""
        return ("goal",) if self.task.kind == "speech" else ("corpus", "corpus_seed", "features")

    @property
    def data_name(self) -> str:
        """The data in one word."""
        return self.corpus.kind if self.task.kind == "speech" else self.task.kind

    @property
    def goal(self) -> dict[str, str | bool | None]:
        """What models are judged by and trained for, as far as the recipe says it."""
        return {key: getattr(self.task, key) for key in ("score", "loss", "at_end")}

    @property
    def search_bound(self) -> float | None:
        """The bound that bits are searched against, if they are."""
        return self.task.bound if self.quantization.search else None

    @model_validator(mode="before")
    @classmethod
    def _former_bound(cls, data: Any) -> Any:
        """Take `per_bound_points`, as recipes of speech named the bound before there were tasks."""
        if not isinstance(data, dict) or "per_bound_points" not in data:
            return data
        task = data.get("task", {})
        if not isinstance(task, dict) or {"kind", "bound"} & task.keys():
            former = "per_bound_points is the former name of a bound"
            raise RecipeError(former, remedy="write [task] bound instead")
        rest = {key: value for key, value in data.items() if key != "per_bound_points"}
        return {**rest, "task": {**task, "bound": data["per_bound_points"]}}

    @model_validator(mode="after")
    def _only_tiles_are_dropped(self) -> "Recipe":
        asked = {"purify": self.compression.purify, "progressive": self.compression.progressive}
        for key, value in asked.items():
            if value and not self.model.tiled:
                raise RecipeError(
                    f"compression.{key} = {value}: the model has no tiles to drop",
                    remedy=f"set [model] keep below 1, or remove {key}",
                )
        return self

    @model_validator(mode="after")
    def _search_has_a_bound(self) -> "Recipe":
        if self.quantization.search and self.task.bound is None:
            raise ValueError(
                "quantization.search = true needs [task] bound, the allowed loss of the score"
            )
        return self

    @model_validator(mode="after")
    def _sections_of_the_task(self) -> "Recipe":
        """Refuse what another task than the recipe's would read."""
        speech = {
            "[corpus]": self.corpus != CorpusRecipe(),
            "[features]": self.features != FeatureRecipe(),
            "[training] loss": self.training.loss != TrainingRecipe().loss,
        }
        given = [section for section, there in speech.items() if there]
        if self.task.kind == "arrays" and given:
            silent = (
                f'{" and ".join(given)} say nothing to [task] kind = "arrays", whose files hold '
                "frames and targets"
            )
            raise RecipeError(silent, remedy="remove them")
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
        recipe = cls.from_dict(load_toml(Path(path), RecipeError, "a TOML recipe"), str(path))
        return recipe.model_copy(update={"task": recipe.task.beside(Path(path).parent)})

    def with_hardware(self, changes: dict[str, Any]) -> "Recipe":
        """Return the recipe with other keys in its hardware section, checked anew.

        Raises:
            RecipeError: a key that is not known, or a value that is not allowed.
        """
        data = self.model_dump(mode="json")
        return self.from_dict({**data, "hardware": {**data["hardware"], **changes}}, self.name)
