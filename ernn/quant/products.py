"""Products of block-circulant matrices with integer vectors, and the types that describe them.

A product is a job of the array: a few vectors, each against its columns, share accumulators and
leave through one inverse transform. Golden model of the array and of what stands behind it.
"""

from dataclasses import dataclass, field

import numpy as np

from ernn.fixed import QFormat
from ernn.graphs.fourier import forward, inverse
from ernn.structures.level_sets import level_integers

MOST_SHIFT = 7  # three bits for each block row


@dataclass(frozen=True)
class Segment:
    """One vector against its columns of a product."""

    vector: str  # "x", "h", "rh" or "m" of the product's layer; logits: "h" of the last layer
    matrix: str  # "input", "recurrent", "candidate", "projection" or "output"
    spectra: np.ndarray  # (p, q, k) int64, packed spectra of the generators, raw in Product.weight
    scale: np.ndarray | None  # (q * k,) int64, raw in scale_format
    scale_format: QFormat | None
    scaled: QFormat  # of what enters the transform: the vector's own format if there is no scale
    present: np.ndarray | None = None  # (p, q) int64, 1: the block has weights; None: all have

    @property
    def columns(self) -> int:
        """Elements of the vector, padding included."""
        return self.spectra.shape[1] * self.spectra.shape[2]

    @property
    def blocks(self) -> int:
        """Blocks that have weights."""
        p, q = self.spectra.shape[:2]
        return p * q if self.present is None else int(self.present.sum())


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
    # (p,) int64, 0 to MOST_SHIFT: fraction bits that the weights of a block row have more than
    # `weight`, in all segments alike, for they share accumulators; None: all have none
    shifts: np.ndarray | None = field(default=None, metadata={"rare": True})
    # Of ernn.structures.level_sets, that all weights are from, in its format; None: any integers
    levels: str | None = field(default=None, metadata={"rare": True})

    @property
    def levels_raw(self) -> tuple[int, ...] | None:
        """The integers that weights may be, rising; None: all of the format."""
        return None if self.levels is None else level_integers(self.levels)

    @property
    def weight_range(self) -> tuple[int, int]:
        """The smallest and the largest integer that a weight may be."""
        found = self.levels_raw
        return (found[0], found[-1]) if found else (self.weight.min_raw, self.weight.max_raw)

    @property
    def row_factors(self) -> np.ndarray | None:
        """What the weights of each block row are multiplied by: (p,) float64, or None for 1."""
        return None if self.shifts is None else np.exp2(self.shifts)

    def quantize(self, spectra: np.ndarray) -> np.ndarray:
        """Round spectra (p, q, k) in the formats of their block rows; int64."""
        return self.weight.quantize(times_rows(spectra, self.row_factors))


def times_rows(spectra: np.ndarray, factors: np.ndarray | None) -> np.ndarray:
    """Return spectra (p, q, k) with a factor for each block row, (p,), or None for none."""
    return spectra if factors is None else spectra * factors[:, None, None]


def transform(segment: Segment, scaled: np.ndarray, twiddle_bits: int) -> np.ndarray:
    """Return the spectra of a scaled vector: (..., q * k) -> (k, ..., q) int64."""
    block = segment.spectra.shape[2]
    blocks = scaled.reshape(*scaled.shape[:-1], -1, block)
    return np.moveaxis(forward(block, twiddle_bits).run(blocks), -1, 0)


def scale_vector(segment: Segment, raw: np.ndarray, vector: QFormat) -> np.ndarray:
    """Return the vector times the segment's input scale, in `Segment.scaled`."""
    if segment.scale is None or segment.scale_format is None:
        return raw
    source = vector.frac_bits + segment.scale_format.frac_bits
    return segment.scaled.requantize(raw * segment.scale, source)


class Weights:
    """The weights of a segment as real matrices per bin, for exact float64 products by BLAS.

    Complex bins are real products of twice the columns: Re = [a b] [c -d]', Im = [a b] [d c]'.
    """

    def __init__(self, segment: Segment) -> None:
        bins = segment.spectra.transpose(2, 1, 0).astype(np.float64, order="C")  # (k, q, p)
        self.real = bins[:2]
        re, im = bins[2::2], bins[3::2]
        self.complex = np.stack(
            [np.concatenate([re, -im], axis=1), np.concatenate([im, re], axis=1)], axis=1
        )  # (k/2 - 1, 2, 2q, p)

    def multiply(self, spectra: np.ndarray) -> np.ndarray:
        """Return accumulators (k, ..., p) float64, whole numbers, of spectra (k, ..., q)."""
        lead = spectra.shape[1:-1]
        k, q, p = len(spectra), spectra.shape[-1], self.real.shape[-1]
        lines = np.ascontiguousarray(spectra.reshape(k, -1, q), np.float64)  # or no BLAS
        acc = np.empty((k, lines.shape[1], p))
        np.matmul(lines[:2], self.real, out=acc[:2])
        if k > 2:
            pairs = np.concatenate([lines[2::2], lines[3::2]], axis=-1)[:, None]
            np.matmul(pairs, self.complex, out=acc[2:].reshape(k // 2 - 1, 2, -1, p))
        return acc.reshape(k, *lead, p)


def finish(
    product: Product, acc: np.ndarray, row: QFormat, inverse_input: QFormat, twiddle_bits: int
) -> np.ndarray:
    """Return rows (..., p * k) in ROW of accumulators (k, ..., p).

    Args:
        product: for its block size, weight formats and bias.
        acc: whole numbers with the binary points of the vectors and the weights.
        row: ROW.
        inverse_input: of what enters the inverse transform; ROW's binary point.
        twiddle_bits: fraction bits of the rotations.
    """
    vector_frac = product.segments[0].scaled.frac_bits
    sums, sums_frac = acc.astype(np.int64), vector_frac + product.weight.frac_bits
    if product.shifts is not None:  # one binary point, the finest that there can be
        sums, sums_frac = sums << (MOST_SHIFT - product.shifts), sums_frac + MOST_SHIFT
    spectra = inverse_input.requantize(sums, sums_frac)
    values = inverse(product.block, twiddle_bits).run(np.moveaxis(spectra, 0, -1))
    rows = values.reshape(*values.shape[:-2], -1)
    shift = product.block.bit_length() - 1
    return row.requantize(rows, row.frac_bits + shift, add=product.bias)
