"""IntegerParameters: every number of an integer model, and the formats that follow from them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ernn.cells import OUTPUT_LAYER, cell_named
from ernn.compressed import padded
from ernn.fixed import QFormat
from ernn.graphs.activation import Piecewise
from ernn.graphs.cell import Cell, Options
from ernn.graphs.reads import FEATURES, Reads, sources
from ernn.quant.products import Product
from ernn.quant.program import row_signal, signal


def widest(formats: Iterable[QFormat]) -> QFormat:
    """Return the format that holds vectors side by side; all have one binary point."""
    return max(formats, key=lambda form: form.width)


@dataclass(frozen=True)
class IntegerLayer:
    """The cells of a layer; its products are in IntegerParameters.products."""

    cell: str  # of ernn.cells
    hidden: int  # H, padded
    output: int
    cell_activation: str  # one of the cell's `activations`, where it has a choice
    parameters: dict[str, np.ndarray]  # int64: peepholes raw in PEEPHOLE; no biases of products
    vectors: dict[str, QFormat]  # "x", "h" and the cell's inner ones; "x": the widest that it reads
    reads: Reads = field(default=(), metadata={"rare": True})  # as `CompressedLayer.reads`

    @property
    def kind(self) -> Cell:
        """The cell's description."""
        return cell_named(self.cell)

    @property
    def options(self) -> Options:
        """What was chosen about the cell."""
        projection = self.kind.matrices.get("projection")
        projects = projection is not None and projection.vector in self.vectors
        return Options(self.cell_activation, "peepholes" in self.parameters, projects)

    @property
    def peepholes(self) -> np.ndarray | None:
        """(3, H), or None where the cell has none."""
        return self.parameters.get("peepholes")


@dataclass(frozen=True)
class IntegerParameters:
    """Layers, products in program order (docs/hardware.md), and the formats of the whole model."""

    features: int
    labels: int  # real outputs, of the output layer or of the last layer; 0: all of them
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
    output_reads: Reads = field(default=(), metadata={"rare": True})  # of the output layer

    @property
    def has_output_layer(self) -> bool:
        """Whether logits leave the accelerator behind the last layer's vector."""
        return bool(self.products) and self.products[-1].layer == len(self.layers)

    @property
    def leaving(self) -> str:
        """The signal that is the model's output: the logits, or the last layer's vector."""
        return "logits" if self.has_output_layer else f"layer{len(self.layers) - 1}.h"

    @property
    def stack(self) -> tuple[IntegerLayer, ...]:
        """The layers and, where there is one, the output layer: a feed-forward layer."""
        if not self.has_output_layer:
            return self.layers
        rows = padded(self.labels, self.word)
        entering = widest(self.format_of(n) for n in sources(self.output_reads, len(self.layers)))
        vectors, reads = {"x": entering, "h": self.row}, self.output_reads
        last = IntegerLayer(OUTPUT_LAYER.name, rows, rows, "tanh", {}, vectors, reads)
        return (*self.layers, last)

    def sources(self, index: int) -> Reads:
        """Return the vectors that layer ``index`` of the stack reads, in order."""
        return sources(self.stack[index].reads, index)

    def size(self, vector: int) -> int:
        """Return the padded size of a vector."""
        features = padded(self.features, self.word)
        return features if vector == FEATURES else self.layers[vector].output

    def format_of(self, vector: int) -> QFormat:
        """Return the format of a vector; the first layer reads the features alone."""
        features = vector == FEATURES
        return self.layers[0].vectors["x"] if features else self.layers[vector].vectors["h"]

    @property
    def vector(self) -> QFormat:
        """VECTOR of what lies within [-1, 1): hidden values and r * h."""
        return QFormat(0, self.activation_bits - 1)

    @property
    def row_shift(self) -> int:
        """The largest of `Product.shifts`; 0: no row has a binary point of its own."""
        shifts = [int(one.shifts.max(initial=0)) for one in self.products if one.shifts is not None]
        return max(shifts, default=0)

    @property
    def shift_bits(self) -> int:
        """Bits of `row_shift`."""
        return self.row_shift.bit_length()

    @property
    def inverse_input(self) -> QFormat:
        """What enters the inverse transform, whatever the product's block size."""
        growth = self.word.bit_length()  # log2 K and one bit for a row that will saturate
        return QFormat(self.row.int_bits + growth, self.row.frac_bits)

    @property
    def formats(self) -> dict[str, QFormat]:
        """Return the format of every signal by name; see `ernn.quant.interpreter.interpret`."""
        formats: dict[str, QFormat] = {}
        for index, layer in enumerate(self.layers):
            kinds = {"state": self.state, "gate": self.gate, "row": self.row}
            found, cell = layer.kind.formats(layer.options), layer.kind
            kept = (*([cell.state.name] if cell.state else ()), *cell.signals)
            named = layer.vectors | {name: kinds[found[name]] for name in kept}
            formats |= {f"layer{index}.{name}": form for name, form in named.items()}
        for product in self.products:
            layer = self.stack[product.layer]
            formats[row_signal(layer.kind, product.layer, product.name)] = self.row
            for segment in product.segments:
                if segment.scale is not None:
                    name = f"{segment.matrix}.scaled"
                    formats[signal(layer.kind, product.layer, name)] = segment.scaled
        return formats
