"""The element-wise operations of `ernn.graphs.cell` on tensors, for autograd."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from ernn.graphs.cell import Act, Dot2, Lerp, Move, Mul, Operation

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "none": lambda row: row,
}


def compute(node: Operation, values: Mapping[str, Tensor]) -> Tensor:
    """Return what an operation makes of values by name; formats do not count in floats."""
    match node:
        case Act(function=function, row=row):
            return FUNCTIONS[function](values[row])
        case Mul(a=a, b=b, add=None):
            return values[a] * values[b]
        case Mul(a=a, b=b, add=str(add)):
            return torch.addcmul(values[add], values[a], values[b])
        case Dot2(a=a, b=b, c=c, d=d):
            return torch.addcmul(values[a] * values[b], values[c], values[d])
        case Lerp(a=a, b=b, weight=weight):
            return torch.lerp(values[a], values[b], values[weight])
        case Move(a=a):
            return values[a]
    raise TypeError(f"{node!r} is no operation")  # every one is above
