"""A user's own score: a function of the outputs and the targets of a sequence."""

from collections.abc import Sequence

import numpy as np

from ernn.own_function import own_function
from ernn.score import Measure, own_measure


class OwnScore:
    """The mean over sequences of what a function returns."""

    def __init__(self, module: str, function: str) -> None:
        """Find the function.

        Raises:
            RecipeError: there is no such module or function, or the module cannot be imported.
        """
        self.own = own_function("task.score", module, function, "(outputs, targets)")
        better = bool(getattr(self.own.function, "higher_is_better", False))
        self.measure: Measure = own_measure(self.own.name, not better)

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
        value = self.own.call(outputs.copy(), targets.copy(), of=f" for sequence {index}")
        number = isinstance(value, int | float | np.number | np.ndarray)
        if number and np.ndim(value) == 0 and np.isrealobj(value) and np.isfinite(value):
            return float(value)
        raise self.own.wrong(f"it returned {str(value)[:40]!r} for sequence {index}")
