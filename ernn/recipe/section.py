"""What every section of a recipe shares: strict tables, sentences, kinds of numbers."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ernn.errors import Fault, RecipeError, Setting

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
            raise RecipeError(*(_fault(source, problem) for problem in error.errors())) from None


def _fault(source: str, problem: Any) -> Fault:
    """Turn one of pydantic's problems into ours: ``where = value``, what is allowed, the remedy."""
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"])
    where = f"{source}: {where.lstrip('.') or 'recipe'}"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        return Fault(where, "not a known key", "", "remove it or correct its spelling")
    if problem["type"] == "missing":
        return Fault(where, "missing", "", "add it")
    allowed, value = f"{message[0].lower()}{message[1:]}", problem["input"]
    if isinstance(value, dict | list | BaseModel):
        return Fault(where, allowed)
    return Setting(where, repr(value), allowed)
