"""The section of the source: where the dense model comes from."""

from typing import Literal

from pydantic import model_validator

from ernn.errors import RecipeError
from ernn.recipe.section import Section


class SourceRecipe(Section):
    """Whether the dense model is trained here, or was trained elsewhere and imported.

    The kind is also the name of the step that leaves the dense model.
    """

    kind: Literal["train", "import"] = "train"
    path: str | None = None  # import only: the network.safetensors that `ernn import` wrote

    @model_validator(mode="after")
    def _consistent(self) -> "SourceRecipe":
        if self.kind == "import" and not self.path:
            raise ValueError('kind = "import" needs path, the network that `ernn import` wrote')
        if self.kind == "train" and self.path is not None:
            given = f'path = "{self.path}" is for kind = "import"'
            raise RecipeError(given, remedy='write kind = "import", or remove the path')
        return self
