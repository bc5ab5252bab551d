"""What every section of a recipe shares: strict tables, sentences, kinds of numbers."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ernn.errors import RecipeError

Count = Annotated[int, Field(gt=0, le=1_000_000)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
LearningRate = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Section(BaseModel):
    """A table of the recipe: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @classmethod
    def from_dict(cls, data: dict[str, Any], source: str = "recipe") -> Self:
        """Check a section, or a whole recipe, that was already parsed.

        Raises:
            RecipeError: a line for every key that is unknown, missing or not allowed.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            problems = [_sentence(problem) for problem in error.errors()]
            raise RecipeError("\n".join(f"{source}: {problem}" for problem in problems)) from None


def _sentence(problem) -> str:
    """Turn one pydantic problem into ``where = value: what is allowed``."""
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"])
    where = where.lstrip(".") or "recipe"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        return f"{where} is not a known key; remove it or correct its spelling"
    if problem["type"] == "missing":
        return f"{where} is missing; add it"
    value = problem["input"]
    shown = "" if isinstance(value, dict | list | BaseModel) else f" = {value!r}"
    return f"{where}{shown}: {message[0].lower()}{message[1:]}"
