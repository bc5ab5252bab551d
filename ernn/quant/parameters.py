"""IntegerParameters: every number of an integer model, and the formats that follow from them."""

from dataclasses import dataclass, field

import numpy as np

from ernn.compressed import CellKind
from ernn.fixed import QFormat
from ernn.quant.activation import Piecewise
from ernn.quant.products import Product


@dataclass(frozen=True)
class IntegerLayer:
    """The cells of a layer; its products are in IntegerParameters.products."""

    cell: CellKind
    hidden: int  # H, padded
    output: int
    cell_activation: str  # LSTM, of g: "tanh" or "sigmoid"
    peepholes: np.ndarray | None  # (3, H) int64 for i, f, o, raw in IntegerParameters.peephole
    vectors: dict[str, QFormat]  # "x", "h", and "rh" or "m" where they exist


@dataclass(frozen=True)
class IntegerParameters:
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

    @property
    def vector(self) -> QFormat:
        """VECTOR of what lies within [-1, 1): hidden values and r * h."""
        return QFormat(0, self.activation_bits - 1)

    @property
    def inverse_input(self) -> QFormat:
        """What enters the inverse transform, whatever the product's block size."""
        growth = self.word.bit_length()  # log2 K and one bit for a row that will saturate
        return QFormat(self.row.int_bits + growth, self.row.frac_bits)

    @property
    def formats(self) -> dict[str, QFormat]:
        """Return the format of every signal by name; see `ernn.quant.walk.walk`."""
        formats: dict[str, QFormat] = {}
        for index, layer in enumerate(self.layers):
            formats |= {f"layer{index}.{name}": q for name, q in layer.vectors.items()}
            if layer.cell == "lstm":
                formats[f"layer{index}.c"] = self.state
            else:
                formats |= {f"layer{index}.state": self.state, f"layer{index}.z": self.gate}
        for product in self.products:
            last = product.layer == len(self.layers)
            where = "" if last else f"layer{product.layer}."
            formats["logits" if last else f"{where}{product.name}.row"] = self.row
            for segment in product.segments:
                if segment.scale is not None:
                    formats[f"{where}{segment.matrix}.scaled"] = segment.scaled
        return formats
