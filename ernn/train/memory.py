"""What to say when the GPU runs out of memory: the batch that would fit."""

from collections.abc import Callable

import torch
from torch.optim import Optimizer

from ernn.errors import RecipeError

_USABLE = 0.9  # of the memory: the rest is lost between blocks of different sizes


def fitting(peak: Callable[[int], int], count: int, limit: int) -> int:
    """Estimate how many sequences fit into memory when `count` did not.

    An update needs a + b n bytes: a for weights, gradients and data, b for the activations of each
    of n sequences. Both follow from the peaks of two updates with few sequences.

    Args:
        peak: measures the most bytes held during an update with so many sequences.
        count: sequences that did not fit.
        limit: bytes that there are.

    Returns:
        A number below `count`; 0 if not even the small updates fit.
    """
    few, more = max(1, count // 16), max(2, count // 8)
    low = None
    try:
        low = peak(few)
        high = peak(more)
    except torch.cuda.OutOfMemoryError:
        return 0 if low is None else few
    each = max(1.0, (high - low) / (more - few))
    return max(0, min(count - 1, int((_USABLE * limit - low) / each + few)))


def peak_bytes(work: Callable[[], object]) -> int:
    """Return the most bytes that tensors on the GPU held during some work."""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    work()
    return torch.cuda.max_memory_allocated()


def out_of_memory(
    optimizer: Optimizer, update: Callable[[int], object], count: int, processes: int
) -> RecipeError:
    """Return the error to raise after an update ran out of memory.

    Args:
        optimizer: Adam; its two moments come into being at the end of the first update.
        update: does the forward and backward pass with so many sequences.
        count: sequences per process.
        processes: that share the batch.
    """
    torch.cuda.empty_cache()
    free, total = torch.cuda.mem_get_info()
    limit = free + torch.cuda.memory_reserved()
    if not optimizer.state:
        weights = (w for group in optimizer.param_groups for w in group["params"])
        limit -= 2 * sum(w.numel() * w.element_size() for w in weights)
    fits = fitting(lambda n: peak_bytes(lambda: update(n)), count, limit)
    given = (
        f"training.batch = {count * processes} needs more than the GPU's {total / 2**30:.1f} GiB"
    )
    if fits == 0:
        return RecipeError(
            f"{given}, and so does any other", remedy="use a smaller model or shorter chunks"
        )
    return RecipeError(given, remedy=f"use batch = {fits * processes}, which should fit")
