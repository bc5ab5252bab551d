"""Sizes of a recurrent network: what a model of any accelerator has to know of it, and no weights.

Matrices are as in `ernn.compressed`: the rows of all gates stacked, sizes padded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from ernn.cells import cell_called

Cell = Literal["lstm", "gru"]


class Sized(Protocol):
    """A matrix of `ernn.compressed`, or anything else with its sizes."""

    @property
    def rows(self) -> int:
        """Rows."""

    @property
    def cols(self) -> int:
        """Columns."""

    @property
    def block(self) -> int:
        """Size of its circulant blocks."""


@dataclass(frozen=True)
class Matrix:
    """A block-circulant matrix; block = 1 is a dense one."""

    rows: int
    cols: int
    block: int

    @property
    def dense(self) -> int:
        """Weights without compression."""
        return self.rows * self.cols

    @property
    def weights(self) -> int:
        """Stored weights."""
        return self.dense // self.block

    @property
    def block_rows(self) -> int:
        """Blocks above each other: one inverse transform each."""
        return self.rows // self.block

    @property
    def block_cols(self) -> int:
        """Blocks beside each other: one forward transform each."""
        return self.cols // self.block

    @property
    def blocks(self) -> int:
        """Circulant blocks."""
        return self.block_rows * self.block_cols

    def share(self, part: int, whole: int) -> "Matrix":
        """Return some of the gates that are stacked in it."""
        return Matrix(self.rows * part // whole, self.cols, self.block)


@dataclass(frozen=True)
class Layer:
    """One recurrent layer."""

    cell: Cell
    hidden: int
    input: Matrix  # all gates
    recurrent: Matrix  # all gates, of a GRU with a candidate matrix only z and r
    candidate: Matrix | None = None  # GRU, reset before the product
    projection: Matrix | None = None  # LSTM
    peepholes: bool = False  # LSTM

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """Those that there are."""
        every = (self.input, self.recurrent, self.candidate, self.projection)
        return tuple(one for one in every if one is not None)


@dataclass(frozen=True)
class Shape:
    """A stack of layers, and the output layer if there is one."""

    layers: tuple[Layer, ...]
    output: Matrix | None = None
    features: int | None = None  # inputs that are not padding; None: all
    labels: int | None = None  # outputs of the output layer that are not padding; None: all

    @property
    def cell(self) -> Cell:
        """Of all layers."""
        return self.layers[0].cell

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """Of all layers, and the output's."""
        found = tuple(matrix for layer in self.layers for matrix in layer.matrices)
        return (*found, self.output) if self.output else found

    @property
    def padding(self) -> int:
        """Weights, without compression, that meet only zeros or whose sums nothing reads."""
        first, found = self.layers[0].input, 0
        if self.features is not None:
            found += first.rows * (first.cols - self.features)
        if self.output and self.labels is not None:
            found += (self.output.rows - self.labels) * self.output.cols
        return found

    @property
    def dense(self) -> int:
        """Weights without compression and padding: multiplications of a frame."""
        return sum(matrix.dense for matrix in self.matrices) - self.padding

    @property
    def weights(self) -> int:
        """Stored weights."""
        return sum(matrix.weights for matrix in self.matrices)

    @property
    def block(self) -> int:
        """The largest block size."""
        return max(matrix.block for matrix in self.matrices)

    def __str__(self) -> str:
        sizes = []
        for layer in self.layers:
            projected = f"/{layer.projection.rows}" if layer.projection else ""
            sizes.append(f"{layer.hidden:,}{projected}")
        blocks = sorted({matrix.block for matrix in self.matrices})
        told = " and ".join(map(str, blocks))
        return f"{self.cell.upper()} {' + '.join(sizes)}, blocks of {told}"


def shape_of(
    cell: Cell,
    matrices: Mapping[str, Sized],
    features: int,
    labels: int = 0,
    peepholes: bool = False,
) -> Shape:
    """Return the sizes of a model.

    Args:
        cell: of its layers.
        matrices: by name as in `CompressedModel.matrices`: ``"layer0.input"`` ... ``"output"``.
        features: inputs without padding.
        labels: rows of the output layer without padding, if there is one.
        peepholes: whether the cells have them.
    """
    known = {name: Matrix(one.rows, one.cols, one.block) for name, one in matrices.items()}
    layers = []
    for layer in sorted({name.split(".")[0] for name in known} - {"output"}):
        entering = known[f"{layer}.input"]
        layers.append(
            Layer(
                cell,
                entering.rows // len(cell_called(cell, "before").gates),
                entering,
                known[f"{layer}.recurrent"],
                known.get(f"{layer}.candidate"),
                known.get(f"{layer}.projection"),
                peepholes,
            )
        )
    return Shape(tuple(layers), known.get("output"), features, labels)


def benchmark_shape(cell: Cell, block: int) -> Shape:
    """Return the layer that the published figures are for: 153 inputs, padded, and 1,024 cells."""
    inputs, hidden, output = 160, 1024, 512
    layers: dict[Cell, Layer] = {
        "lstm": Layer(
            "lstm",
            hidden,
            Matrix(4 * hidden, inputs, block),
            Matrix(4 * hidden, output, block),
            projection=Matrix(output, hidden, block),
            peepholes=True,
        ),
        "gru": Layer(
            "gru",
            hidden,
            Matrix(3 * hidden, inputs, block),
            Matrix(2 * hidden, hidden, block),
            candidate=Matrix(hidden, hidden, block),
        ),
    }
    layer = layers[cell]
    return Shape((layer,), features=153)
