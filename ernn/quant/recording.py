"""Recording: the signals of a run that somebody asked for, one array each."""

from collections.abc import Collection

import numpy as np


class Recording:
    """Signals (B, T, size) by name, zeros where nothing was computed."""

    def __init__(self, names: Collection[str] | None, frames: np.ndarray, dtype: type) -> None:
        """Keep ``names`` (None: all) of a run over ``frames`` (T, B, X)."""
        self.names, self.shape, self.dtype = names, frames.shape[1::-1], dtype
        self.signals: dict[str, np.ndarray] = {}

    def note(self, name: str, utterances: np.ndarray, start: int, values: np.ndarray) -> None:
        """Take what the interpreter tells; see `ernn.quant.interpreter.Note`."""
        if self.names is not None and name not in self.names:
            return
        if name not in self.signals:
            self.signals[name] = np.zeros((*self.shape, values.shape[2]), self.dtype)
        self.signals[name][utterances, start : start + len(values)] = values.swapaxes(0, 1)
