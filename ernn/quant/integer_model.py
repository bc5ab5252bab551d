"""IntegerModel: the golden model. Every RTL word must equal what this computes; see docs/numbers.md."""

from dataclasses import dataclass, field

import numpy as np

from ernn.compressed import CellKind
from ernn.fixed import QFormat
from ernn.quant.activation import Piecewise
from ernn.quant.products import Product, Segment

__all__ = ["IntegerLayer", "IntegerModel", "Product", "Segment"]


@dataclass(frozen=True)
class IntegerLayer:
    """The cells of a layer; its products are in IntegerModel.products."""

    cell: CellKind
    hidden: int  # H, padded
    output: int
    cell_activation: str  # LSTM, of g: "tanh" or "sigmoid"
    peepholes: np.ndarray | None  # (3, H) int64 for i, f, o, raw in IntegerModel.peephole
    vectors: dict[str, QFormat]  # "x", "h", and "rh" or "m" where they exist


@dataclass(frozen=True)
class IntegerModel:
    """Layers, products in program order (docs/hardware.md), and the formats of the whole model."""

    features: int
    labels: int  # 0: no output layer
    word: int  # K
    layers: tuple[IntegerLayer, ...]
    products: tuple[Product, ...]
    row: QFormat
    gate: QFormat
    state: QFormat
    peephole: QFormat
    weight_bits: int
    activation_bits: int
    twiddle_bits: int
    sigmoid: Piecewise
    tanh: Piecewise
    meta: dict[str, str] = field(default_factory=dict)
