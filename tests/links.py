"""Random tables of a compressed link, and frames for it."""

import numpy as np

from ernn.fixed import QFormat
from ernn.link.codes import fit_codes
from ernn.link.tables import LinkTables

FEATURES = 5
VECTOR = QFormat(3, 11)


def speak(rng: np.random.Generator, frames: int) -> np.ndarray:
    """Features (T, F), some of them beyond the format."""
    return rng.normal(size=(frames, FEATURES)) * rng.choice([0.01, 1.0, 4.0], (frames, 1))


def draw_tables(rng: np.random.Generator, group: int, streams: int) -> LinkTables:
    """Tables of three numbers a frame whose codes fit some frames, rare numbers last."""
    count, size = 3 * group, FEATURES * group
    vectors = np.linalg.qr(rng.normal(size=(size, size)))[0][:count]
    steps = 2.0 ** np.linspace(-3, 2, count)
    training = speak(rng, 64 * group).reshape(-1, size)
    indices = np.floor(training @ vectors.T / steps + 0.5).astype(np.int64)
    weight = QFormat.for_range(float(steps.max()), 12)
    matrices = {
        "analysis": vectors / steps[:, None],
        "mean": np.zeros(size),
        "offset": rng.integers(-3, 4, size),
        "synthesis": weight.quantize(vectors * steps[:, None]),
    }
    rice, flagged = fit_codes(indices, 9)
    sizes = {"features": FEATURES, "group": group, "streams": streams}
    formats = {"vector": VECTOR, "weight": weight}
    return LinkTables(**sizes, **formats, **matrices, rice=rice, flagged=flagged)
