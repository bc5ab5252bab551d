"""The section of the task: what the model is for, and what it may lose."""

from typing import Literal

from pydantic import model_validator

from ernn.errors import RecipeError
from ernn.recipe.section import NotNegative, Section


class TaskRecipe(Section):
    """What a model is for: which data it is trained on, and what score it is judged by.

    speech: phones; its data are those of the sections corpus and features.
    arrays: classes of sequences that a user keeps in an .npz file (docs/own_data.md).
    """

    kind: Literal["speech", "arrays"] = "speech"
    path: str | None = None  # arrays only: the file
    bound: NotNegative | None = None  # allowed loss of the score, integer against dense

    @model_validator(mode="after")
    def _consistent(self) -> "TaskRecipe":
        if self.kind == "arrays" and not self.path:
            raise ValueError('kind = "arrays" needs path, an .npz file of sequences')
        if self.kind == "speech" and self.path is not None:
            given, remedy = f'path = "{self.path}"', "speech has its own in [corpus]"
            raise RecipeError(f'{given} is for kind = "arrays"', remedy=remedy)
        return self
