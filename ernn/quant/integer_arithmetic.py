"""The golden arithmetic on int64: the reference of ernn.quant.compiled_arithmetic."""

import numpy as np

from ernn.quant import interpreter, products
from ernn.quant.operations import Elements, IntegerOperations, formats, named_parameters
from ernn.quant.parameters import IntegerParameters
from ernn.quant.products import Product, Segment, Weights


class IntegerArithmetic:
    """Raw int64 products and operations; see `ernn.quant.interpreter.Arithmetic`."""

    dtype: type = np.int64

    def __init__(self, model: IntegerParameters) -> None:
        self.model, self.stack, self.products = model, model.stack, model.products
        self.weights = {
            (product.layer, product.name, segment.vector): Weights(segment)
            for product in model.products
            for segment in product.segments
        }

    def scaled(self, product: Product, segment: Segment, vector: np.ndarray) -> np.ndarray:
        """See `ernn.quant.products.scale_vector`."""
        form = self.stack[product.layer].vectors[segment.vector]
        return products.scale_vector(segment, vector, form)

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
        """Add the two rows of a gate whose matrices have different block sizes."""
        return self.model.row.saturate(row_h + row_x)

    def elements(self, layer: int, lead: tuple[int, ...]) -> interpreter.Elements:
        """Return the element-wise values of a layer."""
        own = self.stack[layer]
        operations = IntegerOperations(self.model, formats(self.model, own))
        return Elements(operations.run, named_parameters(own))
