"""Modules of torch that several tests import."""

from torch import nn


class First(nn.Module):
    """A recurrent layer whose output alone goes on."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)[0]
