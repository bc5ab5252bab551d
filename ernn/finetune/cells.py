"""The recurrences of docs/algorithm.md around the recorded signals of an integer model."""

from collections.abc import Callable

import torch
from torch import Tensor

from ernn.finetune.straight_through import Exact
from ernn.finetune.weights import Weights
from ernn.quant.integer_model import IntegerModel, Trace


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
        name, signals = f"layer{layer}.{product}", self.trace.signals
        if f"{name}.row" in signals:
            return self[f"{name}.row"]
        row = self.model.row
        total = row.saturate(signals[f"{name}_h.row"] + signals[f"{name}_x.row"])
        return Exact(total.swapaxes(0, 1), row, self.like)


def run_layer(index: int, x: Tensor, weights: Weights, signals: Signals) -> Tensor:
    """Return h (T, B, Y) of a layer for its input x (T, B, X)."""
    cell = {"lstm": _lstm, "gru_before": _gru_before, "gru_after": _gru_after}
    run: Callable = cell[weights.model.layers[index].cell]
    return run(index, x, weights, signals)


def _zeros(x: Tensor, size: int) -> Tensor:
    return x.new_zeros(x.shape[1], size)


def _lstm(index: int, x: Tensor, weights: Weights, signals: Signals) -> Tensor:
    layer, matrices = weights.model.layers[index], weights.matrices
    recurrent, projection = matrices[index, "gates", "h"], matrices.get((index, "projection", "m"))
    squash = torch.tanh if layer.cell_activation == "tanh" else torch.sigmoid
    peep = weights.peepholes(index)
    peep_i, peep_f, peep_o = x.new_zeros(3, layer.hidden) if peep is None else peep
    gates, cell = signals.rows(index, "gates"), signals[f"layer{index}.c"]
    output = signals[f"layer{index}.h"]
    if projection is not None:
        middle = signals[f"layer{index}.m"]
        projected = signals.rows(index, "projection")
    h, c, outputs = _zeros(x, layer.output), _zeros(x, layer.hidden), []
    for t, ahead in enumerate(x @ matrices[index, "gates", "x"] + weights.biases[index, "gates"]):
        i, f, g, o = gates.replace_at(t, ahead + h @ recurrent).chunk(4, dim=-1)
        i, f = torch.sigmoid(i + peep_i * c), torch.sigmoid(f + peep_f * c)
        c = cell.replace_at(t, f * c + i * squash(g))
        h = torch.sigmoid(o + peep_o * c) * torch.tanh(c)
        if projection is not None:
            h = projected.replace_at(t, middle.replace_at(t, h) @ projection)
        h = output.replace_at(t, h)
        outputs.append(h)
    return torch.stack(outputs)


def _gru_before(index: int, x: Tensor, weights: Weights, signals: Signals) -> Tensor:
    matrices, biases = weights.matrices, weights.biases
    recurrent, candidate = matrices[index, "zr", "h"], matrices[index, "n", "rh"]
    gates, reset = signals.rows(index, "zr"), signals[f"layer{index}.rh"]
    rows, update = signals.rows(index, "n"), _Update(index, x, weights, signals)
    gates_x = x @ matrices[index, "zr", "x"] + biases[index, "zr"]
    rows_x = x @ matrices[index, "n", "x"] + biases[index, "n"]
    for t in range(len(x)):
        z, r = torch.sigmoid(gates.replace_at(t, gates_x[t] + update.h @ recurrent)).chunk(2, -1)
        rh = reset.replace_at(t, r * update.state)
        update(t, z, rows.replace_at(t, rows_x[t] + rh @ candidate))
    return torch.stack(update.outputs)


def _gru_after(index: int, x: Tensor, weights: Weights, signals: Signals) -> Tensor:
    matrices, biases = weights.matrices, weights.biases
    recurrent, candidate = matrices[index, "zr", "h"], matrices[index, "nh", "h"]
    gates, rows_h = signals.rows(index, "zr"), signals.rows(index, "nh")
    update = _Update(index, x, weights, signals)
    gates_x = x @ matrices[index, "zr", "x"] + biases[index, "zr"]
    rows_x = x @ matrices[index, "nx", "x"] + biases[index, "nx"]
    rows_x = signals.rows(index, "nx").replace(rows_x)
    for t in range(len(x)):
        z, r = torch.sigmoid(gates.replace_at(t, gates_x[t] + update.h @ recurrent)).chunk(2, -1)
        row_h = rows_h.replace_at(t, update.h @ candidate + biases[index, "nh"])
        update(t, z, rows_x[t] + r * row_h)
    return torch.stack(update.outputs)


class _Update:
    """h' = h + z (tanh(row) - h), kept once as the state and once as the vector fed back."""

    def __init__(self, index: int, x: Tensor, weights: Weights, signals: Signals) -> None:
        self.states, self.vectors = signals[f"layer{index}.state"], signals[f"layer{index}.h"]
        self.state = self.h = _zeros(x, weights.model.layers[index].hidden)
        self.outputs: list[Tensor] = []

    def __call__(self, time: int, z: Tensor, row: Tensor) -> None:
        """Do one time step."""
        computed = torch.lerp(self.state, torch.tanh(row), z)
        self.state = self.states.replace_at(time, computed)
        self.h = self.vectors.replace_at(time, self.state)
        self.outputs.append(self.h)
