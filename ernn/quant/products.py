"""Products of block-circulant matrices with integer vectors, and the types that describe them.

A product is a job of the array: a few vectors, each against its columns, share accumulators and
leave through one inverse transform. Golden model of the array and of what stands behind it.
"""

from dataclasses import dataclass

import numpy as np

from ernn.fixed import QFormat


@dataclass(frozen=True)
class Segment:
    """One vector against its columns of a product."""

    vector: str  # "x", "h", "rh" or "m" of the product's layer; logits: "h" of the last layer
    matrix: str  # "input", "recurrent", "candidate", "projection" or "output"
    spectra: np.ndarray  # (p, q, k) int64, packed spectra of the generators, raw in Product.weight
    scale: np.ndarray | None  # (q * k,) int64, raw in scale_format
    scale_format: QFormat | None
    scaled: QFormat  # of what enters the transform: the vector's own format if there is no scale


@dataclass(frozen=True)
class Product:
    """A job of the array: rows = bias + the sum over the segments, gate-major in blocks of k."""

    layer: int  # number of layers for the output layer
    name: str  # "gates", "zr", "n", "nh", "nx", "projection", "logits"; "_h", "_x": half of a pair
    gates: str  # "ifgo", "zr", "n", "y" (projection and logits)
    block: int  # k
    weight: QFormat
    segments: tuple[Segment, ...]  # x first, then the recurrent one
    bias: np.ndarray  # (rows,) int64, raw in the row format
