"""Products as the array meets them: a segment for each vector, where a layer reads several.

The integer model has the vectors that a layer reads side by side in one segment. Here its columns
are cut where a vector ends; each part then follows the format of its own vector.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from ernn.graphs.cell import INPUT, OUTPUT
from ernn.quant.parameters import IntegerParameters
from ernn.quant.products import Product, Segment


class Copy(NamedTuple):
    """A vector in the form that some matrices read: they share its blocks, and its scale if any."""

    vector: int  # a layer's number, or FEATURES
    block: int
    scale: tuple[int, str] | None  # layer and matrix that the scale belongs to


def by_source(model: IntegerParameters, recurrent_first: bool = False) -> tuple[Product, ...]:
    """Return the products of a model with a segment for each vector, in the order of its steps.

    Args:
        model: whose products have x first, then the recurrent vector.
        recurrent_first: the other way round where that vector is of the frame before, and so there
            before x is; sums are exact, so that the order changes none.
    """
    found = []
    for product in model.products:
        segments: list[Segment] = []
        for segment in product.segments:
            whole = segment.vector != INPUT
            segments += [segment] if whole else _parts(model, product, segment)
        if recurrent_first:
            segments.sort(key=lambda segment: segment.vector != OUTPUT)
        found.append(replace(product, segments=tuple(segments)))
    return tuple(found)


def _parts(model: IntegerParameters, product: Product, segment: Segment) -> Iterator[Segment]:
    vectors, first = model.sources(product.layer), 0
    if len(vectors) == 1:
        yield segment
        return
    for vector in vectors:
        blocks = slice(first, first + model.size(vector) // product.block)
        columns = slice(blocks.start * product.block, blocks.stop * product.block)
        yield replace(
            segment,
            spectra=segment.spectra[:, blocks],
            scale=None if segment.scale is None else segment.scale[columns],
            scaled=model.format_of(vector) if segment.scale_format is None else segment.scaled,
            present=None if segment.present is None else segment.present[:, blocks],
        )
        first = blocks.stop


def sources_of(model: IntegerParameters, product: Product) -> tuple[int, ...]:
    """Return who makes the vector of each segment of a product of `by_source`."""
    vectors = iter(model.sources(product.layer))
    return tuple(
        next(vectors) if segment.vector == INPUT else product.layer for segment in product.segments
    )


def copy_of(product: Product, segment: Segment, vector: int) -> Copy:
    """Return the form in which a segment of `by_source` reads the vector that enters a layer."""
    scaled = segment.scale_format is not None
    return Copy(vector, product.block, (product.layer, segment.matrix) if scaled else None)
