"""What host and board have to agree on: the transform with its steps, and the codes of its indices.

Features of a group of frames, x, become whole numbers on the host, round(analysis @ (x - mean)),
and on the board x is round(offset + indices @ synthesis): the steps are in both matrices, so that
the board multiplies once.
"""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from ernn.errors import Fault, ModelFileError, ShapeError
from ernn.files import read_arrays, write_arrays
from ernn.fixed import QFormat

FILE_FORMAT = "ernn-link-1"
VERSION = 1  # of the frames; a part of every table's id
ESCAPE = 16  # ones in a row: the number follows as it is
MOST_RICE = 7  # a code's parameter
LEAST_INDICES = 2  # of a group
INDEX_BITS = 4, 24  # at least, at most
MOST_GROUP = 8  # frames
WEIGHT_BITS = 12  # of the synthesis matrix
UTTERANCE_BITS = 2  # utterances are counted modulo 4, so that a lost start is noticed


@dataclass(frozen=True)
class LinkTables:
    """The tables of a link: K indices for a group of G frames of F features."""

    features: int  # F
    group: int  # G, a power of two
    streams: int  # that a frame may be of
    vector: QFormat  # of a feature behind the link, as the first layer reads it
    weight: QFormat  # of offset and synthesis
    analysis: np.ndarray  # (K, G * F) float64
    mean: np.ndarray  # (G * F,) float64
    offset: np.ndarray  # (G * F,) int64
    synthesis: np.ndarray  # (K, G * F) int64
    rice: np.ndarray  # (K,) parameters of the Golomb-Rice codes
    flagged: np.ndarray  # (K,) 1: a bit says whether anything but zeros comes before the next such

    def __post_init__(self) -> None:
        _check(self)

    @property
    def indices(self) -> int:
        """K, whole numbers of a group."""
        return len(self.rice)

    @cached_property
    def index_bits(self) -> int:
        """Bits of an index, sign included: enough for all features of the format."""
        ends = np.array([self.vector.min_raw, self.vector.max_raw])
        reach = np.abs(self.vector.to_float(ends)[:, None] - self.mean).max(0)
        largest = int(np.ceil((np.abs(self.analysis) @ reach).max()))
        return max(INDEX_BITS[0], largest.bit_length() + 1)

    @property
    def count_bits(self) -> int:
        """Bits that tell how many frames of a group there are."""
        return (self.group - 1).bit_length()

    @property
    def stream_bits(self) -> int:
        """Bits that tell the stream."""
        return (self.streams - 1).bit_length()

    @property
    def header_bits(self) -> int:
        """Bits of a frame before its indices."""
        return self.stream_bits + UTTERANCE_BITS + self.count_bits

    @cached_property
    def id(self) -> int:
        """Sixteen bits that stand for all that the board knows; where checksums begin."""
        sizes = [VERSION, self.features, self.group, self.streams, self.index_bits]
        formats = [self.vector.int_bits, self.vector.frac_bits, self.weight.frac_bits]
        known = [np.array(sizes + formats), self.offset, self.synthesis, self.rice, self.flagged]
        digest = sha256(b"".join(np.asarray(one, "<i8").tobytes() for one in known)).digest()
        return int.from_bytes(digest[:2], "big")

    def quantize(self, groups: np.ndarray) -> np.ndarray:
        """Return the indices (N, K) int64 of groups of frames (N, G * F)."""
        held = self.vector.to_float(self.vector.quantize(groups))
        return np.floor((held - self.mean) @ self.analysis.T + 0.5).astype(np.int64)

    def restore(self, indices: np.ndarray) -> np.ndarray:
        """Return the features (N, G * F), raw int64 in `vector`, of indices (N, K); exact."""
        sums = indices @ self.synthesis + self.offset
        return self.vector.requantize(sums, self.weight.frac_bits)

    def save(self, path: Path) -> None:
        """Write the tables as safetensors."""
        arrays = {name: getattr(self, name) for name in (*_FLOATS, *_INTEGERS)}
        header = {name: getattr(self, name) for name in _SIZES}
        formats = {name: str(getattr(self, name)) for name in _FORMATS}
        write_arrays(path, arrays, {"format": FILE_FORMAT, **header, **formats})

    @classmethod
    def load(cls, path: Path) -> "LinkTables":
        """Read what `save` wrote.

        Raises:
            ModelFileError: the file is missing, damaged or of another version.
        """
        arrays, header = read_arrays(path, FILE_FORMAT, "give a link.safetensors")
        try:
            fields: dict[str, Any] = {name: int(header[name]) for name in _SIZES}
            fields |= {name: QFormat.parse(header[name]) for name in _FORMATS}
            fields |= {name: arrays[name].astype(np.float64) for name in _FLOATS}
            fields |= {name: arrays[name].astype(np.int64) for name in _INTEGERS}
            return cls(**fields)
        except (KeyError, TypeError, ValueError) as error:
            told = Fault(f"{path} does not describe a link", str(error))
            raise ModelFileError(told) from None


_SIZES = ("features", "group", "streams")
_FORMATS = ("vector", "weight")
_FLOATS = ("analysis", "mean")
_INTEGERS = ("offset", "synthesis", "rice", "flagged")


def _check(tables: LinkTables) -> None:
    """Raise ShapeError for the first thing that no link can have."""
    size, count = tables.features * tables.group, len(tables.rice)
    if tables.group not in (1, 2, 4, MOST_GROUP):
        raise ShapeError(f"a group of {tables.group} frames", allowed="1, 2, 4 or 8")
    if not 1 <= tables.streams <= 256:
        raise ShapeError(f"{tables.streams} streams", allowed="1 to 256")
    if tables.features < 1 or count < LEAST_INDICES:
        raise ShapeError(
            f"a link of {tables.features} features and {count} indices",
            allowed=f"at least 1 and {LEAST_INDICES}",
            remedy="allow it more bits",
        )
    shapes = {
        "analysis": (count, size),
        "mean": (size,),
        "offset": (size,),
        "synthesis": (count, size),
        "flagged": (count,),
    }
    for name, shape in shapes.items():
        value = getattr(tables, name)
        if value.shape != shape or not np.isfinite(value).all():
            raise ShapeError(f"{name} of shape {value.shape}", allowed=f"{shape}, all finite")
    if tables.index_bits > INDEX_BITS[1]:
        raise ShapeError(
            f"steps so fine that an index needs {tables.index_bits} bits",
            allowed=f"{INDEX_BITS[1]}",
            remedy="take coarser ones",
        )
    if tables.rice.min() < 0 or tables.rice.max() > MOST_RICE:
        raise ShapeError(
            f"Golomb-Rice parameters {tables.rice.min()} to {tables.rice.max()}",
            allowed=f"0 to {MOST_RICE}",
        )
    if not set(np.unique(tables.flagged)) <= {0, 1}:
        raise ShapeError("flags other than 0 and 1", remedy="design the link anew")
    for name in ("offset", "synthesis"):
        value = getattr(tables, name)
        if value.min() < tables.weight.min_raw or value.max() > tables.weight.max_raw:
            raise ShapeError(f"{name} holds values beyond {tables.weight}", remedy="widen it")
