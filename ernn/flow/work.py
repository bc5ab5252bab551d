"""What a running step may use."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ernn.flow.run_folder import RunFolder
from ernn.progress import Progress

if TYPE_CHECKING:  # a step depends on the sections that it uses, not on all of them
    from ernn.recipe import Recipe


@dataclass(frozen=True)
class Work:
    """A step at work."""

    recipe: "Recipe"
    run: RunFolder  # in which the folder of this step is the one that it fills
    step: str
    progress: Callable[[str], AbstractContextManager[Progress]]

    @property
    def folder(self) -> Path:
        """Everything that the step leaves here is kept."""
        return self.run.folder(self.step)

    @property
    def cache(self) -> Path:
        """Survives failures and reruns; may be deleted at any time."""
        return self.run.cache(self.step)
