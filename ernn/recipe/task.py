"""The section of the task: what the model is for, how it is judged, and what it may lose."""

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import field_validator, model_validator

from ernn.errors import RecipeError
from ernn.recipe.section import NotNegative, Section

SCORES = ("accuracy", "edit", "auc", "mse", "nmse", "cosine", "agreement", "decisions")
_OWN = re.compile(r".+:[A-Za-z_]\w*")


class TaskRecipe(Section):
    """What a model is for: which data it is trained on, and what score it is judged by.

    speech: phones; its data are those of the sections corpus and features.
    arrays: classes or numbers for sequences that a user keeps in files (docs/own_data.md).
    """

    kind: Literal["speech", "arrays"] = "speech"
    path: str | None = None  # arrays only: the file, or a folder of .csv files
    score: str | None = None  # arrays only: of SCORES, or "module:function"; None: by the targets
    bound: NotNegative | None = None  # allowed loss of the score, integer against dense

    @model_validator(mode="after")
    def _consistent(self) -> "TaskRecipe":
        if self.kind == "arrays" and not self.path:
            raise ValueError('kind = "arrays" needs path, a file of sequences')
        if self.kind == "speech" and self.score is not None:
            given = f'score = "{self.score}"'
            raise RecipeError(f'{given} is for kind = "arrays"', remedy="speech has its own")
        if self.kind == "speech" and self.path is not None:
            given, remedy = f'path = "{self.path}"', "speech has its own in [corpus]"
            raise RecipeError(f'{given} is for kind = "arrays"', remedy=remedy)
        return self

    @field_validator("score")
    @classmethod
    def _known_score(cls, score: str | None) -> str | None:
        if score is not None and score not in SCORES and not _OWN.fullmatch(score):
            raise ValueError(f'choose one of {", ".join(SCORES)}, or your own "module:function"')
        return score

    @property
    def own_score(self) -> tuple[str, str] | None:
        """Module and function of a user's own score; the module may be a file."""
        module, colon, function = (self.score or "").rpartition(":")
        return (module, function) if colon else None

    def beside(self, folder: Path) -> Self:
        """Return the section of a recipe in a folder, in which its own score is looked for."""
        if self.own_score is None:
            return self
        module, function = self.own_score
        file = folder.resolve() / f"{module.replace('.', '/')}.py"
        named = {"score": f"{file}:{function}"} if file.is_file() else {}
        return self.model_copy(update=named)
