"""How far the integer model's signals are from the float model's."""

from typing import Any

import numpy as np

from ernn.compressed import CompressedModel
from ernn.quant.float_model import run_float
from ernn.quant.integer_model import IntegerModel


def compare_signals(
    model: IntegerModel, compressed: CompressedModel, frames: np.ndarray, lengths: np.ndarray
) -> dict[str, dict[str, Any]]:
    """Return how far every signal of an integer model is from the float model's.

    Args:
        model: the integer model.
        compressed: the float model that it was made from.
        frames: (B, T, F) features.
        lengths: (B,) frames of each utterance.
    """
    names = set(model.formats)
    exact = run_float(compressed, frames, taps=names)
    trace = model.run(frames, lengths, names)
    inside = np.arange(frames.shape[1]) < lengths[:, None]  # (B, T)
    errors = {}
    for name in sorted(names & exact.keys()):
        error = (trace.to_float(name) - exact[name])[inside]
        errors[name] = {
            "format": str(model.formats[name]),
            "rms_error": float(np.sqrt(np.square(error).mean())),
            "max_error": float(np.abs(error).max()),
            "saturated": trace.saturated[name],
            "values": trace.counted[name],
        }
    return errors
