"""The element-wise operations of `ernn.graphs.cell`, on floats and on raw integers.

The integer ones are the golden model of every cell unit: each is computed exactly and rounded
once, where its format changes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from ernn.fixed import QFormat
from ernn.graphs.cell import SQUASHING, Act, Cell, Dot2, Lerp, Move, Mul, Operation, Region
from ernn.quant.parameters import IntegerLayer, IntegerParameters

Values = dict[str, np.ndarray]
Operate = Callable[[Iterable[Operation], Values], None]


class Elements:
    """The element-wise values of one layer, an array each; see `ernn.quant.interpreter`."""

    def __init__(self, operate: Operate, parameters: Mapping[str, np.ndarray]) -> None:
        """Take what computes, and the constants (H,) that operations read."""
        self.operate, self.values = operate, dict(parameters)

    def put(self, names: Sequence[str], values: np.ndarray) -> None:
        """Take values that lie side by side, (..., names * size)."""
        parts = np.split(values, len(names), axis=-1)
        self.values.update(zip(names, parts, strict=True))

    def run(self, region: Region) -> None:
        """Compute what a region makes."""
        self.operate(region.nodes, self.values)

    def get(self, name: str) -> np.ndarray:
        """Return a value (..., size)."""
        return self.values[name]


class Layer(Protocol):
    """What the layers of float and integer models share."""

    @property
    def kind(self) -> Cell: ...
    @property
    def parameters(self) -> Mapping[str, np.ndarray]: ...


def named_parameters(layer: Layer) -> Values:
    """Return the constants (H,) of a layer by the names that operations use."""
    found: Values = {}
    for name, array in layer.parameters.items():
        values = layer.kind.parameters[name].values
        found |= zip(values, np.reshape(array, (len(values), -1)), strict=True)
    return found


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)) without overflow."""
    return 0.5 + 0.5 * np.tanh(0.5 * values)


_FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda row: np.maximum(row, 0),
    "none": lambda row: row,
}


def operate(nodes: Iterable[Operation], values: Values) -> None:
    """Add to float64 ``values`` what the operations make of them."""
    for node in nodes:
        values[node.out] = _float(node, values)


def _float(node: Operation, values: Values) -> np.ndarray:
    match node:
        case Act(function=function, row=row):
            return _FUNCTIONS[function](values[row])
        case Mul(a=a, b=b, add=add):
            product = values[a] * values[b]
            return product if add is None else product + values[add]
        case Dot2(a=a, b=b, c=c, d=d):
            return values[a] * values[b] + values[c] * values[d]
        case Lerp(a=a, b=b, weight=weight):
            return values[a] + values[weight] * (values[b] - values[a])
        case Move(a=a):
            return values[a]


def formats(model: IntegerParameters, layer: IntegerLayer) -> dict[str, QFormat]:
    """Return the format of every element-wise value of a layer by name."""
    kinds = {
        "row": model.row,
        "gate": model.gate,
        "state": model.state,
        "peephole": model.peephole,
    }
    found = layer.kind.formats(layer.options)
    return {n: layer.vectors[n] if to == "vector" else kinds[to] for n, to in found.items()}


class IntegerOperations:
    """Operations on raw int64 values of one layer, any shapes that numpy broadcasts."""

    def __init__(self, model: IntegerParameters, formats: Mapping[str, QFormat]) -> None:
        """Take the tables of a model and the formats of a layer's values; see `formats`."""
        self.tables = {"sigmoid": model.sigmoid, "tanh": model.tanh}
        self.formats = formats

    def run(self, nodes: Iterable[Operation], values: Values) -> None:
        """Add to raw ``values`` what the operations make of them."""
        for node in nodes:
            values[node.out] = self._one(node, values)

    def _one(self, node: Operation, values: Values) -> np.ndarray:
        to = self.formats[node.out]
        frac = {name: form.frac_bits for name, form in self.formats.items()}
        match node:
            case Act(function=function, row=row):
                exact = values[row]
                return (
                    self.tables[function].run(exact)
                    if function in SQUASHING
                    else _FUNCTIONS[function](exact)
                )
            case Mul(a=a, b=b, add=add):
                added = 0 if add is None else values[add]
                return to.requantize(values[a] * values[b], frac[a] + frac[b], add=added)
            case Dot2(a=a, b=b, c=c, d=d):
                fine = max(frac[a] + frac[b], frac[c] + frac[d])
                left = (values[a] * values[b]) << (fine - frac[a] - frac[b])
                right = (values[c] * values[d]) << (fine - frac[c] - frac[d])
                return to.requantize(left + right, fine)
            case Lerp(a=a, b=b, weight=weight):
                fine = max(frac[a], frac[b])
                start, end = values[a] << (fine - frac[a]), values[b] << (fine - frac[b])
                total = (start << frac[weight]) + values[weight] * (end - start)
                return to.requantize(total, fine + frac[weight])
            case Move(a=a):
                return to.requantize(values[a], frac[a])


def operation_bits(node: Operation, formats: Mapping[str, QFormat]) -> int:
    """Return the bits that hold whatever an operation computes before and behind its rounding."""
    to, width = formats[node.out], {name: form.width for name, form in formats.items()}
    frac = {name: form.frac_bits for name, form in formats.items()}

    def moved(bits: int, source: int) -> int:
        return bits + max(0, to.frac_bits - source)  # a finer binary point adds zeros

    match node:
        case Act(row=row):
            return max(width[row], to.width)
        case Mul(a=a, b=b):
            return moved(width[a] + width[b], frac[a] + frac[b])
        case Dot2(a=a, b=b, c=c, d=d):
            sizes = (
                (width[a] + width[b], frac[a] + frac[b]),
                (width[c] + width[d], frac[c] + frac[d]),
            )
            fine = max(point for _, point in sizes)
            return moved(1 + max(bits + fine - point for bits, point in sizes), fine)
        case Lerp(a=a, b=b, weight=weight):
            fine = max(frac[a], frac[b])
            difference = 1 + max(width[name] + fine - frac[name] for name in (a, b))
            return moved(width[weight] + difference, fine + frac[weight])
        case Move(a=a):
            return moved(width[a], frac[a])
