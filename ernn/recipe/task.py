"""The section of the task: what the model is for, how it is judged, and what it may lose."""

import json
import re
from pathlib import Path
from typing import Literal, Self

from pydantic import ValidationInfo, field_validator, model_validator

from ernn.errors import RecipeError
from ernn.recipe.section import NotNegative, Section

SCORES = ("accuracy", "edit", "auc", "mse", "nmse", "cosine", "agreement", "decisions")
LOSSES = ("cross_entropy", "binary_cross_entropy", "squared_error", "cosine", "divergence")
_OWN = re.compile(r".+:[A-Za-z_]\w*")


class TaskRecipe(Section):
    """What a model is for: which data it is trained on, and what score it is judged by.

    speech: phones; its data are those of the sections corpus and features.
    arrays: classes or numbers for sequences that a user keeps in files (docs/own_data.md).
    """

    kind: Literal["speech", "arrays"] = "speech"
    path: str | None = None  # arrays only: the file, or a folder of .csv files
    score: str | None = None  # arrays only: of SCORES, or "module:function"; None: by the targets
    loss: str | None = None  # arrays only: of LOSSES, or "module:function"; None: by the targets
    at_end: bool = False  # arrays without targets: only the last step of a sequence counts
    bound: NotNegative | None = None  # allowed loss of the score, integer against dense

    @model_validator(mode="after")
    def _consistent(self) -> "TaskRecipe":
        if self.kind == "arrays" and not self.path:
            raise ValueError('kind = "arrays" needs path, a file of sequences')
        for key, remedy in (
            ("score", "speech has its own"),
            ("loss", "speech has its own in [training]"),
            ("path", "speech has its own in [corpus]"),
            ("at_end", "phones are said all along"),
        ):
            if self.kind == "speech" and (value := getattr(self, key)):
                given = f"{key} = {json.dumps(value)}"
                raise RecipeError(f'{given} is for kind = "arrays"', remedy=remedy)
        return self

    @field_validator("score", "loss")
    @classmethod
    def _known(cls, name: str | None, info: ValidationInfo) -> str | None:
        known = SCORES if info.field_name == "score" else LOSSES
        if name is not None and name not in known and not _OWN.fullmatch(name):
            raise ValueError(f'choose one of {", ".join(known)}, or your own "module:function"')
        return name

    @property
    def own_score(self) -> tuple[str, str] | None:
        """Module and function of a user's own score; the module may be a file."""
        return _parts(self.score)

    @property
    def own_loss(self) -> tuple[str, str] | None:
        """Module and function of a user's own loss; the module may be a file."""
        return _parts(self.loss)

    def beside(self, folder: Path) -> Self:
        """Return the section of a recipe in a folder, in which its own functions are looked for."""
        named: dict[str, str] = {}
        for key, own in (("score", self.own_score), ("loss", self.own_loss)):
            if own is not None:
                file = folder.resolve() / f"{own[0].replace('.', '/')}.py"
                named |= {key: f"{file}:{own[1]}"} if file.is_file() else {}
        return self.model_copy(update=named)


def _parts(name: str | None) -> tuple[str, str] | None:
    """Return module and function of "module:function"; None of anything else."""
    module, colon, function = (name or "").rpartition(":")
    return (module, function) if colon else None
