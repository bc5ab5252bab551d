"""What an integer model makes of whole utterances."""

from collections.abc import Sequence

import numpy as np

from ernn.quant.frames import stack
from ernn.quant.integer_model import IntegerModel
from ernn.quant.interpreter import Progress


def predict(
    model: IntegerModel, utterances: Sequence[np.ndarray], progress: Progress | None = None
) -> list[np.ndarray]:
    """Return the outputs (T, labels) as floats for the features (T, F) of each utterance."""
    frames, lengths = stack(utterances)
    trace = model.run(frames, lengths, {model.leaving}, progress)
    outputs = trace.to_float(model.leaving)[..., : model.labels or None]
    return [rows[:length] for rows, length in zip(outputs, lengths, strict=True)]
