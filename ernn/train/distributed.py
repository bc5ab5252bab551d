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
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

T = TypeVar("T")

_PATIENCE = timedelta(days=7)  # helpers wait while the first process does other things
_together = False  # whether all processes are at the same training now


@contextmanager
def joined() -> Iterator[None]:
    """Be able to exchange something with the processes that were launched together."""
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(device())
    dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo", timeout=_PATIENCE)
    try:
        yield
    finally:
        dist.destroy_process_group()


@contextmanager
def together() -> Iterator[None]:
    """Train what all processes train; outside of this, each of them is alone."""
    global _together
    _together = dist.is_available() and dist.is_initialized()
    try:
        yield
    finally:
        _together = False


def world() -> int:
    """Return the number of processes that train together."""
    return dist.get_world_size() if _together else 1


def rank() -> int:
    """Return this process's number; the first one, 0, is the only one that writes."""
    return dist.get_rank() if world() > 1 else 0


def device() -> str:
    """Return where this process computes: its own GPU if there are any."""
    if not torch.cuda.is_available():
        return "cpu"
    return f"cuda:{os.environ.get('LOCAL_RANK', 0)}"


def from_first(compute: Callable[[], T]) -> T:
    """Return what `compute` returns on the first process; the others do not call it."""
    if world() == 1:
        return compute()
    return tell(compute() if rank() == 0 else None)


def tell(value: Any = None) -> Any:
    """Return the first process's value, once every process has called this."""
    box = [value]
    dist.broadcast_object_list(box, device=torch.device("cpu"))
    return box[0]


def add_up(tensors: list[Tensor]) -> None:
    """Replace each tensor by its sum over all processes."""
    if world() == 1:
        return
    together = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(together)
    sizes = [tensor.numel() for tensor in tensors]
    for tensor, total in zip(tensors, together.split(sizes), strict=True):
        tensor.copy_(total.view_as(tensor))
