"""A user's own score: a function of the outputs and the targets of a sequence.

It is run as it is: whoever writes "module:function" into a recipe trusts that module.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ernn.errors import RecipeError
from ernn.score import Measure, own_measure


class OwnScore:
    """The function of a module, which is looked for beside the recipe and in the current folder."""

    def __init__(self, module: str, function: str) -> None:
        """Find the function.

        Raises:
            RecipeError: there is no such module or function, or the module cannot be imported.
        """
        self.where = f"task.score = {module}:{function}"
        try:
            found = getattr(_imported(module), function, None)
        except Exception as error:  # whatever the module does
            what = f"it cannot be imported ({_told(error)})"
            remedy = "put the module beside the recipe or into the current folder"
            raise RecipeError(self.where, given=what, remedy=remedy) from None
        if not callable(found):
            remedy = "name a function of (outputs, targets)"
            raise RecipeError(self.where, given="no such function", remedy=remedy)
        self.function: Callable[..., Any] = found
        better = bool(getattr(found, "higher_is_better", False))
        self.measure: Measure = own_measure(f"{Path(module).stem}:{function}", not better)

    def count(
        self, outputs: Sequence[np.ndarray], targets: Sequence[np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Return what the function says of each sequence.

        Raises:
            RecipeError: it raised something, or returned anything else than a number.
        """
        pairs = enumerate(zip(outputs, targets, strict=True))
        values = [self._value(index, *pair) for index, pair in pairs]
        return {"value": np.array(values), "sequences": np.ones(len(values), int)}

    def _value(self, index: int, outputs: np.ndarray, targets: np.ndarray) -> float:
        try:
            value = self.function(outputs.copy(), targets.copy())
        except Exception as error:  # whatever the user's function does
            told = f"it raised {_told(error)} for sequence {index}"
        else:
            number = isinstance(value, int | float | np.number | np.ndarray)
            if number and np.ndim(value) == 0 and np.isrealobj(value) and np.isfinite(value):
                return float(value)
            told = f"it returned {str(value)[:40]!r} for sequence {index}"
        raise RecipeError(self.where, given=told, remedy="let it return a finite number")


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
