"""Products in 16 bits while training; weights, sums over the batch and the loss stay float32."""

from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class Precision:
    """Autocast, and for float16, whose smallest gradients would vanish, a scaled loss.

    With float32 every method does what it would do without this class.
    """

    def __init__(self, name: str, device: str) -> None:
        """Take the recipe's name, such as ``"bfloat16"``."""
        self.dtype = getattr(torch, name)
        self.device = torch.device(device).type
        self.scaler = torch.amp.GradScaler(self.device, enabled=name == "float16")

    def forward(self) -> torch.autocast:
        """Return the context of the forward pass."""
        return torch.autocast(self.device, self.dtype, enabled=self.dtype != torch.float32)

    def backward(self, loss: Tensor) -> None:
        """Compute gradients, still scaled: they may be summed over processes now."""
        self.scaler.scale(loss).backward()

    def unscale(self, optimizer: Optimizer) -> None:
        """Make gradients what they are."""
        self.scaler.unscale_(optimizer)

    def step(self, optimizer: Optimizer) -> None:
        """Do the optimizer's step, unless a gradient was too large for 16 bits."""
        self.scaler.step(optimizer)
        self.scaler.update()

    def state(self) -> dict[str, Any]:
        """Return the scale and its history, as JSON."""
        return self.scaler.state_dict()

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from `state`."""
        if state:
            self.scaler.load_state_dict(state)
