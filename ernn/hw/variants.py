"""Variants of a model that are only planned, never run: other bits, other block sizes.

A plan needs sizes and formats and no weights, so a variant's weights are zeros that take no memory.
"""

from collections.abc import Sequence
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
        return replace(found, weight=wide(found.weight), segments=segments, levels=None)

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
    blocks = [product.block * factor for product in model.products]
    return _with_blocks(model, blocks) if {*blocks} <= set(BLOCK_SIZES) else None


def with_block(model: IntegerParameters, block: int) -> IntegerParameters:
    """Return a variant whose layers have blocks of one size; its output layer keeps its own.

    Matrices that were dense get input scales, as `[model] input_scale` gives them by default; those
    that become dense lose theirs. Matrices of one product that had blocks of two sizes stay apart.
    """
    layers = len(model.layers)
    return _with_blocks(
        model, [block if one.layer < layers else one.block for one in model.products]
    )


def _with_blocks(model: IntegerParameters, blocks: Sequence[int]) -> IntegerParameters:
    """Return a variant with these block sizes of its products."""
    word = max(model.word, *blocks)

    def product(found: Product, block: int) -> Product:
        gates = len(found.gates)
        rows = gates * padded(found.bias.size // gates, word)
        segments = []
        read = sum(padded(model.size(vector), word) for vector in model.sources(found.layer))
        for segment in found.segments:
            columns = read if segment.vector == INPUT else padded(segment.columns, word)
            zeros = np.broadcast_to(np.int64(0), (rows // block, columns // block, block))
            changed = replace(segment, spectra=zeros, present=None)  # at most as large
            if block > found.block == 1:
                ones, form = (
                    np.broadcast_to(np.int64(1), columns),
                    QFormat(1, model.weight_bits - 2),
                )
                changed = replace(changed, scale=ones, scale_format=form)
            elif found.block > block == 1:
                own = model.layers[found.layer].vectors[segment.vector]
                changed = replace(changed, scale=None, scale_format=None, scaled=own)
            segments.append(changed)
        bias = np.zeros(rows, np.int64)
        shifts = None  # there may be as large ones as before
        if found.shifts is not None:
            shifts = np.full(rows // block, found.shifts.max(initial=0))
        int_bits = found.weight.int_bits
        weight = QFormat(int_bits, model.weight_bits - 1 - int_bits)  # spectra are no levels
        found = replace(found, block=block, segments=tuple(segments), bias=bias, shifts=shifts)
        return replace(found, weight=weight, levels=None)

    def layer(found: IntegerLayer) -> IntegerLayer:
        return replace(found, hidden=padded(found.hidden, word), output=padded(found.output, word))

    return replace(
        _parameters(model),
        word=word,
        layers=tuple(map(layer, model.layers)),
        products=tuple(map(product, model.products, blocks)),
    )


def _parameters(model: IntegerParameters) -> IntegerParameters:
    """Return the numbers alone: an IntegerModel would check weights that a variant has not."""
    names = IntegerParameters.__dataclass_fields__
    return IntegerParameters(**{name: getattr(model, name) for name in names})
