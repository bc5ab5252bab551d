"""What every section of a recipe shares: strict tables, sentences, kinds of numbers."""

from collections.abc import Iterator
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
            told = [fault for problem in error.errors() for fault in _faults(source, problem)]
            raise RecipeError(*told) from None


def _faults(source: str, problem: Any) -> Iterator[Fault]:
    """Turn one of pydantic's problems into ours: ``where = value``, what is allowed, the remedy.

    A check of a section that raises a RecipeError has said all but the section's place.
    """
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"])
    where = f"{source}: {where.lstrip('.') or 'recipe'}"
    message = problem["msg"].removeprefix("Value error, ")
    raised = problem.get("ctx", {}).get("error")
    allowed, value = f"{message[0].lower()}{message[1:]}", problem["input"]
    if isinstance(raised, RecipeError):
        yield from raised.at(where).faults
    elif problem["type"] == "extra_forbidden":
        yield Fault(where, "not a known key", "", "remove it or correct its spelling")
    elif problem["type"] == "missing":
        yield Fault(where, "missing", "", "add it")
    elif isinstance(value, dict | list | BaseModel):
        yield Fault(where, allowed)
    else:
        yield Setting(where, repr(value), allowed)
