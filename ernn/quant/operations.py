"""The element-wise operations of `ernn.graphs.cell`, on floats and on raw integers.

The integer ones are the golden model of every cell unit: each is computed exactly and rounded
once, where its format changes.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from ernn.fixed import QFormat
from ernn.graphs.cell import SQUASHING, Act, Cell, Dot2, Lerp, Move, Mul, Operation, Options
from ernn.quant.parameters import IntegerParameters

Values = dict[str, np.ndarray]


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)) without overflow."""
    return 0.5 + 0.5 * np.tanh(0.5 * values)


_FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda row: np.maximum(row, 0),
    "none": lambda row: row,
}


def run_float(nodes: Iterable[Operation], values: Values) -> None:
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


def formats(
    model: IntegerParameters, cell: Cell, options: Options, vectors: Mapping[str, QFormat]
) -> dict[str, QFormat]:
    """Return the format of every element-wise value of a layer by name.

    Args:
        model: for ROW, GATE, STATE, VECTOR and the format of peepholes.
        cell: whose values.
        options: of the layer.
        vectors: formats of the layer's vectors; for values in "vector" that are among them.
    """
    of_kind = {
        "row": model.row,
        "gate": model.gate,
        "state": model.state,
        "vector": model.vector,
        "peephole": model.peephole,
    }
    kinds = cell.formats(options)
    return {
        name: vectors.get(name, model.vector) if to == "vector" else of_kind[to]
        for name, to in kinds.items()
    }


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
