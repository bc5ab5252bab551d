"""Recurrent layers: LSTM with peepholes and projection, GRU with the reset gate before or after.

The names of the matrices and the order of the gates in their rows are those of
`ernn.cells`. Products with the input do not wait for the previous step, so they are
done here for the whole sequence at once; the time loops are in `ernn.train.recurrence`.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from ernn.cells import cell_named
from ernn.compressed import CompressedLayer, padded
from ernn.recipe import LayerRecipe, ModelRecipe
from ernn.train import recurrence
from ernn.train.linear import StructuredLinear, as_array
from ernn.train.products import Product, bind, from_bins, rebin, to_bins, transforming_pays


class Layer(nn.Module):
    """What every cell has: sizes, matrices by name, a bias per gate row."""

    def __init__(self, model: ModelRecipe, layer: LayerRecipe, inputs: int, kind: str) -> None:
        """Build one layer; `inputs` is padded to the model's word already, the rest is here."""
        super().__init__()
        self.kind = kind
        self.hidden = padded(layer.hidden, model.word)
        self.output = padded(layer.projection, model.word) or self.hidden
        columns = {
            "input": inputs,
            "recurrent": self.output,
            "candidate": self.hidden,
            "projection": self.hidden,
        }
        self.matrices: dict[str, StructuredLinear] = {}
        for name, one in cell_named(kind).matrices.items():
            rows = len(one.gates) * self.hidden
            if name == "projection":
                if not layer.projection:
                    continue
                rows = self.output
            block = layer.block_of(name)
            self.matrices[name] = StructuredLinear(rows, columns[name], block, model.input_scale)
            self.add_module(name, self.matrices[name])
        self.bias = nn.Parameter(torch.empty(len(cell_named(kind).gates) * self.hidden))

    @torch.no_grad()
    def reset(self, generator: torch.Generator) -> None:
        """Draw new weights; biases and peepholes start at 0."""
        for parameter in self.parameters(recurse=False):
            parameter.zero_()
        for matrix in self.matrices.values():
            matrix.reset(generator)

    def _gate_sums(self, x: Tensor, block: int) -> Tensor:
        """Return what input and bias add to the gates, in bins: (T, B, X) -> (k, T, B, n)."""
        product = self._bind("input")
        sums = rebin(product(to_bins(x.flatten(0, 1), product.block)), product.block, block)
        bias = to_bins(self.bias.unsqueeze(0), block)
        # In place where autocast has not made the sums 16 bits: a new array this large costs time.
        return sums.to(bias.dtype).add_(bias).unflatten(-2, x.shape[:2])

    def _bind(self, name: str) -> Product:
        """Return the product with a matrix; those of the time loop share one form."""
        alike = [name] if name == "input" else self.matrices.keys() - {"input"}
        entries = sum(self.matrices[other].rows * self.matrices[other].cols for other in alike)
        return bind(self.matrices[name], transforming_pays(entries, self.bias.device))

    def export(self) -> CompressedLayer:
        """Return the layer as float64 arrays."""
        matrices = {name: matrix.export() for name, matrix in self.matrices.items()}
        return CompressedLayer(self.kind, self.hidden, matrices, as_array(self.bias))


class Lstm(Layer):
    """i, f = s(W x + R y + p . c); c = f . c + i . g; o looks at the new c; y = P (o . tanh(c)).

    Source: the LSTM of Sak, Senior and Beaufays (2014); without peepholes and projection it is
    torch.nn.LSTM.
    """

    def __init__(self, model: ModelRecipe, layer: LayerRecipe, inputs: int) -> None:
        super().__init__(model, layer, inputs, "lstm")
        self.cell_activation = model.cell_activation
        self.peepholes = nn.Parameter(torch.empty(3, self.hidden)) if model.peepholes else None

    def reset(self, generator: torch.Generator) -> None:
        """Draw new weights; the forget gates start open."""
        super().reset(generator)
        with torch.no_grad():
            self.bias[self.hidden : 2 * self.hidden] = 1.0

    def forward(self, x: Tensor) -> Tensor:
        """(T, B, X) -> (T, B, Y)."""
        recurrent, projection, peepholes = self._bind("recurrent"), None, None
        if "projection" in self.matrices:
            projection = self._bind("projection")
        if self.peepholes is not None:
            peepholes = to_bins(self.peepholes, recurrent.block)
        gx, squash = self._gate_sums(x, recurrent.block), self.cell_activation
        y = recurrence.lstm(gx, peepholes, squash, recurrent, projection)
        return from_bins(y, recurrent.block)

    def export(self) -> CompressedLayer:
        """Return the layer as float64 arrays."""
        layer = super().export()
        parameters = {} if self.peepholes is None else {"peepholes": as_array(self.peepholes)}
        return replace(layer, parameters=parameters, cell_activation=self.cell_activation)


class GruBefore(Layer):
    """n = tanh(W x + U (r . h) + b); h = (1 - z) . h + z . n, as in the E-RNN paper."""

    def __init__(self, model: ModelRecipe, layer: LayerRecipe, inputs: int) -> None:
        super().__init__(model, layer, inputs, "gru_before")

    def forward(self, x: Tensor) -> Tensor:
        """(T, B, X) -> (T, B, H)."""
        recurrent, candidate = self._bind("recurrent"), self._bind("candidate")
        gx = self._gate_sums(x, recurrent.block)
        return from_bins(recurrence.gru_before(gx, recurrent, candidate), recurrent.block)


class GruAfter(Layer):
    """n = tanh(W x + b + r . (U h + b')); h = (1 - z) . n + z . h, as in torch.nn.GRU."""

    def __init__(self, model: ModelRecipe, layer: LayerRecipe, inputs: int) -> None:
        super().__init__(model, layer, inputs, "gru_after")
        self.candidate_bias = nn.Parameter(torch.empty(self.hidden))

    def forward(self, x: Tensor) -> Tensor:
        """(T, B, X) -> (T, B, H)."""
        recurrent = self._bind("recurrent")
        gx = self._gate_sums(x, recurrent.block)
        bias = to_bins(self.candidate_bias.unsqueeze(0), recurrent.block)
        return from_bins(recurrence.gru_after(gx, bias, recurrent), recurrent.block)

    def export(self) -> CompressedLayer:
        """Return the layer in the paper's form: its z is 1 - z here, so z's rows turn sign."""
        layer = super().export()
        matrices = {}
        for name, matrix in layer.matrices.items():
            generators = matrix.generators.copy()
            generators[: self.hidden // matrix.block] *= -1
            matrices[name] = replace(matrix, generators=generators)
        bias = layer.bias.copy()
        bias[: self.hidden] *= -1
        parameters = {"candidate_bias": as_array(self.candidate_bias)}
        return replace(layer, matrices=matrices, bias=bias, parameters=parameters)


def build(model: ModelRecipe, layer: LayerRecipe, inputs: int) -> Layer:
    """Return the layer that a recipe asks for, its weights not yet drawn (see `Layer.reset`)."""
    if model.cell == "lstm":
        return Lstm(model, layer, inputs)
    return (GruBefore if model.reset == "before" else GruAfter)(model, layer, inputs)
