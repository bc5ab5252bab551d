"""The graphs of the cells around the recorded signals of an integer model, for gradients.

What the integer model rounds and a trace shows (rows, states, vectors) is replaced by what it
computed; what lies between is computed in floats, so that gradients can be taken.
"""

import torch
from torch import Tensor

from ernn.finetune.straight_through import Exact
from ernn.finetune.weights import Weights
from ernn.graphs.cell import INPUT, OUTPUT, Matvec
from ernn.quant.integer_model import IntegerModel, Trace
from ernn.quant.program import row_signal, signal
from ernn.train.operations import compute

Moment = int | slice  # a time step, or all of them at once


class Signals:
    """What a run of the integer model computed, time first."""

    def __init__(self, model: IntegerModel, trace: Trace, like: Tensor) -> None:
        self.model, self.trace, self.like = model, trace, like

    def __getitem__(self, name: str) -> Exact:
        """Return a signal (T, B, size)."""
        raw = self.trace.signals[name].swapaxes(0, 1)
        return Exact(raw, self.trace.formats[name], self.like)

    def rows(self, layer: int, product: str) -> Exact:
        """Return the rows of a product, the halves of a pair added as the hardware adds them."""
        cell, signals = self.model.stack[layer].kind, self.trace.signals
        name = row_signal(cell, layer, product)
        if name in signals:
            return self[name]
        row = self.model.row
        row_h, row_x = (signals[row_signal(cell, layer, f"{product}_{half}")] for half in "hx")
        return Exact(row.saturate(row_h + row_x).swapaxes(0, 1), row, self.like)


def run_layer(index: int, x: Tensor, weights: Weights, signals: Signals) -> Tensor:
    """Return what leaves a layer, (T, B, Y), for its input x (T, B, X)."""
    interpreter = _LayerInterpreter(index, x, weights, signals)
    if not interpreter.cell.recurrent:
        return interpreter.step(slice(None))
    return torch.stack([interpreter.step(time) for time in range(len(x))])


class _LayerInterpreter:
    """A layer at work: its recorded signals, and its values of the latest step by name."""

    def __init__(self, index: int, x: Tensor, weights: Weights, signals: Signals) -> None:
        layer = weights.model.stack[index]
        self.cell, self.state = layer.kind, layer.kind.state
        self.steps = self.cell.steps(layer.options)
        products = self.cell.products(layer.options)
        self.matrices = {
            (name, at): m for (i, name, at), m in weights.matrices.items() if i == index
        }
        self.ahead = {
            each.name: self._ahead(each, x, weights.biases.get((index, each.name)))
            for each in products
        }
        self.rows = {each.name: signals.rows(index, each.name) for each in products}
        shown = {name: name for name in self.cell.vectors(layer.options) if name != INPUT}
        if self.state:
            shown[self.state.next] = self.state.name
        self.exact = {
            node.out: signals[signal(self.cell, index, shown[node.out])]
            for region in self.cell.regions(layer.options)
            for node in region.nodes
            if node.out in shown
        }
        self.leaving = OUTPUT if self.exact else products[-1].rows[-1]
        self.values = weights.parameters(index) | {OUTPUT: x.new_zeros(x.shape[1], layer.output)}
        if self.state:
            self.values[self.state.name] = x.new_zeros(x.shape[1], layer.hidden)

    def _ahead(self, product: Matvec, x: Tensor, bias: Tensor | None) -> Tensor | None:
        """Return what does not wait for the step before: the input's part and the bias."""
        if INPUT not in dict(product.parts):
            return bias
        part = x @ self.matrices[product.name, INPUT]
        return part if bias is None else part + bias

    def step(self, time: Moment) -> Tensor:
        """Do a time step."""
        values = self.values
        for step in self.steps:
            if isinstance(step, Matvec):
                rows = self.rows[step.name].replace_at(time, self._sum(step, time))
                values |= zip(step.rows, rows.chunk(len(step.rows), dim=-1), strict=True)
                continue
            for node in step.nodes:
                found = compute(node, values)
                exact = self.exact.get(node.out)
                values[node.out] = found if exact is None else exact.replace_at(time, found)
        if self.state:
            values[self.state.name] = values[self.state.next]
        return values[self.leaving]

    def _sum(self, product: Matvec, time: Moment) -> Tensor:
        ahead = self.ahead[product.name]
        fed = [
            self.values[vector] @ self.matrices[product.name, vector]
            for vector, _ in product.parts
            if vector != INPUT
        ]
        if ahead is None:
            return sum(fed[1:], fed[0])
        return sum(fed, ahead[time] if ahead.dim() == 3 else ahead)
