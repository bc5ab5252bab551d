"""The program of a model: which products each layer needs, in the order in which they are computed.

One list for the float model, the integer model and the hardware (docs/hardware.md, "Order").
"""

from dataclasses import dataclass

import numpy as np

from ernn.cells import OUTPUT_LAYER
from ernn.compressed import CompressedLayer, CompressedModel
from ernn.graphs.cell import Cell, Matvec


@dataclass(frozen=True)
class FloatSegment:
    """One vector against its columns of a product; see `ernn.quant.products.Segment`."""

    vector: str
    matrix: str
    generators: np.ndarray  # (p, q, k) float64, only the rows of the product's gates
    scale: np.ndarray | None  # (q * k,) float64
    present: np.ndarray | None = None  # (p, q) int64; see `ernn.quant.products.Segment`
    level_set: str | None = None  # that the generators are from


@dataclass(frozen=True)
class FloatProduct:
    """A product before quantization; see `ernn.quant.products.Product`."""

    layer: int
    name: str
    gates: str
    block: int
    segments: tuple[FloatSegment, ...]
    bias: np.ndarray  # (rows,) float64

    @property
    def level_set(self) -> str | None:
        """The set of levels that all weights are from, if there is one."""
        found = {segment.level_set for segment in self.segments}
        return found.pop() if len(found) == 1 else None


def program(model: CompressedModel) -> tuple[FloatProduct, ...]:
    """Return every product of a model in program order, the output layer last."""
    products: list[FloatProduct] = []
    for index, layer in enumerate(model.stack):
        for matvec in layer.kind.products(layer.options):
            segments = [_segment(layer, vector, name, matvec) for vector, name in matvec.parts]
            products += _share(index, matvec, segments, _bias(layer, matvec))
    return tuple(products)


def _share(
    layer: int, matvec: Matvec, segments: list[FloatSegment], bias: np.ndarray
) -> list[FloatProduct]:
    """One product, or two if the block sizes differ: the recurrent one first, with the bias."""
    name, gates = matvec.name, matvec.gates
    blocks = [segment.generators.shape[2] for segment in segments]
    if len(set(blocks)) == 1:
        return [FloatProduct(layer, name, gates, blocks[0], tuple(segments), bias)]
    x, h = segments
    return [
        FloatProduct(layer, f"{name}_h", gates, blocks[1], (h,), bias),
        FloatProduct(layer, f"{name}_x", gates, blocks[0], (x,), np.zeros_like(bias)),
    ]


def _segment(layer: CompressedLayer, vector: str, matrix: str, matvec: Matvec) -> FloatSegment:
    whole = layer.matrices[matrix]
    rows = gate_slice(layer.kind.matrices[matrix].gates, matvec.gates, len(whole.generators))
    present = None if whole.present is None else whole.present[rows]
    generators, levels = whole.generators[rows], whole.kind.level_set
    return FloatSegment(vector, matrix, generators, whole.scale, present, levels)


def _bias(layer: CompressedLayer, matvec: Matvec) -> np.ndarray:
    if matvec.bias is None:
        return np.zeros(len(matvec.gates) * layer.output)
    if matvec.bias != "bias":
        return layer.parameters[matvec.bias]
    return layer.bias[gate_slice(layer.kind.gates, matvec.gates, len(layer.bias))]


def gate_slice(stacked: str, gates: str, rows: int) -> slice:
    """Where ``gates`` lie among ``rows`` rows, or blocks of rows, of the ``stacked`` gates."""
    size, start = rows // len(stacked), stacked.index(gates)
    return slice(start * size, (start + len(gates)) * size)


def stem(product: str) -> str:
    """Return the name of the `Matvec` that a product, or half of a pair, computes."""
    return product.removesuffix("_x").removesuffix("_h")


def signal(cell: Cell, layer: int, name: str) -> str:
    """Return the name in traces of a layer's value; the output layer's stand alone."""
    return name if cell is OUTPUT_LAYER else f"layer{layer}.{name}"


def row_signal(cell: Cell, layer: int, product: str) -> str:
    """Return the name in traces of a product's rows."""
    return signal(cell, layer, product if cell is OUTPUT_LAYER else f"{product}.row")
