"""A user's own function, which a recipe names as "module:function".

It is run as it is: whoever writes it into a recipe trusts that module.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ernn.errors import RecipeError


@dataclass(frozen=True)
class OwnFunction:
    """A function of a module, which is looked for beside the recipe and in the current folder."""

    where: str  # "task.score = module:function", for errors
    name: str  # "module:function", without folders
    function: Callable[..., Any]

    def call(self, *arguments: Any, of: str = "") -> Any:
        """Return what the function returns.

        Args:
            arguments: of the function.
            of: what it is called for, in words.

        Raises:
            RecipeError: the function raised something.
        """
        try:
            return self.function(*arguments)
        except Exception as error:  # whatever the user's function does
            raise self.wrong(f"it raised {_told(error)}{of}") from None

    def wrong(self, given: str, remedy: str = "let it return a finite number") -> RecipeError:
        """Return the error of a function that does not do what it should."""
        return RecipeError(self.where, given=given, remedy=remedy)


def own_function(key: str, module: str, function: str, takes: str) -> OwnFunction:
    """Find a function.

    Args:
        key: of the recipe.
        module: its name, or its file.
        function: its name.
        takes: its arguments, in words.

    Raises:
        RecipeError: there is no such module or function, or the module cannot be imported.
    """
    where = f"{key} = {module}:{function}"
    try:
        found = getattr(_imported(module), function, None)
    except Exception as error:  # whatever the module does
        what = f"it cannot be imported ({_told(error)})"
        remedy = "put the module beside the recipe or into the current folder"
        raise RecipeError(where, given=what, remedy=remedy) from None
    if not callable(found):
        raise RecipeError(where, given="no such function", remedy=f"name a function of {takes}")
    return OwnFunction(where, f"{Path(module).stem}:{function}", found)


def file_of(module: str) -> Path | None:
    """Return the file of a module, if it has one."""
    if module.endswith(".py"):
        return Path(module)
    try:
        with _on_path(Path.cwd()):
            found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return Path(found.origin) if found and found.has_location and found.origin else None


def _imported(module: str) -> ModuleType:
    file = file_of(module)
    if not module.endswith(".py") or file is None:
        with _on_path(Path.cwd()):
            return importlib.import_module(module)
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file")
    made = importlib.util.module_from_spec(spec)
    with _on_path(file.parent):  # for modules beside it
        spec.loader.exec_module(made)
    return made


@contextmanager
def _on_path(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _told(error: Exception) -> str:
    """Return an error in one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0].removesuffix(": ")
