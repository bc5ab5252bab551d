"""Integer models whose weights have a power of two of their own in every row of a product.

No hardware of that kind exists: this asks whether it would pay. A model with weights of 16 bits
holds every row that was rounded in a format of its own exactly, as long as that is no finer than
the product's; all else is the integer model as it is.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ernn.compressed import CompressedModel
from ernn.fixed import QFormat
from ernn.quant.integer_model import IntegerModel
from ernn.quant.products import Product
from ernn.quant.program import FloatProduct, program
from ernn.quant.quantize import quantize
from ernn.quant.ranges import Ranges, constant_format
from ernn.recipe import QuantizationRecipe

WIDEST = 16  # bits of weights that an integer model may have


def by_product(
    model: CompressedModel, ranges: Ranges, weight_bits: int, activation_bits: int
) -> IntegerModel:
    """Return the integer model as ernn makes it: one binary point for a product's weights."""
    asked = {"weight_bits": weight_bits, "activation_bits": activation_bits}
    return quantize(model, QuantizationRecipe.from_dict(asked, "quantization"), ranges)


def by_row(
    model: CompressedModel, ranges: Ranges, weight_bits: int, activation_bits: int
) -> IntegerModel:
    """Return the same with a binary point for every row; the model is dense."""
    wide = by_product(model, ranges, WIDEST, activation_bits)
    pairs = zip(wide.products, program(model), strict=True)
    return replace(wide, products=tuple(_rounded(one, job, weight_bits) for one, job in pairs))


def _rounded(product: Product, job: FloatProduct, bits: int) -> Product:
    weights = [segment.generators[..., 0] for segment in job.segments]
    formats = [_row_format(row, bits, product.weight) for row in np.concatenate(weights, axis=1)]
    segments = [
        replace(old, spectra=_raw(rows, formats, product.weight)[..., None])
        for old, rows in zip(product.segments, weights, strict=True)
    ]
    return replace(product, segments=tuple(segments))


def _row_format(row: np.ndarray, bits: int, finest: QFormat) -> QFormat:
    frac_bits = min(constant_format(row, bits).frac_bits, finest.frac_bits)
    return QFormat(bits - 1 - frac_bits, frac_bits)


def _raw(rows: np.ndarray, formats: Sequence[QFormat], wide: QFormat) -> np.ndarray:
    """Round every row in its format; return it in the wide one, which holds it."""
    pairs = zip(rows, formats, strict=True)
    return np.stack([one.quantize(row) << (wide.frac_bits - one.frac_bits) for row, one in pairs])
