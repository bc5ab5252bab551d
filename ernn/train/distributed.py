"""One training on several processes, started by torch's launcher, one GPU each.

Every process draws the same batch, takes every n-th sequence of it, and adds its gradients to the
others': the update is that of one process with the whole batch, up to the order of summation. The
gradients travel as one vector, after the backward pass: models of this size are exchanged in less
time than torch's wrapper needs to interleave them. Without a launcher all of this does nothing.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

T = TypeVar("T")

_PATIENCE = timedelta(days=7)  # helpers wait while the first process does other things


def launched() -> bool:
    """Tell whether this process is one of several that `torchrun` started."""
    return "LOCAL_RANK" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1


@contextmanager
def joined() -> Iterator[None]:
    """Belong to the processes that were launched together, for a while."""
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(device())
    dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo", timeout=_PATIENCE)
    try:
        yield
    finally:
        dist.destroy_process_group()


def world() -> int:
    """Return the number of processes."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Return this process's number; the first one, 0, is the only one that writes."""
    return dist.get_rank() if world() > 1 else 0


def device() -> str:
    """Return where this process computes: its own GPU if there are any."""
    if not torch.cuda.is_available():
        return "cpu"
    return f"cuda:{os.environ['LOCAL_RANK']}" if launched() else "cuda"


def from_first(compute: Callable[[], T]) -> T:
    """Return what `compute` returns on the first process; the others do not call it."""
    if world() == 1:
        return compute()
    box = [compute() if rank() == 0 else None]
    dist.broadcast_object_list(box, device=torch.device("cpu"))
    return box[0]  # type: ignore[return-value]


def add_up(tensors: list[Tensor]) -> None:
    """Replace each tensor by its sum over all processes."""
    if world() == 1:
        return
    together = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(together)
    sizes = [tensor.numel() for tensor in tensors]
    for tensor, total in zip(tensors, together.split(sizes), strict=True):
        tensor.copy_(total.view_as(tensor))
