"""Variants of a model that are only planned, never run: other bits, other block sizes.

A plan needs sizes and formats and no weights, so a variant's weights are zeros that take no memory.
"""

from dataclasses import replace

import numpy as np

from ernn.compressed import padded
from ernn.fixed import QFormat
from ernn.graphs.cell import INPUT
from ernn.quant.parameters import IntegerLayer, IntegerParameters
from ernn.quant.products import Product, Segment
from ernn.recipe import BLOCK_SIZES


def with_bits(model: IntegerParameters, bits: int) -> IntegerParameters:
    """Return a variant whose weights and activations have ``bits`` bits, in the same ranges."""

    def wide(found: QFormat, width: int = bits) -> QFormat:
        return QFormat(found.int_bits, width - 1 - found.int_bits)

    def vector(found: QFormat) -> QFormat:
        return QFormat(found.int_bits, bits - 1)

    def segment(found: Segment) -> Segment:
        scale = None if found.scale_format is None else wide(found.scale_format)
        return replace(found, scale_format=scale, scaled=vector(found.scaled))

    def product(found: Product) -> Product:
        segments = tuple(map(segment, found.segments))
        return replace(found, weight=wide(found.weight), segments=segments)

    def layer(found: IntegerLayer) -> IntegerLayer:
        return replace(found, vectors={name: vector(q) for name, q in found.vectors.items()})

    row = wide(model.row, bits + 4)
    return replace(
        _parameters(model),
        layers=tuple(map(layer, model.layers)),
        products=tuple(map(product, model.products)),
        row=row,
        gate=wide(model.gate, max(row.width, model.state.width)),
        peephole=wide(model.peephole),
        weight_bits=bits,
        activation_bits=bits,
        twiddle_bits=bits,
    )


def with_blocks(model: IntegerParameters, factor: int) -> IntegerParameters | None:
    """Return a variant of ``factor`` times larger blocks, or None if there are none so large."""
    blocks = {product.block * factor for product in model.products}
    if not blocks <= set(BLOCK_SIZES):
        return None
    word = max(model.word, *blocks)

    def product(found: Product) -> Product:
        block, gates = found.block * factor, len(found.gates)
        rows = gates * padded(found.bias.size // gates, word)
        segments = []
        read = sum(padded(model.size(vector), word) for vector in model.sources(found.layer))
        for segment in found.segments:
            columns = read if segment.vector == INPUT else padded(segment.columns, word)
            zeros = np.broadcast_to(np.int64(0), (rows // block, columns // block, block))
            segments.append(replace(segment, spectra=zeros, present=None))  # at most as large
        bias = np.zeros(rows, np.int64)
        shifts = None  # there may be as large ones as before
        if found.shifts is not None:
            shifts = np.full(rows // block, found.shifts.max(initial=0))
        return replace(found, block=block, segments=tuple(segments), bias=bias, shifts=shifts)

    def layer(found: IntegerLayer) -> IntegerLayer:
        return replace(found, hidden=padded(found.hidden, word), output=padded(found.output, word))

    return replace(
        _parameters(model),
        word=word,
        layers=tuple(map(layer, model.layers)),
        products=tuple(map(product, model.products)),
    )


def _parameters(model: IntegerParameters) -> IntegerParameters:
    """Return the numbers alone: an IntegerModel would check weights that a variant has not."""
    names = IntegerParameters.__dataclass_fields__
    return IntegerParameters(**{name: getattr(model, name) for name in names})
