"""Vectors filled up with zeros, so that several values can move together.

What moves through an accelerator in a cycle is a word, and every vector is a multiple of it. A
network of 161 inputs and 400 cells leaves words of one value. With zeros behind the 161 it has
words of 8, and takes about an eighth of the cycles to enter, to be read and to leave. What is added
is multiplied by weights of zero, so that no output changes.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ernn.compressed import padded
from ernn.graphs.cell import INPUT
from ernn.quant.integer_model import IntegerModel
from ernn.quant.parameters import IntegerLayer
from ernn.quant.products import Product, Segment

WORDS = (8, 4, 2)  # that are tried
MOST = 1.3  # times the weights, at most
FILLED = "filled"  # of a model's meta: what was filled up, in words


def filled(model: IntegerModel) -> IntegerModel:
    """Return a model of the same outputs, bit for bit, whose vectors are multiples of more.

    Of 8 if its weights grow by less than a third, else of 4, else of 2; the same model where its
    vectors are multiples of that already, or nothing is worth it.
    """
    for word in WORDS:
        if word <= model.word:
            break
        wide = _filled(model, word)
        if _weights(wide) <= MOST * _weights(model):
            return wide if _sizes(wide) != _sizes(model) else model
    return model


def _weights(model: IntegerModel) -> int:
    return sum(one.blocks * p.block for p in model.products for one in p.segments)


def _sizes(model: IntegerModel) -> list[int]:
    """Return the size of every vector: features, layers, outputs."""
    sizes = [model.size(vector) for vector in range(-1, len(model.layers))]
    inner = [layer.hidden for layer in model.layers]
    logits = [model.products[-1].bias.size] if model.has_output_layer else []
    return [*sizes, *inner, *logits]


def _filled(model: IntegerModel, word: int) -> IntegerModel:
    """Return the model with vectors that are multiples of ``word``."""
    last = model.layers[-1].output
    wide = replace(
        model,
        word=word,
        labels=model.labels or (0 if model.has_output_layer else last),
        layers=tuple(_layer(one, word) for one in model.layers),
        products=tuple(_product(model, one, word) for one in model.products),
    )
    pairs = zip(_sizes(model), _sizes(wide), strict=True)
    grown = dict.fromkeys(f"{a} to {b}" for a, b in pairs if a != b)
    told = f"filled up with zeros, so that {word} values move together: {', '.join(grown)}"
    return replace(wide, meta={**model.meta, FILLED: told})


def _layer(layer: IntegerLayer, word: int) -> IntegerLayer:
    hidden, output = padded(layer.hidden, word), padded(layer.output, word)
    own = {name: _wide(one, -1, [hidden - layer.hidden]) for name, one in layer.parameters.items()}
    return replace(layer, hidden=hidden, output=output, parameters=own)


def _product(model: IntegerModel, product: Product, word: int) -> Product:
    gates, block = len(product.gates), product.block
    size = product.bias.size // gates
    more = [padded(size, word) - size] * gates
    rows = [one // block for one in more]

    def segment(found: Segment) -> Segment:
        read = [found.columns]
        if found.vector == INPUT:
            read = [model.size(vector) for vector in model.sources(product.layer)]
        added = [padded(one, word) - one for one in read]
        columns = [one // block for one in added]
        blocks = [one // block for one in read]
        present = found.present
        if present is not None:
            present = _wide(_wide(present, 0, rows), 1, columns, blocks)
        return replace(
            found,
            spectra=_wide(_wide(found.spectra, 0, rows), 1, columns, blocks),
            scale=None if found.scale is None else _wide(found.scale, 0, added, read),
            present=present,
        )

    return replace(
        product,
        segments=tuple(map(segment, product.segments)),
        bias=_wide(product.bias, 0, more),
        shifts=None if product.shifts is None else _wide(product.shifts, 0, rows),
    )


def _wide(
    values: np.ndarray, axis: int, more: Sequence[int], sizes: Sequence[int] | None = None
) -> np.ndarray:
    """Return values with so many zeros behind each part of an axis; equal parts if no sizes."""
    if not any(more):
        return values
    found = []
    ends = len(more) if sizes is None else np.cumsum(sizes)[:-1]
    for part, added in zip(np.split(values, ends, axis), more, strict=True):
        shape = [(0, 0)] * values.ndim
        shape[axis] = (0, added)
        found.append(np.pad(part, shape))
    return np.concatenate(found, axis)
