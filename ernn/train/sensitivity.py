"""How far a model's outputs move with its features: what compression may change, and what not."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from ernn.train.acoustic import AcousticModel

FRAMES = 64  # of a chunk that gradients pass through


def output_gradients(
    model: AcousticModel,
    utterances: Sequence[np.ndarray],
    of_classes: bool,
    seed: int = 0,
    batch: int = 64,
) -> np.ndarray:
    """Return gradients g (N, F) with g' d squared, on average, what a change d costs.

    Of classes, they are gradients of the cross entropy with classes that are drawn from what the
    model says; else of the outputs in a random direction. Either way the mean of g g' is, to
    second order, twice the divergence of the outputs (the squared error, if they are numbers), so
    no targets are needed. The chunks begin from a state of zeros, and N may leave out some
    frames at the ends of utterances.

    Args:
        model: dense, or a compressed one that it took.
        utterances: features (T, F).
        of_classes: outputs are scores of classes.
        seed: of what is drawn.
        batch: chunks at a time.

    Source: the Fisher information, as in Amari, Natural Gradient Works Efficiently in Learning,
    Neural Computation 10, 1998.
    """
    generator = torch.Generator().manual_seed(seed)
    length = min(FRAMES, max(len(utterance) for utterance in utterances))
    chunks = [
        utterance[start : start + length]
        for utterance in utterances
        for start in range(0, len(utterance) - length + 1, length)
    ]
    found = []
    for first in range(0, len(chunks), batch):
        frames = torch.from_numpy(np.stack(chunks[first : first + batch])).float()
        frames.requires_grad_()
        outputs = model(frames).flatten(0, 1)  # (B * T, outputs)
        if of_classes:
            shares = outputs.detach().softmax(-1)
            drawn = torch.multinomial(shares, 1, generator=generator)[:, 0]
            loss = nn.functional.cross_entropy(outputs, drawn, reduction="sum")
        else:
            loss = (outputs * torch.randn(outputs.shape, generator=generator)).sum()
        (gradient,) = torch.autograd.grad(loss, frames)
        found.append(gradient.flatten(0, 1).numpy())
    return np.concatenate(found).astype(np.float64)
