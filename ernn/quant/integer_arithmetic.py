"""The golden arithmetic on int64: the reference of ernn.quant.compiled_arithmetic."""

import numpy as np

from ernn.quant import cells, products
from ernn.quant.parameters import IntegerLayer, IntegerParameters
from ernn.quant.products import Product, Segment, Weights


class IntegerArithmetic:
    """Raw int64 products and cells; see `ernn.quant.walk.Arithmetic`."""

    dtype: type = np.int64

    def __init__(self, model: IntegerParameters) -> None:
        self.model, self.layers, self.products = model, model.layers, model.products
        self.weights = {
            (product.layer, product.name, segment.vector): Weights(segment)
            for product in model.products
            for segment in product.segments
        }

    def scaled(self, product: Product, segment: Segment, vector: np.ndarray) -> np.ndarray:
        """See `ernn.quant.products.scale_vector`."""
        layer = self.layers[min(product.layer, len(self.layers) - 1)]
        return products.scale_vector(segment, vector, layer.vectors[segment.vector])

    def spectra(self, segment: Segment, scaled: np.ndarray) -> np.ndarray:
        """See `ernn.quant.products.transform`."""
        return products.transform(segment, scaled, self.model.twiddle_bits)

    def multiply(self, product: Product, segment: Segment, spectra: np.ndarray) -> np.ndarray:
        """See `ernn.quant.products.Weights.multiply`."""
        return self.weights[product.layer, product.name, segment.vector].multiply(spectra)

    def rows(self, product: Product, acc: np.ndarray) -> np.ndarray:
        """See `ernn.quant.products.finish`."""
        model = self.model
        return products.finish(product, acc, model.row, model.inverse_input, model.twiddle_bits)

    def add_rows(self, row_h: np.ndarray, row_x: np.ndarray) -> np.ndarray:
        """See `ernn.quant.cells.add_rows`."""
        return cells.add_rows(self.model, row_h, row_x)

    def lstm_step(
        self, layer: IntegerLayer, rows: np.ndarray, state: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `ernn.quant.cells.lstm_step`."""
        return cells.lstm_step(self.model, rows, state, layer.peepholes, layer.cell_activation)

    def gru_gates(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `ernn.quant.cells.gru_gates`."""
        return cells.gru_gates(self.model, rows)

    def gru_reset_step(self, r: np.ndarray, state: np.ndarray) -> np.ndarray:
        """See `ernn.quant.cells.gru_reset_step`."""
        return cells.gru_reset_step(self.model, r, state)

    def gru_candidate_row(
        self, row_nx: np.ndarray, row_nh: np.ndarray, r: np.ndarray
    ) -> np.ndarray:
        """See `ernn.quant.cells.gru_candidate_row`."""
        return cells.gru_candidate_row(self.model, row_nx, row_nh, r)

    def gru_update_step(
        self, row_n: np.ndarray, z: np.ndarray, state: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `ernn.quant.cells.gru_update_step`."""
        return cells.gru_update_step(self.model, row_n, z, state)

    def project(self, layer: IntegerLayer, row: np.ndarray) -> np.ndarray:
        """Return a projection row in VECTOR."""
        return layer.vectors["h"].requantize(row, self.model.row.frac_bits)
