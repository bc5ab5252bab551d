"""The program of a model: which products each cell needs, in the order in which they are computed.

One list for the float model, the integer model and the hardware (docs/hardware.md, "Order").
"""

from dataclasses import dataclass

import numpy as np

from ernn.compressed import GATES, CirculantMatrix, CompressedLayer, CompressedModel

# Product name, its gates, and the (vector, matrix) pairs whose sums share its rows.
PRODUCTS = {
    "lstm": (
        ("gates", "ifgo", (("x", "input"), ("h", "recurrent"))),
        ("projection", "y", (("m", "projection"),)),
    ),
    "gru_before": (
        ("zr", "zr", (("x", "input"), ("h", "recurrent"))),
        ("n", "n", (("x", "input"), ("rh", "candidate"))),
    ),
    "gru_after": (
        ("zr", "zr", (("x", "input"), ("h", "recurrent"))),
        ("nh", "n", (("h", "recurrent"),)),
        ("nx", "n", (("x", "input"),)),
    ),
}


@dataclass(frozen=True)
class FloatSegment:
    """One vector against its columns of a product; see `ernn.quant.products.Segment`."""

    vector: str
    matrix: str
    generators: np.ndarray  # (p, q, k) float64, only the rows of the product's gates
    scale: np.ndarray | None  # (q * k,) float64


@dataclass(frozen=True)
class FloatProduct:
    """A product before quantization; see `ernn.quant.products.Product`."""

    layer: int
    name: str
    gates: str
    block: int
    segments: tuple[FloatSegment, ...]
    bias: np.ndarray  # (rows,) float64


def program(model: CompressedModel) -> tuple[FloatProduct, ...]:
    """Return every product of a model in program order, the output layer last."""
    products: list[FloatProduct] = []
    for index, layer in enumerate(model.layers):
        for name, gates, parts in PRODUCTS[layer.cell]:
            if "projection" in dict(parts).values() and "projection" not in layer.matrices:
                continue
            segments = [_segment(layer, vector, matrix, gates) for vector, matrix in parts]
            products += _share(index, name, gates, segments, _bias(layer, name, gates))
    if model.output is not None and model.output_bias is not None:
        segment = FloatSegment("h", "output", model.output.generators, model.output.scale)
        products += _share(len(model.layers), "logits", "y", [segment], model.output_bias)
    return tuple(products)


def _share(
    layer: int, name: str, gates: str, segments: list[FloatSegment], bias: np.ndarray
) -> list[FloatProduct]:
    """One product, or two if the block sizes differ: the recurrent one first, with the bias."""
    blocks = [segment.generators.shape[2] for segment in segments]
    if len(set(blocks)) == 1:
        return [FloatProduct(layer, name, gates, blocks[0], tuple(segments), bias)]
    x, h = segments
    return [
        FloatProduct(layer, f"{name}_h", gates, blocks[1], (h,), bias),
        FloatProduct(layer, f"{name}_x", gates, blocks[0], (x,), np.zeros_like(bias)),
    ]


def _segment(layer: CompressedLayer, vector: str, matrix: str, gates: str) -> FloatSegment:
    whole: CirculantMatrix = layer.matrices[matrix]
    if matrix == "projection":
        return FloatSegment(vector, matrix, whole.generators, whole.scale)
    blocks = gate_slice(GATES[layer.cell][matrix], gates, layer.hidden // whole.block)
    return FloatSegment(vector, matrix, whole.generators[blocks], whole.scale)


def _bias(layer: CompressedLayer, name: str, gates: str) -> np.ndarray:
    if name == "projection":
        return np.zeros(layer.output)
    if name == "nh":
        assert layer.candidate_bias is not None  # CompressedModel checked it
        return layer.candidate_bias
    return layer.bias[gate_slice(GATES[layer.cell]["input"], gates, layer.hidden)]


def gate_slice(stacked: str, gates: str, size: int) -> slice:
    """Where the rows of ``gates`` lie among the ``stacked`` gates of ``size`` rows each."""
    start = stacked.index(gates)
    return slice(start * size, (start + len(gates)) * size)
