"""Layers of any cell, and the fast ones: LSTM, and GRU with the reset gate before or after.

The names of the matrices and the order of the gates in their rows are those of `ernn.cells`.
Products with the input do not wait for the previous step, so they are done here for the whole
sequence at once; the time loops of the fast layers are in `ernn.train.recurrence`.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from ernn.compressed import CompressedLayer, padded
from ernn.graphs.cell import INPUT, OUTPUT, Matvec
from ernn.recipe import LayerRecipe, ModelRecipe
from ernn.train import recurrence
from ernn.train.linear import StructuredLinear, as_array, fill
from ernn.train.operations import compute
from ernn.train.products import Product, bind, from_bins, rebin, to_bins, transforming_pays


class Layer(nn.Module):
    """A layer of any cell: its matrices by name, a bias per gate row, and the cell's parameters.

    Sequences go through the cell's graph step by step, and autograd goes back. A cell that is
    worth it has a subclass with loops of its own (`FAST`); tests compare them.
    """

    def __init__(
        self, model: ModelRecipe, layer: LayerRecipe, inputs: int, used: int | None = None
    ) -> None:
        """Build one layer.

        Args:
            model: that it is of.
            layer: what to build.
            inputs: size of the input vector, padded to the model's word.
            used: how many of them are not padding; None: all.
        """
        super().__init__()
        self.cell, self.options = model.cell_of(layer), model.options_of(layer)
        self.hidden = padded(layer.hidden, model.word)
        self.output = padded(layer.projection, model.word) or self.hidden
        columns = {INPUT: inputs, OUTPUT: self.output}
        self.matrices: dict[str, StructuredLinear] = {}
        for name in self.cell.matrices_of(self.options):
            gates, vector = self.cell.matrices[name].gates, self.cell.matrices[name].vector
            rows = self.output if name == "projection" else len(gates) * self.hidden
            cols = columns.get(vector, self.hidden)
            structure = model.structure_of(layer, name, used if vector == INPUT else None)
            self.matrices[name] = StructuredLinear(rows, cols, structure)
            self.add_module(name, self.matrices[name])
        self.bias = nn.Parameter(torch.empty(len(self.cell.gates) * self.hidden))
        for name, parameter in self.cell.parameters.items():
            used = parameter.to == "row" or self.options.peepholes
            values = len(parameter.values)
            shape = (values, self.hidden) if values > 1 else (self.hidden,)
            self.register_parameter(name, nn.Parameter(torch.empty(shape)) if used else None)

    @torch.no_grad()
    def reset(self, generator: torch.Generator) -> None:
        """Draw new weights; biases and peepholes start at 0, those of open gates at 1."""
        for parameter in self.parameters(recurse=False):
            parameter.zero_()
        for gate in self.cell.open_gates:
            self.bias.unflatten(0, (-1, self.hidden))[self.cell.gates.index(gate)] = 1.0
        for matrix in self.matrices.values():
            matrix.reset(generator)

    def forward(self, x: Tensor) -> Tensor:
        """(T, B, X) -> (T, B, Y)."""
        if not self.cell.recurrent:
            return self._at_once(x)
        bound = {name: self._bind(name) for name in self.matrices if name != "input"}
        block = next(iter(bound.values())).block
        gx = self._gate_sums(x, block).unbind(-3)
        values = {name: to_bins(row, block) for name, row in self._constants().items()}
        kept = {self.cell.state.name: self.hidden} if self.cell.state else {}
        for name, size in {OUTPUT: self.output, **kept}.items():
            values[name] = gx[0].new_zeros((*gx[0].shape[:-1], size // block))
        return from_bins(torch.stack([self._step(sums, bound, values) for sums in gx], -3), block)

    def _at_once(self, x: Tensor) -> Tensor:
        """Compute all steps of a cell without recurrence together."""
        values = self._constants()
        self._step(self._gate_sums(x, 1), {}, values)
        return values[OUTPUT]

    def _constants(self) -> dict[str, Tensor]:
        """Return the cell's parameters by the names of their values, each (1, H)."""
        found: dict[str, Tensor] = {}
        for name, parameter in self.cell.parameters.items():
            held = getattr(self, name)
            if held is not None:
                rows = held.reshape(len(parameter.values), 1, -1)
                found |= zip(parameter.values, rows, strict=True)
        return found

    def _step(self, sums: Tensor, bound: dict[str, Product], values: dict[str, Tensor]) -> Tensor:
        """Do a step from what the input adds to the gates; return the output vector."""
        multiplied: dict[str, Tensor] = {}  # by matrix, whose rows several products may share
        for node in self.cell.nodes(self.options):
            if not isinstance(node, Matvec):
                values[node.out] = compute(node, values)
                continue
            rows = []
            for vector, matrix in node.parts:
                if vector != INPUT and matrix not in multiplied:
                    multiplied[matrix] = bound[matrix](values[vector])
                whole = sums if vector == INPUT else multiplied[matrix]
                rows.append(_gates(whole, self.cell.matrices[matrix].gates, node.gates))
            parameter = self.cell.parameters.get(node.bias or "")
            rows += [values[name] for name in parameter.values] if parameter else []
            made = sum(rows[1:], rows[0]).chunk(len(node.rows), -1)
            values.update(zip(node.rows, made, strict=True))
        if self.cell.state:
            values[self.cell.state.name] = values[self.cell.state.next]
        return values[OUTPUT]

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

    @torch.no_grad()
    def take(self, layer: CompressedLayer) -> None:
        """Take the weights of a dense layer of the same cell without padding."""
        for name, matrix in self.matrices.items():
            gates = 1 if name == "projection" else len(self.cell.matrices[name].gates)
            matrix.take(layer.matrices[name].dense(), gates)
        fill(self.bias, layer.bias, len(self.cell.gates))
        for name, values in layer.parameters.items():
            fill(getattr(self, name), values)

    def export(self) -> CompressedLayer:
        """Return the layer as float64 arrays."""
        matrices = {name: matrix.export() for name, matrix in self.matrices.items()}
        named = {name: getattr(self, name) for name in self.cell.parameters}
        parameters = {name: as_array(held) for name, held in named.items() if held is not None}
        chosen = self.options.cell_activation
        bias = as_array(self.bias)
        return CompressedLayer(self.cell.name, self.hidden, matrices, bias, parameters, chosen)


def _gates(rows: Tensor, stacked: str, gates: str) -> Tensor:
    """Return the rows of some of the stacked gates."""
    size = rows.shape[-1] // len(stacked)
    return rows.narrow(-1, stacked.index(gates) * size, len(gates) * size)


class Lstm(Layer):
    """i, f = s(W x + R y + p . c); c = f . c + i . g; o looks at the new c; y = P (o . tanh(c)).

    Source: the LSTM of Sak, Senior and Beaufays (2014); without peepholes and projection it is
    torch.nn.LSTM.
    """

    peepholes: nn.Parameter | None

    def forward(self, x: Tensor) -> Tensor:
        """(T, B, X) -> (T, B, Y)."""
        recurrent, projection, peepholes = self._bind("recurrent"), None, None
        if "projection" in self.matrices:
            projection = self._bind("projection")
        if self.peepholes is not None:
            peepholes = to_bins(self.peepholes, recurrent.block)
        gx, squash = self._gate_sums(x, recurrent.block), self.options.cell_activation
        y = recurrence.lstm(gx, peepholes, squash, recurrent, projection)
        return from_bins(y, recurrent.block)


class GruBefore(Layer):
    """n = tanh(W x + U (r . h) + b); h = (1 - z) . h + z . n, as in the E-RNN paper."""

    def forward(self, x: Tensor) -> Tensor:
        """(T, B, X) -> (T, B, H)."""
        recurrent, candidate = self._bind("recurrent"), self._bind("candidate")
        gx = self._gate_sums(x, recurrent.block)
        return from_bins(recurrence.gru_before(gx, recurrent, candidate), recurrent.block)


class GruAfter(Layer):
    """n = tanh(W x + b + r . (U h + b')); h = (1 - z) . n + z . h, as in torch.nn.GRU."""

    candidate_bias: nn.Parameter

    def forward(self, x: Tensor) -> Tensor:
        """(T, B, X) -> (T, B, H)."""
        recurrent = self._bind("recurrent")
        gx = self._gate_sums(x, recurrent.block)
        bias = to_bins(self.candidate_bias.unsqueeze(0), recurrent.block)
        return from_bins(recurrence.gru_after(gx, bias, recurrent), recurrent.block)

    def take(self, layer: CompressedLayer) -> None:
        """Take the weights of a dense layer of the same cell without padding."""
        super().take(_with_turned_z(layer))

    def export(self) -> CompressedLayer:
        """Return the layer in the paper's form."""
        return _with_turned_z(super().export())


def _with_turned_z(layer: CompressedLayer) -> CompressedLayer:
    """Return a GRU between torch's form and the paper's, whose z is 1 - z: its rows turn sign."""
    matrices = {name: matrix.turned(layer.hidden) for name, matrix in layer.matrices.items()}
    bias = layer.bias.copy()
    bias[: layer.hidden] *= -1
    return replace(layer, matrices=matrices, bias=bias)


FAST: dict[str, type[Layer]] = {"lstm": Lstm, "gru_before": GruBefore, "gru_after": GruAfter}


def build(model: ModelRecipe, layer: LayerRecipe, inputs: int, used: int | None = None) -> Layer:
    """Return the layer that a recipe asks for, its weights not yet drawn; see `Layer`."""
    return FAST.get(model.cell_of(layer).name, Layer)(model, layer, inputs, used)
