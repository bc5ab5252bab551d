"""Rounding that gradients pass: the value is the integer model's, the gradient the float one's."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ernn.fixed import QFormat


class _Replace(torch.autograd.Function):
    """Return what the integer model computed; let the gradient through where it can move."""

    @staticmethod
    def forward(ctx: Any, computed: Tensor, exact: Tensor, free: Tensor) -> Tensor:
        ctx.save_for_backward(free)
        return exact

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        return gradient * ctx.saved_tensors[0], None, None


class Exact:
    """Raw integers of a format as floats, for `replace`.

    Every raw integer has at most 24 bits, so float32 holds its value exactly.
    """

    def __init__(
        self, raw: np.ndarray, form: QFormat, like: Tensor, units: np.ndarray | float = 1.0
    ) -> None:
        """Take integers, their format, a tensor of the type to make, and powers of two: what one
        of a format's numbers stands for, where that is not the number.
        """
        saturated = (raw == form.min_raw) | (raw == form.max_raw)
        self.values = torch.as_tensor(form.to_float(raw) * units).to(like)
        self.free = torch.as_tensor(~saturated).to(like)

    def replace(self, computed: Tensor) -> Tensor:
        """Return the exact values in place of their float approximation.

        The gradient passes to ``computed`` as if nothing was rounded, but not where the integer
        saturated: there, the result does not move with it.
        """
        return _Replace.apply(computed, self.values, self.free)

    def replace_at(self, time: int | slice, computed: Tensor) -> Tensor:
        """Return the same for one time step, or some, of values (T, ...)."""
        return _Replace.apply(computed, self.values[time], self.free[time])
