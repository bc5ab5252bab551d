"""Random integer models and frames for tests of everything behind training."""

from dataclasses import replace

import numpy as np

from ernn.parts.part import Part
from ernn.quant.integer_model import IntegerModel
from ernn.quant.products import MOST_SHIFT, Product, Segment
from ernn.quant.quantize import quantize
from ernn.random_model import random_model
from ernn.recipe import QuantizationRecipe


def random_frames(
    rng: np.random.Generator, features: int, batch: int = 2, frames: int = 6
) -> np.ndarray:
    """Return (B, T, F) normalised features, slowly changing like speech."""
    steps = rng.normal(0, 1, (batch, frames, features))
    for time in range(1, frames):
        steps[:, time] = 0.8 * steps[:, time - 1] + 0.6 * steps[:, time]
    return steps


def random_integer_model(
    rng: np.random.Generator, settings: QuantizationRecipe | None = None, **kinds
) -> IntegerModel:
    """Return the integer model of a `random_model` (same keywords), calibrated on noise."""
    model = random_model(rng, **kinds)
    calibration = random_frames(rng, model.features, batch=4, frames=24)
    return quantize(model, settings or QuantizationRecipe(), list(calibration))


def with_multiplier(part: Part, **changes) -> Part:
    """Return a part whose family has another multiplier block."""
    block = replace(part.family.multiplier, **changes)
    return replace(part, family=replace(part.family, multiplier=block))


def turned(model: IntegerModel) -> IntegerModel:
    """Return another model of the same formats: the rows of every gate in reverse order."""

    def reverse(rows: np.ndarray, gates: int) -> np.ndarray:
        return rows.reshape(gates, -1, *rows.shape[1:])[:, ::-1].reshape(rows.shape).copy()

    products = tuple(
        replace(
            product,
            bias=reverse(product.bias, len(product.gates)),
            shifts=None if product.shifts is None else reverse(product.shifts, len(product.gates)),
            segments=tuple(
                replace(segment, spectra=reverse(segment.spectra, len(product.gates)))
                for segment in product.segments
            ),
        )
        for product in model.products
    )
    return replace(model, products=products)


def uneven(model: IntegerModel, most: int = MOST_SHIFT) -> IntegerModel:
    """Return a model whose block rows have binary points of their own, 0 to ``most`` at random."""
    rng = np.random.default_rng(4)

    def product(found: Product) -> Product:
        shifts = rng.integers(0, most + 1, found.bias.size // found.block)
        shifts[rng.integers(len(shifts))] = most
        return replace(found, shifts=shifts)

    return replace(model, products=tuple(map(product, model.products)))


def masked(model: IntegerModel, share: float, tile: tuple[int, int]) -> IntegerModel:
    """Return a model that has weights in about this share of its tiles, drawn at random.

    Args:
        model: with weights in all blocks.
        share: of the tiles that keep their weights.
        tile: block rows and block columns.
    """
    rng = np.random.default_rng(3)

    def segment(found: Segment) -> Segment:
        p, q = found.spectra.shape[:2]
        kept = rng.random((-(-p // tile[0]), -(-q // tile[1]))) < share
        present = np.kron(kept, np.ones(tile, np.int64))[:p, :q].astype(np.int64)
        return replace(found, spectra=found.spectra * present[..., None], present=present)

    products = tuple(
        replace(product, segments=tuple(map(segment, product.segments)))
        for product in model.products
    )
    return replace(model, products=products)
