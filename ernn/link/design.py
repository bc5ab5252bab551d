"""Make a link's tables from training frames, a basis and steps."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ernn.errors import ShapeError
from ernn.fixed import QFormat
from ernn.link.bases import Basis
from ernn.link.codes import fit_codes
from ernn.link.tables import LEAST_INDICES, WEIGHT_BITS, LinkTables


def in_groups(utterances: Sequence[np.ndarray], group: int) -> np.ndarray:
    """Return whole groups of frames (N, G * F) of utterances (T, F)."""
    whole = [u[: len(u) // group * group].reshape(-1, group * u.shape[1]) for u in utterances]
    return np.concatenate(whole).astype(np.float64)


def make_tables(
    training: np.ndarray,
    basis: Basis,
    steps: np.ndarray,
    vector: QFormat,
    group: int = 1,
    streams: int = 1,
) -> LinkTables:
    """Return tables with codes that fit training groups.

    Args:
        training: (N, G * F).
        basis: of G * F numbers.
        steps: of each; infinity: not sent.
        vector: format of a feature behind the link.
        group: G.
        streams: of the accelerator.

    Raises:
        ShapeError: nothing would be sent.
    """
    sent = np.flatnonzero(np.isfinite(steps))
    if len(sent) < LEAST_INDICES:
        raise ShapeError(
            f"a link that sends {len(sent)} numbers of a group of frames",
            allowed=f"{LEAST_INDICES} or more",
            remedy="allow it more bits",
        )
    mean = training.mean(0)
    analysis = basis.inverse[sent] / steps[sent, None]
    indices = np.floor((training - mean) @ analysis.T + 0.5).astype(np.int64)
    often = np.argsort(-(indices != 0).mean(0), kind="stable")  # rare ones last: flags for many
    indices, sent, analysis = indices[:, often], sent[often], analysis[often]
    synthesis = (basis.vectors[:, sent] * steps[sent]).T
    weight = QFormat.for_range(max(np.abs(synthesis).max(), np.abs(mean).max()), WEIGHT_BITS)
    none = np.zeros(len(sent), np.int64)
    draft = LinkTables(
        features=training.shape[1] // group,
        group=group,
        streams=streams,
        vector=vector,
        weight=weight,
        analysis=analysis,
        mean=mean,
        offset=weight.quantize(mean),
        synthesis=weight.quantize(synthesis),
        rice=none,
        flagged=none,
    )
    rice, flagged = fit_codes(indices, draft.index_bits)
    return replace(draft, rice=rice, flagged=flagged)
