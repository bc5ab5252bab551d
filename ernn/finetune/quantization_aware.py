"""A model for quantization-aware training: its outputs are those of its integer model, to the bit.

There is no second model of the arithmetic: every forward pass rounds the weights, runs
`ernn.quant.integer_model.IntegerModel` itself and keeps its signals. Around them the float
equations of docs/algorithm.md are laid, with each signal replaced by the recorded one, only so
that gradients can be taken (straight-through estimators).
"""

import numpy as np
import torch
from torch import Tensor, nn

from ernn.compressed import CompressedModel
from ernn.finetune.cells import Signals, run_layer
from ernn.finetune.weights import Weights
from ernn.graphs.reads import FEATURES
from ernn.quant.integer_model import IntegerModel
from ernn.quant.predict import predict
from ernn.quant.quantize import with_weights


class QuantizationAwareModel(nn.Module):
    """Frames in, the integer model's logits out; the parameters are the float model's."""

    def __init__(self, model: CompressedModel, formats: IntegerModel) -> None:
        """Take the weights of a float model, and the formats of an integer model made from it."""
        super().__init__()
        self.model, self.formats = model, formats
        floats = {name: torch.from_numpy(value).float() for name, value in model.tensors().items()}
        # A parameter's name may hold no dot.
        held = {
            f"{name}.{factor}"
            for name, matrix in model.matrices().items()
            for factor in matrix.kind.held
        }
        self.floats = nn.ParameterDict(
            {
                _plain(name): nn.Parameter(value, requires_grad=name not in held)
                for name, value in floats.items()
            }
        )

    def compressed(self) -> CompressedModel:
        """Return the float model as it is trained now."""
        return self.model.with_tensors(
            {
                name: self.floats[_plain(name)].detach().cpu().double().numpy()
                for name in self.model.tensors()
            }
        )

    def integer(self) -> IntegerModel:
        """Return the integer model as it is trained now."""
        return with_weights(self.formats, self.compressed())

    def forward(self, frames: Tensor) -> Tensor:
        """(B, T, F) -> (B, T, labels), starting each sequence from a state of zeros."""
        model = self.integer()
        trace = model.run(frames.cpu().numpy(), taps=set(model.formats))
        like = next(iter(self.floats.values())).detach()
        signals = Signals(model, trace, like)
        floats = {name: self.floats[_plain(name)] for name in self.model.tensors()}
        weights = Weights(model, floats, self.model.matrices())
        made = {FEATURES: signals["layer0.x"].values}  # vectors
        for index in range(len(model.stack)):
            read = [made[vector] for vector in model.sources(index)]
            made[index] = run_layer(index, torch.cat(read, -1), weights, signals)
        return made[len(model.stack) - 1][..., : model.labels or None].transpose(0, 1)

    @torch.no_grad()
    def predict(self, utterances: list[np.ndarray]) -> list[np.ndarray]:
        """Return the scores (T, labels) for the features (T, F) of each utterance."""
        return predict(self.integer(), utterances)


def _plain(name: str) -> str:
    return name.replace(".", "/")
